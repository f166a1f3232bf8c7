package userland

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// runNc connects stdin and stdout with a TCP or UDP peer: nc [-s ADDRESS] [-p PORT] HOST PORT, nc -l -p PORT; or with one at a socket
// that is a file: nc -U FILE, nc -lU FILE.
func runNc(p *Process) int {
	opts, words, err := p.options("lp:uw:zvkns:U", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	network := "tcp"
	if opts.has('u') {
		network = "udp"
	}
	timeout := time.Duration(0)
	if opts.has('w') {
		if timeout, err = time.ParseDuration(opts.value('w') + "s"); err != nil {
			return p.Fail("invalid number '%s'", opts.value('w'))
		}
	}
	if opts.has('U') {
		if len(words) != 1 {
			return p.Fail("usage: nc -U FILE, or nc -lU FILE")
		}
		if opts.has('l') {
			return p.serve("unix", words[0], opts.has('k'), opts.has('v'))
		}
		return p.connect("unix", words[0], words[0], timeout, opts)
	}
	if opts.has('l') {
		port := opts.value('p')
		if port == "" && len(words) > 0 { // as in `nc -l 8080`
			port = words[len(words)-1]
		}
		if port == "" {
			return p.Fail("usage: nc -l -p PORT")
		}
		return p.serve(network, net.JoinHostPort(opts.value('s'), port), opts.has('k'), opts.has('v'))
	}
	if len(words) != 2 {
		return p.Fail("usage: nc [-u] [-z] [-v] [-w SECONDS] HOST PORT, or nc -l -p PORT")
	}
	return p.connect(network, net.JoinHostPort(words[0], words[1]), words[0], timeout, opts)
}

// connect talks to a peer, or only looks whether there is one; name is what errors call it.
func (p *Process) connect(network, address, name string, timeout time.Duration, opts *options) int {
	dialer := net.Dialer{Timeout: timeout, Resolver: names()}
	var err error
	if network != "unix" {
		if dialer.LocalAddr, err = localAddress(network, opts.value('s'), opts.value('p')); err != nil {
			return p.Fail("%v", err)
		}
	}
	conn, err := dialer.Dial(network, address)
	if err != nil {
		if opts.has('z') && !opts.has('v') {
			return 1
		}
		if os.IsTimeout(err) {
			return p.Fail("timed out")
		}
		return p.Fail("%s (%s): %s", name, address, causeText(err))
	}
	defer conn.Close()
	if opts.has('v') {
		fmt.Fprintf(p.Stderr, "%s (%s) open\n", name, conn.RemoteAddr())
	}
	if opts.has('z') {
		return 0
	}
	return p.talk(conn, conn, timeout)
}

// localAddress is the one to connect from; nil for any.
func localAddress(network, host, port string) (net.Addr, error) {
	if host == "" && port == "" {
		return nil, nil
	}
	if network == "udp" {
		return net.ResolveUDPAddr(network, net.JoinHostPort(host, port))
	}
	return net.ResolveTCPAddr(network, net.JoinHostPort(host, port))
}

// serve takes one connection, or with keep one after the other.
func (p *Process) serve(network, address string, keep, verbose bool) int {
	if network == "udp" {
		return p.serveUDP(address)
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return p.Fail("bind: %s", causeText(err))
	}
	defer listener.Close()
	if verbose {
		fmt.Fprintf(p.Stderr, "listening on %s ...\n", listener.Addr())
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return p.Fail("accept: %s", causeText(err))
		}
		if verbose {
			fmt.Fprintf(p.Stderr, "connect to %s from %s\n", conn.LocalAddr(), conn.RemoteAddr())
		}
		code := p.talk(conn, conn, 0)
		conn.Close()
		if !keep {
			return code
		}
	}
}

// serveUDP answers whoever sent the first packet.
func (p *Process) serveUDP(address string) int {
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		return p.Fail("bind: %s", causeText(err))
	}
	defer socket.Close()
	first := make([]byte, 65536)
	n, peer, err := socket.ReadFrom(first)
	if err != nil {
		return p.Fail("%s", causeText(err))
	}
	if _, err := p.Stdout.Write(first[:n]); err != nil {
		return 1
	}
	conn := &packetPeer{PacketConn: socket, peer: peer}
	return p.talk(conn, conn, 0)
}

// packetPeer makes a stream of the packets exchanged with one peer.
type packetPeer struct {
	net.PacketConn
	peer net.Addr
}

func (c *packetPeer) Read(b []byte) (int, error)  { n, _, err := c.ReadFrom(b); return n, err }
func (c *packetPeer) Write(b []byte) (int, error) { return c.WriteTo(b, c.peer) }

// lastWords is how long what comes in may still be passed on when the peer has said all: it may listen, and who is asked
// at once by a script is often quicker than `echo` in front of us.
const lastWords = time.Second

// talk copies both ways until the peer has said all. The end of stdin is passed on, so that the peer can finish; a peer
// that says nothing for the time of -w after that is left.
func (p *Process) talk(from io.Reader, to io.Writer, timeout time.Duration) int {
	passedOn := make(chan struct{})
	go func() {
		defer close(passedOn)
		io.Copy(to, p.Stdin)
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
		}
		if waits, ok := to.(interface{ SetReadDeadline(time.Time) error }); ok && timeout > 0 {
			waits.SetReadDeadline(time.Now().Add(timeout))
		}
	}()
	if _, err := io.Copy(p.Stdout, from); err != nil && !os.IsTimeout(err) {
		return p.Fail("%s", causeText(err))
	}
	if _, _, typing := terminalSize(p.Stdin); !typing {
		select {
		case <-passedOn:
		case <-time.After(lastWords):
		}
	}
	return 0
}
