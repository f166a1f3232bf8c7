package resolver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// How long name servers are waited for. A client waits for 5 s (resolv.conf(5), timeout), and should hear from the second
// server what the first one does not tell.
const (
	patience     = time.Second      // then the next server is asked, too; the first may still answer
	longest      = 6 * time.Second  // then nobody is waited for any more
	silentRemain = 10 * time.Second // for which a server that did not answer is asked last
)

// heard is what has become of a question to one server.
type heard struct {
	server netip.AddrPort
	reply  []byte
	err    error
}

// forward asks the host's name servers, one after the other: the next when one says nothing, or that it cannot find out.
// The first one that knows, even if that there is no such name, is believed, as the host's own resolver does.
func (s *Server) forward(ctx context.Context, q *query) []byte {
	if s.Internal != nil && s.Internal() {
		return q.fail(nil, "the container's networks are internal: nobody outside is asked")
	}
	var servers []netip.AddrPort
	if s.Upstream != nil {
		servers = s.silent.last(s.Upstream())
	}
	if len(servers) == 0 {
		return q.fail(nil, s.whyNobody())
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	answers := make(chan heard, len(servers))
	var refusal []byte
	failures := map[netip.AddrPort]error{}
	asked := 0
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			if asked == len(servers) {
				continue
			}
			if asked > 0 && failures[servers[asked-1]] == nil {
				s.silent.note(servers[asked-1])
			}
			server := servers[asked]
			asked++
			go func() { answers <- exchange(ctx, server, q) }() // ends when ctx does, at the latest when this function returns
			next.Reset(patience)
		case h := <-answers:
			switch {
			case h.err == nil && !couldNot(h.reply):
				s.silent.forget(h.server)
				return h.reply
			case h.err == nil:
				refusal, failures[h.server] = h.reply, errors.New("cannot find out")
			default:
				failures[h.server] = h.err
			}
			if len(failures) == len(servers) {
				return s.giveUp(q, servers, refusal, failures)
			}
			next.Reset(0)
		case <-ctx.Done():
			return s.giveUp(q, servers, refusal, failures)
		}
	}
}

func (s *Server) whyNobody() string {
	if s.Nobody != "" {
		return s.Nobody
	}
	return "there is no name server to ask: the host's /etc/resolv.conf names none"
}

// giveUp passes on what a server has said, or says why there is nothing.
func (s *Server) giveUp(q *query, servers []netip.AddrPort, refusal []byte, failures map[netip.AddrPort]error) []byte {
	if refusal != nil {
		return refusal
	}
	var reasons []string
	for _, server := range servers {
		reason := "no answer"
		if err := failures[server]; err != nil && !os.IsTimeout(err) {
			reason = cause(err)
		}
		reasons = append(reasons, fmt.Sprintf("%s: %s", server, reason))
	}
	return q.fail(nil, "no name server answered: "+strings.Join(reasons, ", "))
}

// cause is the kernel's word for what went wrong: connection refused.
func cause(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// couldNot tells whether a server says that it cannot, or will not, find out.
func couldNot(reply []byte) bool {
	switch dnsmessage.RCode(reply[3] & 0xf) {
	case dnsmessage.RCodeServerFailure, dnsmessage.RCodeRefused, dnsmessage.RCodeNotImplemented, dnsmessage.RCodeFormatError:
		return true
	}
	return false
}

// silence is which servers have not answered lately.
type silence struct {
	mu    sync.Mutex
	since map[netip.AddrPort]time.Time
}

func (s *silence) note(server netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since == nil {
		s.since = map[netip.AddrPort]time.Time{}
	}
	s.since[server] = time.Now()
}

func (s *silence) forget(server netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.since, server)
}

// last puts those servers last.
func (s *silence) last(servers []netip.AddrPort) []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.since) == 0 {
		return servers
	}
	now := time.Now()
	rank := func(server netip.AddrPort) int {
		if since, ok := s.since[server]; ok && now.Sub(since) < silentRemain {
			return 1
		}
		return 0
	}
	sorted := slices.Clone(servers)
	slices.SortStableFunc(sorted, func(a, b netip.AddrPort) int { return rank(a) - rank(b) })
	return sorted
}
