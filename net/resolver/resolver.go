// Package resolver is the name server of a container: in user-defined networks containers find each other by name.
//
// A container's /etc/resolv.conf names 127.0.0.11. The sockets of that address are opened in the container's network
// namespace and handed to its monitor, which answers here:
//
//	container                          monitor, in the host's network namespace
//	─────────                          ────────────────────────────────────────
//	"web1"? ──► 127.0.0.11:53 ───────► query.go: what is asked?
//	                                     │ known to Names (endpoints.go: the files of the container's networks)
//	        ◄────────────────────────────┤   reply.go
//	                                     │ not known
//	                                     └──► forward.go: the host's name servers, asked from the host's namespace, so that
//	        ◄─────────────────────────────    one on the host's own loopback (127.0.0.53) can be asked, too
//
// What is answered from here is as Docker has it: addresses live for 600 s, the answer is not authoritative, a name that
// has no address of the family asked for has none (it does not go to the host's name servers), and if several containers
// have a name each answer begins with another one. A failure comes with its reason (RFC 8914) if the client speaks EDNS.
//
// Nothing is done before the first packet comes, and an idle server holds a few kilobytes.
package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Names is what is known without asking others. Names are in lower case, without the last dot. The results belong to
// whoever gave them. It is called by several goroutines at once.
type Names interface {
	// Lookup returns the addresses of a name, of both families.
	Lookup(name string) (addresses []netip.Addr, known bool)
	// Reverse returns the names of an address.
	Reverse(address netip.Addr) []string
}

// Server answers on sockets that are open already.
type Server struct {
	Packet   *net.UDPConn
	Stream   net.Listener // may be nil
	Names    Names
	Upstream func() []netip.AddrPort // whom to ask for other names; nil: nobody
	Nobody   string                  // why there is nobody, as the client is told
	Internal func() bool             // whether others must not be asked: what leaves by way of a name leaves, too; nil: never
	NDots    bool                    // ndots was set for the container: names without a dot are for its search list, not for others

	turn   atomic.Uint32 // grows with each answer
	silent silence
	room   chan struct{} // one place for each question that is with others
}

// Limits. A container that asks more is told that it failed, and may ask again.
const (
	forwardsAtOnce = 512
	streamsAtOnce  = 64
	idleTime       = 10 * time.Second // that a stream may be silent
	largestQuery   = 4096             // bytes of a packet; RFC 1035 has 512, and EDNS makes them little longer
	largestMessage = 65535            // of a stream: its length has two bytes
)

// Serve answers until the context is done. Then the sockets are closed, and nothing that it has begun goes on.
func (s *Server) Serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	defer group.Wait()
	s.room = make(chan struct{}, forwardsAtOnce)
	defer context.AfterFunc(ctx, func() {
		s.Packet.Close()
		if s.Stream != nil {
			s.Stream.Close()
		}
	})()
	if s.Stream != nil {
		group.Go(func() { s.serveStreams(ctx, &group) })
	}
	s.servePackets(ctx, &group)
}

// servePackets answers what it can by itself, one question after the other: that takes some microseconds. Those that
// others are asked for wait in goroutines of their own.
func (s *Server) servePackets(ctx context.Context, group *sync.WaitGroup) {
	buffer, answer := make([]byte, largestQuery), make([]byte, 0, 512)
	for {
		n, from, err := s.Packet.ReadFromUDPAddrPort(buffer)
		if err != nil {
			if closed(ctx, err) {
				return
			}
			continue
		}
		q, reply := s.answer(answer[:0], buffer[:n], false)
		if reply != nil {
			s.Packet.WriteToUDPAddrPort(reply, from) // if it cannot be sent the client asks again
			answer = reply
			continue
		}
		if q == nil {
			continue
		}
		q.raw = append([]byte(nil), q.raw...)
		select {
		case s.room <- struct{}{}:
			group.Go(func() {
				defer func() { <-s.room }()
				if reply := s.forward(ctx, q); reply != nil {
					s.Packet.WriteToUDPAddrPort(reply, from)
				}
			})
		default:
			s.Packet.WriteToUDPAddrPort(q.fail(answer[:0], "too many questions are with other name servers already"), from)
		}
	}
}

// closed tells whether an error of a socket is the end. Others pass, such as a lack of memory: the next try is a little later.
func closed(ctx context.Context, err error) bool {
	if errors.Is(err, net.ErrClosed) {
		return true
	}
	select {
	case <-ctx.Done():
		return true
	case <-time.After(10 * time.Millisecond):
		return false
	}
}
