package userland

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pinger counts what went out and came back.
type pinger struct {
	*Process
	socket                     *echoSocket
	host                       string
	source                     netip.Addr // if it was given
	quiet                      bool
	count, size                int
	interval, deadline, linger time.Duration
	sent                       []time.Time // by sequence number
	answered                   map[uint16]bool
	received, duplicates       int
	fastest, slowest, total    time.Duration
}

// runPing asks a host to echo packets, once a second.
func runPing(p *Process) int {
	opts, words, err := p.options("c:i:w:W:s:I:t:qn46", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(words) != 1 {
		return p.Fail("usage: ping [-c COUNT] [-i SECONDS] [-w SECONDS] [-W SECONDS] [-s SIZE] [-I SOURCE] [-q] HOST")
	}
	g := &pinger{Process: p, host: words[0], quiet: opts.has('q'), answered: map[uint16]bool{}, size: 56, interval: time.Second, linger: 10 * time.Second}
	if err := g.takeOptions(opts); err != nil {
		return p.Fail("%v", err)
	}
	to, err := resolve(g.host, opts.has('4'), opts.has('6') || p.Args[0] == "ping6")
	if err != nil {
		return p.Fail("bad address '%s'", g.host)
	}
	if g.socket, err = openEcho(to, uint16(os.Getpid())); err != nil {
		return p.Fail("%v", err)
	}
	if opts.has('t') {
		ttl, err := strconv.Atoi(opts.value('t'))
		if err == nil {
			err = g.socket.setTTL(ttl)
		}
		if err != nil {
			return p.Fail("invalid time to live '%s'", opts.value('t'))
		}
	}
	if opts.has('I') {
		if err := g.socket.bind(opts.value('I')); err != nil {
			return p.Fail("bind to %s: %s", opts.value('I'), causeText(err))
		}
		g.source, _ = netip.ParseAddr(opts.value('I')) // or it is an interface
	}
	return g.run()
}

func (g *pinger) takeOptions(opts *options) error {
	for _, o := range []struct {
		letter rune
		number *int
	}{{'c', &g.count}, {'s', &g.size}} {
		if !opts.has(o.letter) {
			continue
		}
		n, err := strconv.Atoi(opts.value(o.letter))
		if err != nil || n < 0 || n > 65507 && o.letter == 's' {
			return fmt.Errorf("invalid number '%s'", opts.value(o.letter))
		}
		*o.number = n
	}
	for _, o := range []struct {
		letter   rune
		duration *time.Duration
	}{{'i', &g.interval}, {'w', &g.deadline}, {'W', &g.linger}} {
		if !opts.has(o.letter) {
			continue
		}
		seconds, err := strconv.ParseFloat(opts.value(o.letter), 64)
		if err != nil || seconds < 0 {
			return fmt.Errorf("invalid number '%s'", opts.value(o.letter))
		}
		*o.duration = max(time.Duration(seconds*float64(time.Second)), time.Millisecond)
	}
	return nil
}

// resolve finds a host's address, IPv4 if there is the choice.
func resolve(host string, only4, only6 bool) (netip.Addr, error) {
	network := "ip"
	switch {
	case only4:
		network = "ip4"
	case only6:
		network = "ip6"
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return address, nil
	}
	found, err := names().LookupNetIP(context.Background(), network, host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range found {
		if a.Unmap().Is4() {
			return a.Unmap(), nil
		}
	}
	return found[0], nil
}

// run sends at every tick until the count is reached, the time is over or Ctrl-C is pressed, and then waits for stragglers.
func (g *pinger) run() int {
	from := ""
	if g.source.IsValid() {
		from = fmt.Sprintf(" from %s", g.source)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	fmt.Fprintf(g.Stdout, "PING %s (%s)%s: %d data bytes\n", g.host, g.socket.to, from, g.size)
	replies := make(chan *echoReply)
	go g.listen(replies)
	var deadline, linger <-chan time.Time
	if g.deadline > 0 {
		deadline = time.After(g.deadline)
	}
	tick := time.NewTicker(g.interval)
	defer tick.Stop()
	if err := g.send(); err != nil {
		return g.Fail("sendto: %s", causeText(err))
	}
	for {
		if linger == nil && g.count > 0 && len(g.sent) >= g.count {
			tick.Stop()
			linger = time.After(g.linger)
		}
		select {
		case r := <-replies:
			g.take(r, time.Now())
			if g.count > 0 && g.received >= g.count {
				return g.statistics()
			}
		case <-tick.C:
			if linger != nil {
				continue
			}
			if err := g.send(); err != nil {
				return g.Fail("sendto: %s", causeText(err))
			}
		case <-linger:
			return g.statistics()
		case <-deadline:
			return g.statistics()
		case <-signals:
			return g.statistics()
		}
	}
}

// listen runs until the process ends.
func (g *pinger) listen(replies chan<- *echoReply) {
	for {
		r, err := g.socket.receive()
		if err == nil {
			replies <- r
		} else if err == unix.EBADF || err == unix.ENETDOWN {
			return
		}
	}
}

func (g *pinger) send() error {
	sequence := uint16(len(g.sent))
	g.answered[sequence] = false
	g.sent = append(g.sent, time.Now())
	return g.socket.send(sequence, make([]byte, g.size))
}

// take reports a message that came back.
func (g *pinger) take(r *echoReply, now time.Time) {
	if !g.socket.isReply(r) {
		g.Fail("warning: got ICMP %d (%s)", r.kind, map[uint8]string{3: "Destination Unreachable", 11: "Time Exceeded"}[r.kind])
		return
	}
	i := len(g.sent) - 1 // sequence numbers start again after 65535
	for i >= 0 && uint16(i) != r.sequence {
		i--
	}
	if i < 0 {
		return
	}
	took, duplicate := now.Sub(g.sent[i]), g.answered[r.sequence]
	g.answered[r.sequence] = true
	if duplicate {
		g.duplicates++
	} else {
		g.received++
		g.total += took
		g.slowest = max(g.slowest, took)
		if g.received == 1 || took < g.fastest {
			g.fastest = took
		}
	}
	if g.quiet {
		return
	}
	note := ""
	if duplicate {
		note = " (DUP!)"
	}
	fmt.Fprintf(g.Stdout, "%d bytes from %s: seq=%d ttl=%d time=%s ms%s\n", r.length, r.from, r.sequence, r.ttl, milliseconds(took), note)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.3f", float64(d.Microseconds())/1000)
}

// statistics sums up. The exit code tells whether anything came back.
func (g *pinger) statistics() int {
	lost := 0
	if len(g.sent) > 0 {
		lost = (len(g.sent) - g.received) * 100 / len(g.sent)
	}
	fmt.Fprintf(g.Stdout, "\n--- %s ping statistics ---\n%d packets transmitted, %d packets received, ", g.host, len(g.sent), g.received)
	if g.duplicates > 0 {
		fmt.Fprintf(g.Stdout, "%d duplicates, ", g.duplicates)
	}
	fmt.Fprintf(g.Stdout, "%d%% packet loss\n", lost)
	if g.received == 0 {
		return 1
	}
	fmt.Fprintf(g.Stdout, "round-trip min/avg/max = %s/%s/%s ms\n", milliseconds(g.fastest), milliseconds(g.total/time.Duration(g.received)), milliseconds(g.slowest))
	return 0
}
