package container

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/early"
	network "sandbox/net"
)

// carrier is the process that carries a container's packets, as its monitor has it. It is the monitor's child, ends with it
// (PR_SET_PDEATHSIG), and is ended when the container has.
type carrier struct {
	mu    sync.Mutex
	pid   int  // 0: it has ended
	ends  bool // it was told to
	began time.Time
	tries int      // how often others before it have ended soon after they began
	end   func()   // kills it
	words *os.File // what it has to say, which is read only if it does not get ready
	gone  chan struct{}
}

// userlandSocket is where slirp4netns listens for orders, in the container's directory, until it has them all.
const userlandSocket = "slirp"

// errNotBorn: the container's birth has ended before there was a network to be made.
var errNotBorn = errors.New("the container was not born")

// connectUserland makes the network of a container that is being born, and lets its birth go on. It closes the socket when it could
// not; else the caller does, after the birth.
func (m *monitor) connectUserland(socket int) (err error) {
	defer func() {
		if err != nil {
			unix.Close(socket)
		}
	}()
	pid, err := senderOf(socket)
	if err != nil {
		return err
	}
	c, err := m.startCarrier(pid)
	if err != nil {
		return err
	}
	m.serving.add(c.stop)
	if err := m.publishBySlirp(); err != nil {
		m.serving.end()
		return err
	}
	return m.engine.Door.Do(kernel.In("3.6", kernel.Because(kernel.Knock{FD: socket}, "the network is there: the container may begin", "网络接好了，容器可以开始"))...)
}

// senderOf waits for a byte, and returns the pid of the process that has written it, as it is here.
func senderOf(socket int) (pid int, err error) {
	var data [1]byte
	control := make([]byte, unix.CmsgSpace(unix.SizeofUcred))
	n, controlLen := 0, 0
	for {
		n, controlLen, _, _, err = unix.Recvmsg(socket, data[:], control, 0)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil || n == 0 {
		return 0, errNotBorn
	}
	parts, err := unix.ParseSocketControlMessage(control[:controlLen])
	if err != nil || len(parts) == 0 {
		return 0, errNotBorn
	}
	sender, err := unix.ParseUnixCredentials(&parts[0])
	if err != nil {
		return 0, err
	}
	return int(sender.Pid), nil
}

// startCarrier starts the program and waits until it is ready.
func (m *monitor) startCarrier(pid int) (*carrier, error) {
	u := m.record.Userland
	program, err := exec.LookPath(u.Program)
	if err != nil {
		return nil, checkUserland(u.Program)
	}
	var ready, words [2]int
	if err := unix.Pipe2(ready[:], unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	defer unix.Close(ready[0])
	if err := unix.Pipe2(words[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil { // a full pipe does not hold it up
		unix.Close(ready[1])
		return nil, err
	}
	m.engine.Door.Do(kernel.Try(m.removeSlirpSocket()...)...) // which a monitor that was killed has left
	b, err := m.engine.Door.Spawn(m.planCarrier(program, pid, ready[1], words[1]))
	unix.Close(ready[1])
	unix.Close(words[1])
	c := &carrier{words: os.NewFile(uintptr(words[0]), "words"), gone: make(chan struct{}), began: time.Now()}
	if err == nil {
		c.pid, err = b.PID, b.Failure()
	}
	if err == nil && !saysReady(ready[0]) {
		err = c.complaint(u)
	}
	if err != nil {
		c.words.Close()
		if c.pid != 0 {
			m.engine.kill(c.pid, "it does not work", "它没能工作")
			reap(c.pid)
		}
		return nil, err
	}
	c.end = func() {
		m.engine.kill(c.pid, "nobody has packets to carry any more", "没有数据包要搬了")
	}
	u.Pid, u.Born = c.pid, startTicks(c.pid)
	go func() {
		c.watch()
		m.carryOn(c, pid)
	}()
	return c, nil
}

// planCarrier is its birth.
func (m *monitor) planCarrier(program string, pid, ready, words int) kernel.Spawn {
	u, null := m.record.Userland, &kernel.Handle{}
	say := 1 // pasta writes its pid into a file when it is ready; slirp4netns a byte into a descriptor
	output := ready
	if u.Program == slirp {
		say, output = 3, words
	}
	steps := []kernel.Step{
		kernel.Because(kernel.Setsid{}, "", ""),
		kernel.Because(kernel.Open{Path: "/dev/null", Flags: unix.O_RDONLY, As: null}, "", ""),
		kernel.Because(kernel.Dup{From: null.FD(), To: 0}, "", ""),
		kernel.Because(kernel.Dup{From: kernel.FD(output), To: 1}, "", ""),
		kernel.Because(kernel.Dup{From: kernel.FD(words), To: 2}, "what it complains of is kept", "它抱怨什么都留着"),
	}
	if say == 3 {
		steps = append(steps, kernel.Because(kernel.Dup{From: kernel.FD(ready), To: say}, "there it says that it is ready", "准备好了就在这里说一声"))
	}
	noMore := kernel.Because(kernel.CloseFrom{FD: max(say, 2) + 1}, "", "")
	noMore.Optional = true
	steps = append(steps, noMore,
		kernel.Because(kernel.Chdir{Path: m.engine.Paths.dir(m.record.ID)}, "", ""),
		kernel.Because(kernel.Prctl{Option: unix.PR_SET_PDEATHSIG, Arg: uintptr(unix.SIGKILL)}, "it ends with the monitor, whatever ends that", "监视进程一结束，它也跟着结束"),
		kernel.Because(kernel.Knock{FD: say}, "which may have been killed already: then nobody is at the other end of this pipe", "监视进程也可能已经被杀：那样这个管道的另一头就没有人了"))
	return kernel.Spawn{
		Section: "3.6", Process: "network", Steps: kernel.In("3.6", steps...),
		Why: kernel.Why{EN: "a process that carries the container's packets: an ordinary user cannot make interfaces on the host", ZH: "一个替容器搬运数据包的进程：普通用户不能在 host 上建网卡"},
		Programs: kernel.In("3.6", kernel.Because(kernel.Execve{Path: program, Argv: m.record.carrierArgs(pid), Env: []string{"PATH=" + os.Getenv("PATH")}},
			"a TCP/IP stack in a program: it makes a tap device in the container's network namespace, and sends with sockets of its own what comes out of it",
			"一个程序里的 TCP/IP 协议栈：它在容器的网络 namespace 里建一个 tap 设备，把里面发出来的东西用自己的套接字发出去")),
	}
}

// saysReady reads what the program writes when it is ready, behind the byte of its birth. When it ends without that, so does the pipe.
func saysReady(fd int) bool {
	var all, buffer [64]byte
	for got := 0; got < 2; {
		n, err := unix.Read(fd, buffer[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n <= 0 {
			return false
		}
		got += copy(all[got:], buffer[:n])
	}
	return true
}

// complaint is the last thing that the program has said.
func (c *carrier) complaint(u *Userland) error {
	reap(c.pid) // it has closed the pipe because it has ended
	c.pid = 0
	text := make([]byte, 4096)
	n, _ := c.words.Read(text)
	last := "it has ended"
	for line := range strings.Lines(string(text[:max(n, 0)])) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasSuffix(line, "to syslog") {
			last = line
		}
	}
	return kernel.Advise(fmt.Errorf("%s could not make the container's network: %s", u.Program, last), "--network none, or host")
}

// watch reaps it.
func (c *carrier) watch() {
	unix.Waitid(unix.P_PID, c.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	c.mu.Lock()
	reap(c.pid)
	c.pid = 0
	c.mu.Unlock()
	c.words.Close()
	close(c.gone)
}

// stop ends it, and waits until it is gone.
func (c *carrier) stop() {
	c.mu.Lock()
	c.ends = true
	if c.pid != 0 {
		c.end()
	}
	c.mu.Unlock()
	<-c.gone
}

// toldToEnd tells whether it was.
func (c *carrier) toldToEnd() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ends
}

// Another carrier is started in place of one that somebody has killed. Those that end soon, one after the other, are given up.
const (
	carrierPause = 100 * time.Millisecond // in which a container that has ended is noticed: the carrier ends with its namespace
	carrierSoon  = 10 * time.Second
	carrierTries = 5
)

// carryOn starts another carrier, if one has ended and the container, whose first process is given, goes on. What it has done, or not, is
// in the record.
func (m *monitor) carryOn(c *carrier, pid int) {
	born := startTicks(pid)
	for tries := c.tries + 1; ; tries++ {
		if time.Since(c.began) > carrierSoon {
			tries = 1
		}
		time.Sleep(carrierPause * time.Duration(tries))
		if c.toldToEnd() || born == 0 || startTicks(pid) != born || strings.HasPrefix(statusField(pid, "State"), "Z") {
			return
		}
		again, err := m.startCarrier(pid)
		number := 0
		if err == nil {
			again.mu.Lock()
			again.tries, number = tries, again.pid
			again.mu.Unlock()
			m.serving.add(again.stop)
			err = m.publishBySlirp()
		}
		switch {
		case err == nil:
			m.noteCarrier(number, "")
			if c.toldToEnd() {
				again.stop()
			}
			return
		case again != nil:
			again.stop()
		}
		if tries >= carrierTries {
			m.noteCarrier(0, err.Error())
			return
		}
	}
}

// noteCarrier says in the record which process carries the packets now, or why none does.
func (m *monitor) noteCarrier(pid int, lost string) {
	m.change(false, func(r *Record) error {
		u := *r.Userland
		u.Pid, u.Born, u.Lost = pid, startTicks(pid), lost
		r.Userland = &u
		return nil
	})
}

// slirpForward is an order to slirp4netns, which takes them as JSON: a port of the host that leads to one of the container.
type slirpForward struct {
	Execute   string            `json:"execute"`
	Arguments slirpForwardPorts `json:"arguments"`
}

type slirpForwardPorts struct {
	Proto     string `json:"proto"`
	HostAddr  string `json:"host_addr"`
	HostPort  uint16 `json:"host_port"`
	GuestPort uint16 `json:"guest_port"`
}

// publishBySlirp tells slirp4netns the ports, and takes its socket away: nobody else shall. pasta knows them from its command line.
func (m *monitor) publishBySlirp() error {
	ports := m.record.Userland.Ports
	if m.record.Userland.Program != slirp || len(ports) == 0 {
		return nil
	}
	dir, err := os.Open(m.engine.Paths.dir(m.record.ID))
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, p := range ports {
		order, err := json.Marshal(slirpForward{"add_hostfwd", slirpForwardPorts{p.Protocol, p.HostIP.String(), p.HostPort, p.Port}})
		if err != nil {
			return err
		}
		m.engine.Door.Note("3.6", fmt.Sprintf("echo '%s' | nc -U %s", order, userlandSocket), kernel.Why{EN: "slirp4netns listens at a port of the host for the container", ZH: "让 slirp4netns 替容器监听 host 的端口"})
		if err := tellSlirp(dir, order, p); err != nil {
			return err
		}
	}
	return m.engine.Door.Do(m.removeSlirpSocket()...)
}

func (m *monitor) removeSlirpSocket() []kernel.Step {
	if u := m.record.Userland; u.Program != slirp || len(u.Ports) == 0 {
		return nil
	}
	return kernel.In("3.6", kernel.Because(kernel.Remove{Path: m.engine.Paths.dir(m.record.ID) + "/" + userlandSocket}, "slirp4netns gets no other orders", "不再给 slirp4netns 下别的命令"))
}

func tellSlirp(dir *os.File, order []byte, p network.Publish) error {
	conn, err := dialIn(dir, userlandSocket)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(order); err != nil {
		return err
	}
	unix.Shutdown(int(conn.Fd()), unix.SHUT_WR)
	answer, err := io.ReadAll(bufio.NewReader(conn))
	var said struct{ Error struct{ Desc string } }
	if err == nil {
		err = json.Unmarshal(answer, &said)
	}
	if err == nil && said.Error.Desc != "" {
		err = kernel.Advise(fmt.Errorf("slirp4netns cannot publish port %d of %s: %s", p.HostPort, p.HostIP, said.Error.Desc), "choose another port, or none: then a free one is found")
	}
	return err
}

// openWaiting makes the pair of sockets at which a birth waits for its network. Whoever reads at the monitor's end gets to know who
// has written.
func openWaiting() (s streams, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return s, err
	}
	s = streams{fds: pair[:], targets: []byte{early.Await, early.Waiting}}
	if err := unix.SetsockoptInt(pair[1], unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		s.close()
		return streams{}, err
	}
	return s, nil
}

// connectBeside makes the network while the caller performs the birth.
func (m *monitor) connectBeside(socket int) <-chan error {
	connected := make(chan error, 1)
	go func() { connected <- m.connectUserland(socket) }()
	return connected
}

// bear performs the first birth of a container that waits for its network.
func (m *monitor) bear(b *early.Birth) error {
	if err := m.takeOver(b); err != nil {
		return err
	}
	connected := m.connectBeside(early.Waiting)
	b.Perform()
	err := <-connected
	if err == nil {
		unix.Close(early.Waiting)
	}
	if errors.Is(err, errNotBorn) { // the client has the results, and says what went wrong
		return nil
	}
	if err != nil && b.PID != 0 {
		reap(b.PID)
	}
	return err
}
