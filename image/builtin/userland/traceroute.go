package userland

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// traceroute sends UDP packets that may pass 1, 2, 3 … routers. The router at which a packet's time is over says so, and
// so tells who it is; the goal says that nobody listens on the port. The kernel hands these messages to the socket's error
// queue (IP_RECVERR), which takes no privilege.
type traceroute struct {
	*Process
	to      netip.Addr
	fd      int
	port    int
	timeout time.Duration
}

const tracePort = 33434 // where by convention nobody listens

// runTraceroute shows the routers on the way to a host.
func runTraceroute(p *Process) int {
	opts, words, err := p.options("nm:q:w:46", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(words) == 0 {
		return p.Fail("usage: traceroute [-n] [-m HOPS] [-q PROBES] [-w SECONDS] HOST")
	}
	hops, probes, seconds := 30, 3, 5
	for _, o := range []struct {
		letter rune
		number *int
	}{{'m', &hops}, {'q', &probes}, {'w', &seconds}} {
		if opts.has(o.letter) {
			if *o.number, err = strconv.Atoi(opts.value(o.letter)); err != nil || *o.number < 1 {
				return p.Fail("invalid number '%s'", opts.value(o.letter))
			}
		}
	}
	to, err := resolve(words[0], opts.has('4'), opts.has('6'))
	if err != nil {
		return p.Fail("bad address '%s'", words[0])
	}
	t := &traceroute{Process: p, to: to, port: tracePort, timeout: time.Duration(seconds) * time.Second}
	if err := t.open(); err != nil {
		return p.Fail("socket: %s", causeText(err))
	}
	fmt.Fprintf(p.Stdout, "traceroute to %s (%s), %d hops max, 46 byte packets\n", words[0], to, hops)
	for ttl := 1; ttl <= hops; ttl++ {
		arrived, err := t.hop(ttl, probes)
		if err != nil {
			fmt.Fprintln(p.Stdout)
			return p.Fail("sendto: %s", causeText(err))
		}
		if arrived {
			break
		}
	}
	return 0
}

func (t *traceroute) open() (err error) {
	family, level, option := unix.AF_INET, unix.IPPROTO_IP, unix.IP_RECVERR
	if t.to.Is6() {
		family, level, option = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	}
	if t.fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP); err != nil {
		return err
	}
	return unix.SetsockoptInt(t.fd, level, option, 1)
}

// hop probes one distance and writes its line.
func (t *traceroute) hop(ttl, probes int) (arrived bool, err error) {
	if t.to.Is6() {
		err = unix.SetsockoptInt(t.fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, ttl)
	} else {
		err = unix.SetsockoptInt(t.fd, unix.IPPROTO_IP, unix.IP_TTL, ttl)
	}
	if err != nil {
		return false, err
	}
	fmt.Fprintf(t.Stdout, "%2d", ttl)
	var last netip.Addr
	for range probes {
		t.port++
		sent := time.Now()
		if err := unix.Sendto(t.fd, make([]byte, 18), 0, socketAddress(t.to, t.port)); err != nil && err != unix.EHOSTUNREACH && err != unix.ECONNREFUSED {
			return false, err
		}
		answer, err := t.answer(sent)
		if err != nil {
			fmt.Fprint(t.Stdout, "  *")
			continue
		}
		if answer.from != last {
			fmt.Fprintf(t.Stdout, "  %s (%s)", answer.from, answer.from)
			last = answer.from
		}
		fmt.Fprintf(t.Stdout, "  %s ms", milliseconds(time.Since(sent)))
		arrived = arrived || answer.final
	}
	fmt.Fprintln(t.Stdout)
	return arrived, nil
}

// traceAnswer is who complained of a packet, and whether the goal was reached.
type traceAnswer struct {
	from  netip.Addr
	final bool
}

// answer waits for the error queue.
func (t *traceroute) answer(sent time.Time) (traceAnswer, error) {
	control := make([]byte, 512)
	for {
		left := t.timeout - time.Since(sent)
		if left <= 0 {
			return traceAnswer{}, errors.New("no answer")
		}
		fds := []unix.PollFd{{Fd: int32(t.fd)}} // POLLERR is always reported
		if _, err := unix.Poll(fds, int(left.Milliseconds())+1); err != nil && err != unix.EINTR {
			return traceAnswer{}, err
		}
		_, n, _, _, err := unix.Recvmsg(t.fd, make([]byte, 512), control, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err != nil {
			continue
		}
		if answer, ok := parseExtendedError(control[:n]); ok {
			return answer, nil
		}
	}
}

// parseExtendedError reads struct sock_extended_err and the address that follows it: see ip(7), IP_RECVERR.
func parseExtendedError(control []byte) (traceAnswer, bool) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return traceAnswer{}, false
	}
	for _, m := range messages {
		const size = 16 // errno 4, origin 1, type 1, code 1, padding 1, info 4, data 4
		if len(m.Data) < size+8 {
			continue
		}
		errno, kind := unix.Errno(binary.NativeEndian.Uint32(m.Data)), m.Data[5]
		switch {
		case m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR:
			from, _ := netip.AddrFromSlice(m.Data[size+4 : size+8])
			return traceAnswer{from, errno == unix.ECONNREFUSED || kind == 3}, true
		case m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR && len(m.Data) >= size+24:
			from, _ := netip.AddrFromSlice(m.Data[size+8 : size+24])
			return traceAnswer{from, errno == unix.ECONNREFUSED || kind == 1}, true
		}
	}
	return traceAnswer{}, false
}
