package container

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/early"
)

// monitor is the process that looks after one container, from its birth (which package early has performed by now) to
// its end. It holds the container's lock all the while.
type monitor struct {
	engine   *Engine
	record   *Record
	client   *outbox // of the command that began it
	audience audience
	log      *logWriter
	output   sync.WaitGroup // the copiers of output
	open     []*os.File     // what they read

	life   sync.Mutex // guards what another birth changes while a client is listened to
	pid    int
	input  *input // the container's standard input, or its terminal
	window Window // the size of the terminal that was told last

	backoff backoff
	serving serving
	cables  []string // the ends, on the host, of the interfaces that the run which has ended had

	clientGone atomic.Bool // noticed if the container is attended
	untold     [][]byte    // records of what was done while the client was not listening
	memory     memoryListener
	oomTold    atomic.Bool // an event has told of the OOM killer
}

// drainTime is how long the monitor waits for output after the container's end, when somebody who outlived it (a process
// that it has handed a descriptor to) keeps the pipe open and says nothing.
const drainTime = 2 * time.Second

// RunMonitor is the main function of the monitor's role.
func RunMonitor(b *early.Birth) int {
	control := os.NewFile(early.Control, "client")
	m := &monitor{}
	if b.Waits {
		if err := m.bear(b); err != nil {
			m.client = newOutbox(control, m.audience.crowded)
			m.giveUp(err)
			return 1
		}
	}
	if b.PID == 0 || b.Table.Executed() < 0 { // the client has the results, and says what went wrong
		if b.PID != 0 {
			unix.Wait4(b.PID, nil, 0, nil)
		}
		if b.Waits { // the network was made for nothing
			m.client = newOutbox(control, m.audience.crowded)
			m.tellClient()
			m.client.flush()
		}
		return 1
	}
	m.pid = b.PID
	m.client = newOutbox(control, m.audience.crowded)
	m.audience.add(m.client)
	if err := m.prepare(b); err != nil {
		m.engine.kill(b.PID, "it cannot be looked after", "没法照看它")
		unix.Wait4(b.PID, nil, 0, nil)
		m.giveUp(err)
		return 1
	}
	go m.listen(control, m.client)
	m.client.say(frameReady, nil)
	m.listenForLimits()
	for {
		ended := m.waitForEnd()
		if !m.recordEnd(ended) || !m.comeAgain() {
			break
		}
	}
	m.leave()
	m.audience.flush()
	m.waitForCables()
	return 0
}

// prepare says in the record that the container runs, and begins to copy output.
func (m *monitor) prepare(b *early.Birth) error {
	if m.record == nil {
		if err := m.takeOver(b); err != nil {
			return err
		}
	}
	m.tellClient()
	record, door, paths := m.record, m.engine.Door, m.engine.Paths
	settings, err := record.HostConfig.LogConfig.settings(record.Config)
	if err != nil {
		return err
	}
	if m.log, err = openLog(door, paths.log(record.ID), settings); err != nil {
		return err
	}
	m.copyOutput(monitorStreams{monitorStdin, monitorStdout, monitorStderr, monitorPty})
	m.serveNetworks(handedOver(record))
	if !record.Attended {
		m.serve()
	}
	return m.recordStart()
}

// monitorStreams are the monitor's ends of the container's standard streams, or the socket that its terminal comes out of.
type monitorStreams struct{ stdin, stdout, stderr, pty int }

// copyOutput starts what copies the container's output to the log and to the client.
func (m *monitor) copyOutput(s monitorStreams) {
	if m.record.Config.Tty {
		if terminal := receiveTerminal(s.pty); terminal != nil {
			m.setInput(newInput(terminal, true))
			m.copyStream(terminal, "stdout", frameStdout)
		}
		return
	}
	if m.record.Config.OpenStdin {
		m.setInput(newInput(pipeEnd(s.stdin, "stdin"), false))
	}
	m.copyStream(pipeEnd(s.stdout, "stdout"), "stdout", frameStdout)
	if !m.record.Attended {
		m.copyStream(pipeEnd(s.stderr, "stderr"), "stderr", frameStderr)
	}
}

func (m *monitor) setInput(i *input) {
	m.life.Lock()
	defer m.life.Unlock()
	m.input = i
}

// alive is the container's first process and its input; nobody and nothing while it is down.
func (m *monitor) alive() (pid int, input *input) {
	m.life.Lock()
	defer m.life.Unlock()
	return m.pid, m.input
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
	return receivedFile(control[:n])
}

// readAtOnce is how much output is read at a time.
const readAtOnce = 128 << 10

// copyStream copies one stream until its end; a terminal's is EIO, when nobody has its other end open any more. The log
// comes first: it has everything, also what a client never reads.
func (m *monitor) copyStream(from *os.File, name string, kind byte) {
	m.open = append(m.open, from)
	m.output.Go(func() {
		buffer := make([]byte, readAtOnce)
		for {
			n, err := from.Read(buffer)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				n, err = readRest(from, buffer)
			}
			if n > 0 {
				m.log.write(name, buffer[:n])
				m.audience.output(kind, buffer[:n])
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

// listen does what a client asks for, until it is gone. It never waits for the container: the client sends no more
// input than it was told is wanted (input.go); one that does is sent away.
func (m *monitor) listen(control io.Reader, client *outbox) {
	var fed, detached bool
	var underWay atomic.Int32
	var buffer []byte
	for {
		kind, content, grown, err := readFrame(control, buffer)
		if err != nil || underWay.Load() > 2*inputFrames {
			break
		}
		buffer = grown
		_, input := m.alive()
		switch {
		case kind == frameStdin:
			fed = true
			underWay.Add(1)
			input.write(content, func() { underWay.Add(-1); client.say(frameWritten, nil) })
		case kind == frameEOF:
			m.endInput()
		case kind == frameDetach:
			detached = true
			m.engine.Event(m.current().Event("detach"))
		case kind == frameWindow && len(content) == 4:
			m.resize(Window{binary.BigEndian.Uint16(content), binary.BigEndian.Uint16(content[2:])})
		case kind == frameSignal && len(content) == 1:
			m.signal(unix.Signal(content[0]))
		}
	}
	if fed && !detached { // nobody will type any more
		m.endInput()
	}
	m.audience.remove(client)
	if m.current().Attended {
		m.clientGone.Store(true)
		m.send(unix.SIGKILL, kernel.Why{EN: "the command that it belongs to is gone", ZH: "它所属的命令已经没了"})
	}
}

// endInput closes the container's input, as the first client to come to the end of its own does, if the container was
// made for one client (StdinOnce). A terminal has no end.
func (m *monitor) endInput() {
	if _, input := m.alive(); m.current().Config.StdinOnce {
		input.end()
	}
}

func (m *monitor) resize(w Window) {
	m.life.Lock()
	m.window = w
	m.life.Unlock()
	_, input := m.alive()
	if input == nil || !input.terminal {
		return
	}
	raw, err := input.file.SyscallConn()
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

// signal passes a signal on. One that asks for the end ends it for good, as Docker's client, which sends it by way of
// `kill`, does.
func (m *monitor) signal(s unix.Signal) {
	r := m.current()
	if r.HostConfig.RestartPolicy.Asks() && endsContainers(s, r.Config) {
		m.engine.ask(r, "kill", s, false)
	}
	m.engine.Event(r.Event("kill", "signal", strconv.Itoa(int(s))))
	m.send(s, kernel.Why{EN: "passed on to the container's first process", ZH: "转交给容器的 1 号进程"})
	if now, err := m.engine.Paths.load(r.ID); err == nil && now.State.Paused && endsContainers(s, r.Config) {
		m.engine.letGoOn(now)
	}
}

// send sends a signal to the container's first process, unless it is down.
func (m *monitor) send(s unix.Signal, why kernel.Why) {
	m.life.Lock()
	defer m.life.Unlock()
	if m.pid != 0 {
		m.engine.Door.Do(kernel.Step{Effect: kernel.Kill{PID: m.pid, Signal: s}, Section: "3.3", Why: why})
	}
}

// waitForEnd waits for the container's first process, and reaps it: not while it gets a signal, since then its number may be another's.
func (m *monitor) waitForEnd() (status unix.WaitStatus) {
	stop := m.watchHealth()
	m.memory.begin(m)
	for errors.Is(unix.Waitid(unix.P_PID, m.pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
	stop()
	m.memory.end()
	m.life.Lock()
	defer m.life.Unlock()
	status = reap(m.pid)
	m.pid = 0
	return status
}

// recordEnd takes away what the container had of the machine and writes down how it ended. It tells whether the
// container comes again.
func (m *monitor) recordEnd(status unix.WaitStatus) (again bool) {
	e, r := m.engine, m.record
	oom := e.groups(r.ID).OutOfMemory(r.ID) // the groups know it
	if r.HostConfig.sharesPIDs() {
		e.removeGroups(r.ID) // ends those that no PID namespace has ended
	}
	m.drain()
	state := e.stateAfter(r, status, oom)
	e.removeGroups(r.ID)
	left := m.leaveNetworks()
	r.State = state
	if oom.Kills > 0 && !m.oomTold.Load() {
		e.Event(r.Event("oom"))
	}
	defer func() {
		e.Event(slices.Concat([]Event{m.record.died()}, left, m.record.volumeEvents("unmount"))...)
	}()
	if r.goes() {
		return false
	}
	err := m.change(true, func(r *Record) error {
		state.Health = r.State.Health.over()
		r.State = state
		r.forgetEndpoints()
		if again = r.HostConfig.RestartPolicy.afterEnd(state.ExitCode, r.RestartCount, state.End.Asked != nil); again {
			r.State.Status, r.State.Running, r.State.Restarting, r.State.Monitor, r.State.Boot = "restarting", true, true, os.Getpid(), bootID()
			r.RestartCount++
		}
		return nil
	})
	return again && err == nil
}

// goes tells whether a container that has ended is to be removed: --rm says so, unless `restart` starts it again.
func (r *Record) goes() bool {
	asked := r.State.End.Asked
	return r.HostConfig.AutoRemove && (asked == nil || asked.Command != "restart")
}

// leave is the monitor's end: the container is down for good, until somebody starts it.
func (m *monitor) leave() {
	if m.engine.Door.Tell != nil { // while there is still somebody to tell of it
		m.pullCables()
	}
	m.log.close()
	if m.record.goes() {
		m.record.Name = m.engine.Paths.nameNow(m.record)
		m.engine.leaveWord(m.record)
		m.remove()
	} else {
		m.closeSocket()
	}
	unix.Close(early.Lock) // from here on others may start or remove it, whatever our client does
	m.sayEnd(true)
}

// remove takes away a container that is not to be kept; of an attended one only the record, if its client still wants what it has written.
func (m *monitor) remove() {
	e, r := m.engine, m.record
	if !r.Attended || m.clientGone.Load() {
		e.delete(r, true)
		return
	}
	e.Door.Do(kernel.Step{
		Effect: kernel.Remove{Path: e.Paths.record(r.ID)}, Section: "2.4.2",
		Why: kernel.Why{EN: "only what it has written is still wanted", ZH: "还要的只是它写下的东西"},
	})
}

// sayEnd tells who watches how it ended.
func (m *monitor) sayEnd(final bool) {
	end, _ := json.Marshal(m.record.State.End)
	m.audience.tellEnd(append(binary.BigEndian.AppendUint32(nil, uint32(m.record.State.ExitCode)), end...), final)
}

// drain waits for the rest of the output.
func (m *monitor) drain() {
	m.audience.release()
	for _, stream := range m.open {
		stream.SetReadDeadline(time.Now().Add(drainTime))
	}
	m.output.Wait()
	for _, stream := range m.open {
		stream.Close()
	}
	m.open = nil
	_, input := m.alive()
	input.abandon()
	m.setInput(nil)
}

// kill ends a process for good.
func (e *Engine) kill(pid int, en, zh string) {
	e.Door.Do(kernel.Step{
		Effect: kernel.Kill{PID: pid, Signal: unix.SIGKILL}, Section: "3.3", Optional: true, Why: kernel.Why{EN: en, ZH: zh},
	})
}

// delete takes a container's directory and name away, and with volumes its anonymous volumes. The record goes first:
// without it the rest is a leftover that any command may remove. What is then to become of the volumes is known by the file
// that lists them.
func (e *Engine) delete(r *Record, volumes bool) error {
	if _, anonymous := r.volumeNames(); len(anonymous) > 0 && !volumes {
		keep := kernel.Why{EN: "without -v its anonymous volumes stay", ZH: "没有 -v：匿名卷留下"}
		e.Door.Do(kernel.Step{Effect: kernel.Remove{Path: e.Paths.ownVolumes(r.ID)}, Section: "3.3", Optional: true, Why: keep})
	}
	e.Door.Do(kernel.Step{Effect: kernel.Remove{Path: e.Paths.record(r.ID)}, Section: "3.3", Optional: true})
	e.removeOwnVolumes(r.ID)
	why := kernel.Why{EN: "the container's own layer goes with it", ZH: "容器层随容器一起消失"}
	err := e.Door.Do(
		kernel.Step{Effect: kernel.RemoveAll{Path: e.Paths.dir(r.ID)}, Section: "3.3", Why: why},
		kernel.Step{Effect: kernel.Remove{Path: e.Paths.nameOf(r.PlainName())}, Section: "3.3", Optional: true,
			Why: kernel.Why{EN: "the name is free again", ZH: "名字又可以用了"}},
	)
	if err == nil {
		e.Event(r.Event("destroy"))
	}
	return err
}
