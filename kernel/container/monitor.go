package container

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/kernel"
	"sandbox/kernel/early"
)

// monitor is the process that looks after one container, from its birth (which package early has performed by now) to
// its end. It holds the container's lock all the while.
type monitor struct {
	engine *Engine
	record *Record
	pid    int
	client *outbox
	log    *logWriter
	input  *input         // the container's standard input, or its terminal
	output sync.WaitGroup // the copiers of output
	open   []*os.File     // what they read
}

// drainTime is how long the monitor waits for output after the container's end, when somebody who outlived it (a process
// that it has handed a descriptor to) keeps the pipe open and says nothing.
const drainTime = 2 * time.Second

// RunMonitor is the main function of the monitor's role.
func RunMonitor(b *early.Birth) int {
	control := os.NewFile(early.Control, "client")
	if b.PID == 0 || b.Table.Executed() < 0 { // the client has the results, and says what went wrong
		if b.PID != 0 {
			unix.Wait4(b.PID, nil, 0, nil)
		}
		return 1
	}
	m := &monitor{pid: b.PID, client: newOutbox(control)}
	if err := m.prepare(b); err != nil {
		m.engine.kill(b.PID, "it cannot be looked after", "没法照看它")
		unix.Wait4(b.PID, nil, 0, nil)
		return 1
	}
	go m.listen(control)
	m.client.say(frameReady, nil)
	status := m.waitForEnd()
	m.finish(status)
	m.client.flush()
	return 0
}

// prepare reads the record, says in it that the container runs, and begins to copy output.
func (m *monitor) prepare(b *early.Birth) error {
	paths := pathsOf(b.Dir)
	door := &kernel.Door{Process: "monitor", Language: os.Getenv("SANDBOX_LANG")}
	if b.Tell {
		door.Tell = func(r kernel.Record) {
			if line, err := json.Marshal(r); err == nil {
				m.client.say(frameTell, line)
			}
		}
	}
	m.engine = &Engine{Paths: paths, Door: door, Host: ThisHost(), Groups: cgroup.Detect()}
	record := &Record{}
	if err := json.Unmarshal(b.Table.Rest(), record); err != nil {
		return err
	}
	m.record = record
	record.State = State{
		Status: "running", Running: true, Pid: m.pid, StartedAt: now(),
		Born: startTicks(m.pid), Boot: bootID(), Monitor: os.Getpid(),
	}
	var err error
	if m.log, err = openLog(door, paths.log(record.ID)); err != nil {
		return err
	}
	m.copyOutput()
	return record.save(door, paths, false)
}

// pathsOf finds where things lie from a container's directory.
func pathsOf(dir string) Paths {
	paths := DefaultPaths(os.Getenv("SANDBOX_ROOT"))
	paths.State = filepath.Dir(filepath.Dir(dir))
	return paths
}

// copyOutput starts what copies the container's output to the log and to the client.
func (m *monitor) copyOutput() {
	if m.record.Config.Tty {
		if terminal := receiveTerminal(monitorPty); terminal != nil {
			m.input = newInput(terminal, true)
			m.copyStream(terminal, "stdout", frameStdout)
		}
		return
	}
	if m.record.Config.OpenStdin {
		m.input = newInput(pipeEnd(monitorStdin, "stdin"), false)
	}
	m.copyStream(pipeEnd(monitorStdout, "stdout"), "stdout", frameStdout)
	m.copyStream(pipeEnd(monitorStderr, "stderr"), "stderr", frameStderr)
}

// pipeEnd is our end of a pipe; Go's poller waits for it, so that it can be given up at any time.
func pipeEnd(fd int, name string) *os.File {
	unix.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), name)
}

// receiveTerminal takes the master of the container's terminal out of the message that its birth has sent.
func receiveTerminal(socket int) *os.File {
	defer unix.Close(socket)
	var data [1]byte
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, data[:], control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return nil
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return nil
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil
	}
	unix.SetNonblock(fds[0], true) // lets Go's poller wait for it
	return os.NewFile(uintptr(fds[0]), "terminal")
}

// copyStream copies one stream until its end; a terminal's is EIO, when nobody has its other end open any more. The log
// comes first: it has everything, also what a client never reads.
func (m *monitor) copyStream(from *os.File, name string, kind byte) {
	m.open = append(m.open, from)
	m.output.Go(func() {
		buffer := make([]byte, 32<<10)
		listening := true
		for {
			n, err := from.Read(buffer)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				n, err = readRest(from, buffer)
			}
			if n > 0 {
				m.log.write(name, buffer[:n])
				listening = listening && m.client.output(kind, buffer[:n]) // the client may go; the container goes on
			}
			if err != nil {
				m.log.flush(name)
				return
			}
		}
	})
}

// readRest reads what is there, past the deadline; EAGAIN if there is nothing.
func readRest(from *os.File, buffer []byte) (n int, err error) {
	raw, err := from.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := raw.Control(func(fd uintptr) { n, err = unix.Read(int(fd), buffer) })
	if controlErr != nil {
		return 0, controlErr
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}

// listen does what the client asks for, until it is gone. It never waits for the container: the client sends no more
// input than it was told is wanted (input.go).
func (m *monitor) listen(control io.Reader) {
	fed := false
	var buffer []byte
	for {
		kind, content, grown, err := readFrame(control, buffer)
		if err != nil {
			break
		}
		buffer = grown
		switch {
		case kind == frameStdin:
			fed = true
			m.input.write(content, func() { m.client.say(frameWritten, nil) })
		case kind == frameEOF:
			m.input.end()
		case kind == frameWindow && len(content) == 4:
			m.resize(Window{binary.BigEndian.Uint16(content), binary.BigEndian.Uint16(content[2:])})
		case kind == frameSignal && len(content) == 1:
			m.signal(unix.Signal(content[0]))
		}
	}
	if fed && m.record.Config.StdinOnce { // nobody will type any more
		m.input.end()
	}
}

func (m *monitor) resize(w Window) {
	if m.input == nil || !m.input.terminal {
		return
	}
	raw, err := m.input.file.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		m.engine.Door.Do(kernel.Step{
			Effect:  kernel.WindowSize{FD: kernel.FD(int(fd)), Rows: w.Rows, Columns: w.Columns},
			Section: "3.2", Why: kernel.Why{EN: "your terminal has changed its size", ZH: "你的终端改变了大小"},
		})
	})
}

func (m *monitor) signal(s unix.Signal) {
	m.engine.Door.Do(kernel.Step{
		Effect: kernel.Kill{PID: m.pid, Signal: s}, Section: "3.3",
		Why: kernel.Why{EN: "passed on to the container's first process", ZH: "转交给容器的 1 号进程"},
	})
}

// waitForEnd reaps the container's first process.
func (m *monitor) waitForEnd() unix.WaitStatus {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(m.pid, &status, 0, nil)
		if !errors.Is(err, unix.EINTR) {
			return status
		}
	}
}

// finish records the end, takes away what the container had of the machine, and tells the client.
func (m *monitor) finish(status unix.WaitStatus) {
	e, r := m.engine, m.record
	if r.HostConfig.PidMode == "host" {
		e.removeGroups(r.ID) // ends those that no PID namespace has ended
	}
	m.drain()
	r.State = State{
		Status: "exited", ExitCode: exitCode(status), StartedAt: r.State.StartedAt, FinishedAt: now(),
	}
	e.removeGroups(r.ID)
	if r.HostConfig.AutoRemove {
		e.leaveWord(r)
		e.delete(r)
	} else {
		r.save(e.Door, e.Paths, true)
	}
	unix.Close(early.Lock) // from here on others may start or remove it, whatever our client does
	code := make([]byte, 4)
	binary.BigEndian.PutUint32(code, uint32(r.State.ExitCode))
	m.client.say(frameExit, code)
}

// drain waits for the rest of the output.
func (m *monitor) drain() {
	m.client.release()
	for _, stream := range m.open {
		stream.SetReadDeadline(time.Now().Add(drainTime))
	}
	m.output.Wait()
	m.log.close()
}

// exitCode of a process as a shell, and Docker, counts it.
func exitCode(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// removeGroups takes the container's cgroups away, and kills what is still in them: processes that outlived the first
// one because they share the host's PID namespace.
func (e *Engine) removeGroups(id string) {
	for range 50 {
		e.Door.Do(kernel.Try(e.Groups.Remove(id)...)...)
		left := e.Groups.Processes(id)
		if len(left) == 0 {
			break
		}
		for _, pid := range left {
			e.kill(pid, "left over in the container's cgroup", "容器的 cgroup 里剩下的进程")
		}
		time.Sleep(2 * time.Millisecond)
	}
	e.Door.Do(kernel.Try(e.Groups.Remove(id)...)...) // the parent, if another container went at the same moment
}

// kill ends a process for good.
func (e *Engine) kill(pid int, en, zh string) {
	e.Door.Do(kernel.Step{
		Effect: kernel.Kill{PID: pid, Signal: unix.SIGKILL}, Section: "3.3", Optional: true, Why: kernel.Why{EN: en, ZH: zh},
	})
}

// delete takes a container's directory and name away. The record goes first: without it the rest is a leftover that
// any command may remove.
func (e *Engine) delete(r *Record) error {
	why := kernel.Why{EN: "the container's own layer goes with it", ZH: "容器层随容器一起消失"}
	return e.Door.Do(
		kernel.Step{Effect: kernel.Remove{Path: e.Paths.record(r.ID)}, Section: "3.3", Optional: true},
		kernel.Step{Effect: kernel.RemoveAll{Path: e.Paths.dir(r.ID)}, Section: "3.3", Why: why},
		kernel.Step{Effect: kernel.Remove{Path: e.Paths.nameOf(r.PlainName())}, Section: "3.3", Optional: true,
			Why: kernel.Why{EN: "the name is free again", ZH: "名字又可以用了"}},
	)
}
