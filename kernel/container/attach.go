package container

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"

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
// its exit code.
func (m *Monitor) Attach(s Streams, tell func(kernel.Record)) (int, error) {
	defer m.control.Close()
	to := &frameWriter{w: m.control}
	if s.TTY && s.In != nil && term.IsTerminal(int(s.In.Fd())) {
		if restore, err := kernel.RawTerminal(m.door, s.In); err == nil {
			defer restore()
		}
		stop := forwardWindow(s.In, to)
		defer stop()
	}
	if s.Proxy {
		stop := forwardSignals(to)
		defer stop()
	}
	if s.In != nil {
		s.room = make(chan struct{}, inputFrames)
		go sendInput(s.In, to, s.room)
	}
	return m.follow(s, tell, false)
}

// follow reads the monitor's frames up to the exit code (or, with untilReady, until it runs).
func (m *Monitor) follow(s Streams, tell func(kernel.Record), untilReady bool) (code int, err error) {
	var buffer []byte
	for {
		kind, content, grown, err := readFrame(m.control, buffer)
		if err != nil {
			return 0, errMonitorGone
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

var errMonitorGone = kernel.Advise(errors.New("the container's monitor has died"), "sandbox ps -a   puts things in order and shows what is left")

// forwardSignals passes on what a program is usually told by signals. Not those that a terminal in raw mode sends as
// characters, nor those that are about ourselves.
func forwardSignals(to *frameWriter) (stop func()) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGCONT, unix.SIGALRM)
	go func() {
		for s := range signals {
			if number, ok := s.(unix.Signal); ok {
				to.write(frameSignal, []byte{byte(number)})
			}
		}
	}()
	return func() { signal.Stop(signals); close(signals) }
}

// forwardWindow tells of the terminal's size whenever it changes.
func forwardWindow(terminal *os.File, to *frameWriter) (stop func()) {
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, unix.SIGWINCH)
	go func() {
		for range changes {
			if w := SizeOf(terminal); w.Rows != 0 {
				frame := binary.BigEndian.AppendUint16(nil, w.Rows)
				to.write(frameWindow, binary.BigEndian.AppendUint16(frame, w.Columns))
			}
		}
	}()
	return func() { signal.Stop(changes); close(changes) }
}
