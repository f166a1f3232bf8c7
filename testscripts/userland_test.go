package testscripts

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	program "sandbox/testscripts/built"
)

// An ordinary user's container reaches the network by way of pasta or slirp4netns. That is tried in a machine of the test's own: a
// network namespace with one interface and a default route (userland_world_test.go), in which the test itself is what is
// outside: it serves, and it asks at published ports. Only root can make one that an ordinary user then is a guest in.

// inWorld says to the test binary that it has been started in there.
const inWorld = "SANDBOX_TEST_WORLD"

func TestUserland(t *testing.T) {
	for _, name := range []string{"pasta", "slirp4netns"} {
		t.Run(name, func(t *testing.T) { runInWorld(t, "^TestUserlandInWorld$", name) })
	}
}

// TestStraceUserland holds the explanation of such a container against strace.
func TestStraceUserland(t *testing.T) {
	needStrace(t)
	runInWorld(t, "^TestStraceInWorld$", "pasta", "slirp4netns")
}

// runInWorld runs a test of this binary in namespaces of its own, with the programs that it is about.
func runInWorld(t *testing.T, test string, programs ...string) {
	t.Helper()
	if *script != "" {
		t.Skip("inside a pocket host")
	}
	if os.Getuid() != 0 {
		t.Skip("needs [root]: a machine with an ordinary user in it")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs %s", p)
		}
	}
	needPocket(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", test, "-test.v")
	cmd.Env = append(os.Environ(), inWorld+"="+programs[0], program.Variable+"="+built)
	// With a PID namespace: whatever happens, nothing of it outlives the test.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		t.Errorf("%s\n%v", out, err)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("%s", out)
	default:
		t.Logf("%s", out)
	}
}

// TestUserlandInWorld is started by TestUserland, in there.
func TestUserlandInWorld(t *testing.T) {
	w := newWorld(t)
	if t.Failed() {
		return
	}
	t.Run("outgoing", w.outgoing)
	t.Run("published", w.published)
	t.Run("comes again", w.comesAgain)
	t.Run("monitor killed", w.monitorKilled)
	t.Run("helper killed", w.helperKilled)
	t.Run("refused", w.refused)
	t.Run("helper fails", w.helperFails)
	t.Run("nothing left", w.nothingLeft)
}

func (w *world) outgoing(t *testing.T) {
	w.run(t, "run", "--rm", "base", "true") // the image is made
	out := w.run(t, "run", "--rm", "--network", w.mode, "base", "wget", "-q", "-O", "-", "http://"+outside+":7000/")
	if out != "outside\n" {
		t.Errorf("by address: %q", out)
	}
	if out := w.run(t, "run", "--rm", "--network", w.mode, "base", "wget", "-q", "-O", "-", "http://"+outsideName+":7000/"); out != "outside\n" {
		t.Errorf("by name: %q", out)
	}
	if out := w.run(t, "run", "--rm", "--network", w.mode, "--dns", outside, "base", "wget", "-q", "-O", "-", "http://"+outsideName+":7000/"); out != "outside\n" {
		t.Errorf("with --dns: %q", out)
	}
	for _, address := range []string{"127.0.0.1", "10.0.2.2", "10.0.2.3"} {
		if out, err := w.try("run", "--rm", "--network", w.mode, "base", "wget", "-T", "1", "-q", "-O", "-", "http://"+address+":7001/"); err == nil || strings.Contains(out, "loopback") {
			t.Errorf("the host's loopback is within reach of a container, at %s: %q", address, out)
		}
	}
	hosts := w.run(t, "run", "--rm", "--network", w.mode, "-h", "box", "--add-host", "machine:host-gateway", "base", "cat", "/etc/hosts", "/etc/resolv.conf")
	for _, want := range []string{"10.0.2.100\tbox\n", outside + "\tmachine\n", "nameserver 10.0.2.3\n"} {
		if !strings.Contains(hosts, want) {
			t.Errorf("%q is missing:\n%s", want, hosts)
		}
	}
	for _, flags := range [][]string{nil, {"--network", "bridge"}} { // pasta, if both are there
		w.run(t, append(append([]string{"create", "--name", "usual"}, flags...), "base")...)
		if mode := w.run(t, "inspect", "-f", "{{.HostConfig.NetworkMode}}", "usual"); mode != "pasta\n" && mode != "slirp4netns\n" {
			t.Errorf("%v: mode %q", flags, mode)
		}
		w.run(t, "rm", "usual")
	}
}

// answering is a program that answers at ports 80/tcp and 53/udp.
var answering = []string{"base", "sh", "-c", "echo pong | nc -u -l -p 53 & while true; do echo hello | nc -l -p 80; done"}

func (w *world) published(t *testing.T) {
	w.run(t, append([]string{"run", "-d", "--name", "web", "--network", w.mode, "-p", "18080:80", "-p", "127.0.0.1::80", "-p", "15353:53/udp"}, answering...)...)
	for _, address := range []string{outside + ":18080", "127.0.0.1:18080", strings.TrimSpace(w.run(t, "inspect", "-f", `127.0.0.1:{{(index (index .NetworkSettings.Ports "80/tcp") 1).HostPort}}`, "web"))} {
		eventuallyTrue(t, "port "+address+" answers", func() bool { return read("tcp", address) == "hello\n" })
	}
	eventuallyTrue(t, "the port for packets answers", func() bool { return read("udp", outside+":15353") == "pong\n" })
	for want, args := range map[string][]string{
		"80/tcp -> 0.0.0.0:18080":       {"port", "web"},
		"0.0.0.0:15353->53/udp":         {"ps"},
		w.mode + " 10.0.2.100":          {"inspect", "-f", "{{.HostConfig.NetworkMode}} {{(index .NetworkSettings.Networks \"" + w.mode + "\").IPAddress}}", "web"},
		"inet 10.0.2.100/24":            {"exec", "web", "ip", "-4", "address", "show", "eth0"},
		"default via 10.0.2.2 dev eth0": {"run", "--rm", "--network", "container:web", "base", "ip", "route"},
	} {
		if !strings.Contains(w.run(t, args...), want) {
			t.Errorf("sandbox %v does not say %q:\n%s", args, want, w.run(t, args...))
		}
	}
	w.fails(t, "(to container web)", "run", "--rm", "--network", w.mode, "-p", "18080:80", "base", "true")
	w.fails(t, "a program carries its packets", "network", "connect", "bridge", "web")
	w.run(t, "restart", "-t", "0", "web")
	eventuallyTrue(t, "it answers after a restart", func() bool { return read("tcp", outside+":18080") == "hello\n" })
	w.run(t, "rm", "-f", "web")
	w.nothingLeft(t)
}

// comesAgain: the network of a container that its monitor brings back is made again.
func (w *world) comesAgain(t *testing.T) {
	w.run(t, append([]string{"run", "-d", "--name", "again", "--restart", "always", "--network", w.mode, "-p", "18080:80"}, answering...)...)
	first := w.run(t, "inspect", "-f", "{{.State.Pid}}", "again")
	w.kill(t, first)
	eventuallyTrue(t, "it is back", func() bool {
		now := w.run(t, "inspect", "-f", "{{.State.Pid}}", "again")
		return now != first && now != "0\n"
	})
	eventuallyTrue(t, "it answers again", func() bool { return read("tcp", outside+":18080") == "hello\n" })
	if out := w.run(t, "port", "again"); !strings.Contains(out, "80/tcp -> 0.0.0.0:18080") {
		t.Errorf("ports afterwards: %q", out)
	}
	w.kill(t, w.run(t, "inspect", "-f", "{{.State.Monitor}}", "again")) // whoever looks next brings it back, with another monitor
	eventuallyTrue(t, "it answers with another monitor", func() bool {
		w.run(t, "ps")
		return read("tcp", outside+":18080") == "hello\n"
	})
	w.run(t, "rm", "-f", "again")
	w.nothingLeft(t)
}

func (w *world) monitorKilled(t *testing.T) {
	w.run(t, append([]string{"run", "-d", "--name", "lost", "--network", w.mode, "-p", "18080:80"}, answering...)...)
	w.kill(t, w.run(t, "inspect", "-f", "{{.State.Monitor}}", "lost"))
	w.nothingRuns(t)
	if out := w.run(t, "ps", "-a"); !strings.Contains(out, "Exited") {
		t.Errorf("ps -a afterwards:\n%s", out)
	}
	w.run(t, "start", "lost")
	eventuallyTrue(t, "it answers when it is started again", func() bool { return read("tcp", outside+":18080") == "hello\n" })
	w.run(t, "rm", "-f", "lost")
	w.nothingLeft(t)
}

func (w *world) refused(t *testing.T) {
	w.fails(t, "ip_unprivileged_port_start=80", "run", "--rm", "--network", w.mode, "-p", "80:80", "base", "true")
	w.fails(t, "port is already allocated", "run", "--rm", "--network", w.mode, "-p", "7000:80", "base", "true")
	w.fails(t, "always 10.0.2.100", "run", "--rm", "--network", w.mode, "--ip", "10.0.2.7", "base", "true")
	w.fails(t, "no sctp ports", "run", "--rm", "--network", w.mode, "-p", "9000:9000/sctp", "base", "true")
	w.fails(t, "options of "+w.mode, "run", "--rm", "--network", w.mode+":-6", "base", "true")
	w.fails(t, "executable file not found", "run", "--rm", "--network", w.mode, "base", "nosuch")
	w.nothingLeft(t)
}

// helperKilled: another one is started while the container runs on.
func (w *world) helperKilled(t *testing.T) {
	w.run(t, append([]string{"run", "-d", "--name", "kept", "--network", w.mode, "-p", "18080:80"}, answering...)...)
	eventuallyTrue(t, "it answers", func() bool { return read("tcp", outside+":18080") == "hello\n" })
	first := w.run(t, "inspect", "-f", "{{.Userland.Pid}}", "kept")
	w.kill(t, first)
	eventuallyTrue(t, "it answers when the helper was killed", func() bool { return read("tcp", outside+":18080") == "hello\n" })
	if out := w.run(t, "exec", "kept", "wget", "-T", "5", "-q", "-O", "-", "http://"+outside+":7000/"); out != "outside\n" {
		t.Errorf("outgoing, after that: %q", out)
	}
	eventuallyTrue(t, "the record has the other helper", func() bool { return w.run(t, "inspect", "-f", "{{.Userland.Pid}}", "kept") != first })
	w.run(t, "rm", "-f", "kept")
	w.nothingLeft(t)
}

// helperFails: a program of that name which does not work.
func (w *world) helperFails(t *testing.T) {
	dir := filepath.Join(w.home, "bad")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, w.mode), []byte("#!/bin/sh\necho cannot do it >&2\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	bad := *w
	bad.path = dir + ":" + w.path
	bad.fails(t, w.mode+" could not make the container's network: cannot do it", "run", "--rm", "--network", w.mode, "base", "true")
	w.run(t, "create", "--name", "bad", "--restart", "always", "--network", w.mode, "base", "true")
	bad.fails(t, "cannot do it", "start", "bad")
	if out := w.run(t, "inspect", "-f", "{{.State.Status}} {{.State.Error}}", "bad"); !strings.Contains(out, "cannot do it") {
		t.Errorf("inspect afterwards: %q", out)
	}
	w.run(t, "rm", "bad")
	w.nothingLeft(t)

	// One that never gets ready: the birth waits for it, and ends with the monitor.
	if err := os.WriteFile(filepath.Join(dir, w.mode), []byte("#!/bin/sh\nexec sleep 1000\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	waiting := bad.command(filepath.Join(w.home, "sandbox"), "run", "-d", "--network", w.mode, "base", "sleep", "1000")
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	eventuallyTrue(t, "the program is started", func() bool { return w.process("sleep\x001000\x00") != "" })
	w.kill(t, w.process("sandbox-monitor\x00"))
	if err := waiting.Wait(); err == nil {
		t.Error("run does not notice that the monitor has died")
	}
	w.nothingRuns(t)
	w.run(t, "ps", "-a") // what the birth has left is taken away
	w.nothingLeft(t)
}

// TestStraceInWorld is started by TestStraceUserland, in there.
func TestStraceInWorld(t *testing.T) {
	w := newWorld(t)
	if t.Failed() {
		return
	}
	s := scenario{name: "userland", commands: `
sandbox run --rm base true
explain run --rm --network pasta base true
explain run --rm --network pasta -p 18080:80 -p 127.0.0.1:18081:81/udp base true
explain run --rm --network slirp4netns -p 18080:80 base true
explain run -d --name one --network pasta base sleep 1000
explain exec one true
explain run --rm --network container:one base true
explain rm -f one
explain 127 run --rm --network pasta base nosuchcommand
explain 125 run --rm --network slirp4netns -p 80:80 base true
`}
	file := s.write(t, w.home)
	cmd := w.command(s.underStrace(w.home, file)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sum := s.compare(t, w.home)
	t.Logf("explained %d of %d, %d invented", sum.explained, sum.explained+len(sum.missing), len(sum.invented))
}

// read connects, says something and reads what comes; "" for nothing.
func read(network, address string) string {
	conn, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintln(conn, "ping")
	if network == "udp" {
		buffer := make([]byte, 100)
		n, _ := conn.Read(buffer)
		return string(buffer[:n])
	}
	conn.(*net.TCPConn).CloseWrite()
	text, _ := io.ReadAll(conn)
	return string(text)
}

// eventuallyTrue waits until something is so.
func eventuallyTrue(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
