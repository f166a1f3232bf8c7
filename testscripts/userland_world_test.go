package testscripts

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// world is a machine with an ordinary user: its interface has an address, a default route leads out of it, and its name server is
// the test.
type world struct {
	mode string // pasta or slirp4netns
	home string
	path string
}

// Addresses for documentation (RFC 5737), which nobody has.
const (
	outside     = "198.51.100.2"
	gateway     = "198.51.100.1"
	outsideName = "outside.example"
)

// newWorld furnishes the namespaces that runInWorld has made.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{mode: os.Getenv(inWorld), path: os.Getenv("PATH")}
	if w.mode == "" {
		t.Skip("started by TestUserland")
	}
	w.home = ordinaryHome(t)
	w.path = w.home + ":" + w.path
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	must("private mounts", unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	must("proc", unix.Mount("proc", "/proc", "proc", 0, ""))
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skipf("needs [tun]: %v", err)
	}
	must("/dev/net", unix.Mount("tmpfs", "/dev/net", "tmpfs", 0, "")) // the machine's may be closed to ordinary users
	must("tun", unix.Mknod("/dev/net/tun", unix.S_IFCHR|0o666, int(unix.Mkdev(10, 200))))
	must("tun", os.Chmod("/dev/net/tun", 0o666))
	conf := filepath.Join(w.home, "resolv.conf")
	must("resolv.conf", os.WriteFile(conf, []byte("nameserver "+outside+"\n"), 0o644))
	must("resolv.conf", unix.Mount(conf, "/etc/resolv.conf", "", unix.MS_BIND, ""))

	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "out0"}, PeerName: "out1"}
	must("veth", netlink.LinkAdd(pair))
	for _, name := range []string{"lo", "out0", "out1"} {
		link, err := netlink.LinkByName(name)
		must(name, err)
		must(name, netlink.LinkSetUp(link))
	}
	address, _ := netlink.ParseAddr(outside + "/24")
	must("address", netlink.AddrAdd(pair, address))
	must("route", netlink.RouteAdd(&netlink.Route{LinkIndex: pair.Attrs().Index, Gw: net.ParseIP(gateway)}))

	greet(t, outside+":7000", "outside\n")
	greet(t, "127.0.0.1:7001", "loopback\n")
	serveNames(t)
	return w
}

// greet answers HTTP requests.
func greet(t *testing.T, address, text string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			conn.Write([]byte("HTTP/1.0 200 OK\r\n\r\n" + text))
			conn.Close()
		}
	}()
}

// serveNames is a name server that knows one name.
func serveNames(t *testing.T) {
	conn, err := net.ListenPacket("udp", outside+":53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			switch {
			case q.Name.String() != outsideName+".":
				m.RCode = dnsmessage.RCodeNameError
			case q.Type == dnsmessage.TypeA:
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
					Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(outside).To4())},
				}}
			}
			if answer, err := m.Pack(); err == nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
}

// command is one of the ordinary user's.
func (w *world) command(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + w.path, "HOME=" + w.home, "SANDBOX_ROOT=" + filepath.Join(w.home, "root"), "XDG_RUNTIME_DIR=" + w.home}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
	return cmd
}

// try runs sandbox, and returns all that it says.
func (w *world) try(args ...string) (string, error) {
	out, err := w.command(append([]string{filepath.Join(w.home, "sandbox")}, args...)...).CombinedOutput()
	return string(out), err
}

func (w *world) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := w.try(args...)
	if err != nil {
		t.Fatalf("sandbox %v: %v\n%s", args, err, out)
	}
	return out
}

// fails runs sandbox and expects an error: two lines, with these words in them.
func (w *world) fails(t *testing.T, words string, args ...string) {
	t.Helper()
	out, err := w.try(args...)
	if err == nil || !strings.Contains(out, words) || !strings.Contains(out, "\n  → ") {
		t.Errorf("sandbox %v: %v, without %q or a cure:\n%s", args, err, words, out)
	}
}

func (w *world) kill(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(pid))
	if err == nil && n > 1 {
		err = unix.Kill(n, unix.SIGKILL)
	}
	if err != nil || n <= 1 {
		t.Fatalf("kill %q: %v", pid, err)
	}
}

// process is the pid of a process of the ordinary user's whose command line begins so; "" if there is none.
func (w *world) process(begin string) string {
	list, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range list {
		status, err := os.ReadFile(dir + "/status")
		if err != nil || strings.Contains(string(status), "\nState:\tZ") || !strings.Contains(string(status), "\nUid:\t"+strconv.Itoa(ordinary)+"\t") {
			continue
		}
		if line, _ := os.ReadFile(dir + "/cmdline"); strings.HasPrefix(string(line), begin) {
			return filepath.Base(dir)
		}
	}
	return ""
}

// nothingRuns: the ordinary user has no process any more, and nobody listens at the ports that were published.
func (w *world) nothingRuns(t *testing.T) {
	t.Helper()
	eventuallyTrue(t, "no process is left", func() bool { return w.process("") == "" })
	for _, network := range []string{"tcp", "udp"} {
		for _, port := range []string{"18080", "15353"} {
			eventuallyTrue(t, "port "+port+"/"+network+" is free", func() bool { return isFree(network, ":"+port) })
		}
	}
}

func isFree(network, address string) bool {
	if network == "udp" {
		conn, err := net.ListenPacket(network, address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	listener, err := net.Listen(network, address)
	if err == nil {
		listener.Close()
	}
	return err == nil
}

// nothingLeft: nor is there anything of a container in the store, or an interface more than before.
func (w *world) nothingLeft(t *testing.T) {
	t.Helper()
	w.nothingRuns(t)
	if left, _ := filepath.Glob(filepath.Join(w.home, "root", "containers", "*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if links, err := netlink.LinkList(); err != nil || len(links) != 3 {
		t.Errorf("%d interfaces, not 3: %v", len(links), err)
	}
}
