package container

import (
	"os"
	"sync"
)

// Input goes from a client to the container in frames, at most inputFrames of which are under way: for each one that
// the monitor has written into the container's pipe it says so (frameWritten). So neither of them ever waits for a
// container that does not read its input, and a signal is never stuck behind data.

// inputFrames is how many frames of input may be under way, and inputFrame how large one may be.
const (
	inputFrames = 8
	inputFrame  = 32 << 10
)

// sendInput is the client's side: it reads our input when there is room for it, up to its end or to the keys with which
// the user leaves.
func (m *Monitor) sendInput(s Streams, to *frameWriter) {
	buffer := make([]byte, inputFrame)
	keys := &detachKeys{keys: s.DetachKeys}
	s.room <- struct{}{}
	if to.write(frameStdin, nil) != nil { // says that there will be input, so that its end is noticed when we are killed
		return
	}
	for {
		s.room <- struct{}{}
		n, err := s.In.Read(buffer)
		data, leave := keys.scan(buffer[:n])
		if leave {
			m.detach(to)
			return
		}
		if to.write(frameStdin, data) != nil {
			return
		}
		if err != nil {
			to.write(frameEOF, nil)
			return
		}
	}
}

// input is the monitor's side: the container's standard input, or its terminal. Several clients may write to it. The nil
// input takes nothing.
type input struct {
	file     *os.File
	terminal bool

	mu      sync.Mutex
	changed sync.Cond
	queue   []piece
	ended   bool // no more will be written
	gone    bool // nobody will read it
}

// piece is a frame's content, and what to call when it has been written.
type piece struct {
	data []byte
	done func()
}

func newInput(file *os.File, terminal bool) *input {
	i := &input{file: file, terminal: terminal}
	i.changed.L = &i.mu
	go i.copy()
	return i
}

// next waits for a piece; false when there will be none.
func (i *input) next() (p piece, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.queue) == 0 && !i.ended && !i.gone {
		i.changed.Wait()
	}
	if len(i.queue) == 0 {
		return p, false
	}
	p, i.queue = i.queue[0], i.queue[1:]
	return p, true
}

func (i *input) copy() {
	for {
		p, ok := i.next()
		if !ok {
			break
		}
		i.file.Write(p.data) // EPIPE: the container has closed its input; what else comes is for nobody
		p.done()
	}
	if !i.terminal { // a terminal's end is typed, as Ctrl-D
		i.file.Close()
	}
}

// abandon is for the end of the container, which another birth may follow.
func (i *input) abandon() {
	if i == nil {
		return
	}
	i.file.Close() // what is still queued fails from here on
	i.mu.Lock()
	defer i.mu.Unlock()
	i.gone = true
	i.changed.Broadcast()
}

// write takes a frame over, and never waits.
func (i *input) write(data []byte, done func()) {
	if i == nil || !i.add(piece{append([]byte(nil), data...), done}) {
		done()
	}
}

func (i *input) add(p piece) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended || i.gone {
		return false
	}
	i.queue = append(i.queue, p)
	i.changed.Broadcast()
	return true
}

// end closes the container's input after what has been written.
func (i *input) end() {
	if i == nil || i.terminal {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	i.changed.Broadcast()
}
