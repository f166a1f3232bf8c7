package container

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"sandbox/kernel"
)

// Streams are the client's side of a container's standard streams.
type Streams struct {
	In       *os.File // nil: nothing is sent
	Out, Err io.Writer
	TTY      bool // the container has a terminal, so ours is put into raw mode
	Proxy    bool // signals that reach us are passed on

	DetachKeys []byte // with TTY: what is typed to leave; none: it is not looked for
	Begun      func() // if not nil, called when what is typed, and signals, go to the container from now on

	room chan struct{} // holds one token for each frame of input that the container has not taken yet
}

// SizeOf is the size of the terminal that file is; zero if it is none.
func SizeOf(file *os.File) Window {
	if file == nil {
		return Window{}
	}
	columns, rows, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return Window{}
	}
	return Window{Rows: uint16(rows), Columns: uint16(columns)}
}

// Ready waits until the container is recorded as running; the client then lets go of the monitor.
func (m *Monitor) Ready(tell func(kernel.Record)) error {
	defer m.control.Close()
	_, err := m.follow(Streams{Out: io.Discard, Err: io.Discard}, tell, true)
	return err
}

// Attach carries input, output, signals and the window's size between us and the container until it ends, and returns
// its exit code; or ErrDetached, if the user has left and it goes on.
func (m *Monitor) Attach(s Streams, tell func(kernel.Record)) (int, error) {
	defer m.control.Close()
	to := &frameWriter{w: m.control}
	if s.TTY && s.In != nil && term.IsTerminal(int(s.In.Fd())) {
		if restore, err := kernel.RawTerminal(m.door, s.In); err == nil {
			defer restore()
		}
		m.window.terminal, m.window.to = s.In, to
		stop := m.window.follow()
		defer stop()
		if m.lost != nil {
			m.window.tellAnother()
		}
		m.window.tell()
	}
	if s.Proxy {
		stop := m.forwardSignals(to)
		defer stop()
	}
	if s.In != nil {
		s.room = make(chan struct{}, inputFrames)
		if !s.TTY {
			s.DetachKeys = nil
		}
		go m.sendInput(s, to)
	}
	if s.Begun != nil {
		s.Begun()
	}
	return m.follow(s, tell, false)
}

// follow reads the monitor's frames up to the exit code (or, with untilReady, until it runs).
func (m *Monitor) follow(s Streams, tell func(kernel.Record), untilReady bool) (code int, err error) {
	var buffer []byte
	for {
		kind, content, grown, err := readFrame(m.control, buffer)
		if err != nil {
			return m.endUnheard()
		}
		buffer = grown
		switch kind {
		case frameStdout:
			s.Out.Write(content)
		case frameStderr:
			s.Err.Write(content)
		case frameReady:
			if untilReady {
				return 0, nil
			}
		case frameMissed:
			fmt.Fprintf(s.Err, "\r\nsandbox: %d bytes of output are not shown here, where nothing was read for a while\r\n  → sandbox logs has them\r\n", binary.BigEndian.Uint64(content))
		case frameWritten:
			select {
			case <-s.room:
			default:
			}
		case frameTell:
			var r kernel.Record
			if tell != nil && json.Unmarshal(content, &r) == nil {
				tell(r)
			}
		case frameFailed:
			cause, cure, _ := strings.Cut(string(content), "\x00")
			return 0, kernel.Advise(errors.New("the container cannot be looked after: "+cause), "%s", cure)
		case frameExit:
			var end End
			if json.Unmarshal(content[4:], &end) == nil {
				m.End = &end
			}
			return int(binary.BigEndian.Uint32(content)), nil
		}
	}
}

// endUnheard is for a monitor that says no more: we have left it, it has ended as we came, or it was killed.
func (m *Monitor) endUnheard() (code int, err error) {
	switch {
	case m.interrupted.Load():
		return 0, ErrInterrupted
	case m.detached.Load():
		return 0, ErrDetached
	case m.lost == nil:
		return 0, errMonitorGone
	}
	if m.End, err = m.lost(); err != nil {
		return 0, err
	}
	return m.End.ExitCode, nil
}

var errMonitorGone = kernel.Advise(errors.New("the container's monitor has died"), "sandbox ps -a   puts things in order and shows what is left")

// ErrInterrupted is how Attach ends when the user has pressed Ctrl-C again and again.
var ErrInterrupted = errors.New("interrupted three times")

// insisting is how many signals that mean "end" are passed on before we end ourselves. The program need not obey them: as PID 1
// without a handler it does not even get them.
const insisting = 3

// forwardSignals passes on what a program is usually told by signals. Not those that a terminal in raw mode sends as
// characters, nor those that are about ourselves.
func (m *Monitor) forwardSignals(to *frameWriter) (stop func()) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGCONT, unix.SIGALRM)
	go func() {
		asked := 0
		for s := range signals {
			number, ok := s.(unix.Signal)
			if !ok {
				continue
			}
			to.write(frameSignal, []byte{byte(number)})
			if number == unix.SIGINT || number == unix.SIGTERM {
				asked++
			}
			if asked == insisting {
				m.interrupted.Store(true)
				m.detach(to)
			}
		}
	}()
	return func() { signal.Stop(signals); close(signals) }
}

// windowTeller tells the monitor of the size of our terminal, each time that it is another than was told last. It is asked
// for at our beginning and at our end, too: the signal for a change may come when nobody listens yet, or any more.
type windowTeller struct {
	terminal *os.File
	to       *frameWriter

	mu   sync.Mutex
	told Window
}

func (t *windowTeller) tell() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := SizeOf(t.terminal); w.Rows != 0 && w != t.told {
		t.told = w
		t.to.writeWindow(w)
	}
}

// tellAnother tells of a size that our terminal has not, so that telling of its own is a change: then a program that fills
// the screen draws it anew.
func (t *windowTeller) tellAnother() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := SizeOf(t.terminal); w.Rows != 0 {
		t.told = Window{w.Rows + 1, w.Columns}
		t.to.writeWindow(t.told)
	}
}

// follow tells of each change from now on.
func (t *windowTeller) follow() (stop func()) {
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, unix.SIGWINCH)
	go func() {
		for range changes {
			t.tell()
		}
	}()
	return func() { signal.Stop(changes); close(changes) }
}

func (f *frameWriter) writeWindow(w Window) {
	frame := binary.BigEndian.AppendUint16(nil, w.Rows)
	f.write(frameWindow, binary.BigEndian.AppendUint16(frame, w.Columns))
}
