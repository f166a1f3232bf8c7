package container

import (
	"io"
	"os"
)

// Input goes from the client to the container in frames, at most inputFrames of which are under way: for each one that
// the monitor has written into the container's pipe it says so (frameWritten). So neither of them ever waits for a
// container that does not read its input, and a signal is never stuck behind data.

// inputFrames is how many frames of input may be under way, and inputFrame how large one may be.
const (
	inputFrames = 8
	inputFrame  = 32 << 10
)

// sendInput is the client's side: it reads our input when there is room for it.
func sendInput(from io.Reader, to *frameWriter, room chan<- struct{}) {
	buffer := make([]byte, inputFrame)
	room <- struct{}{}
	if to.write(frameStdin, nil) != nil { // says that there will be input, so that its end is noticed when we are killed
		return
	}
	for {
		room <- struct{}{}
		n, err := from.Read(buffer)
		if to.write(frameStdin, buffer[:n]) != nil {
			return
		}
		if err != nil {
			to.write(frameEOF, nil)
			return
		}
	}
}

// input is the monitor's side: the container's standard input, or its terminal. The nil input takes nothing.
type input struct {
	file     *os.File
	terminal bool
	queue    chan piece
	ended    chan struct{} // no more will be written
	gone     chan struct{} // nobody will read it
}

// piece is a frame's content, and what to call when it has been written.
type piece struct {
	data []byte
	done func()
}

func newInput(file *os.File, terminal bool) *input {
	i := &input{file: file, terminal: terminal, queue: make(chan piece, 2*inputFrames), ended: make(chan struct{}), gone: make(chan struct{})}
	go i.copy()
	return i
}

func (i *input) copy() {
	for {
		select {
		case p, more := <-i.queue:
			if more {
				i.file.Write(p.data) // EPIPE: the container has closed its input; what else comes is for nobody
				p.done()
				continue
			}
			if !i.terminal { // a terminal's end is typed, as Ctrl-D
				i.file.Close()
			}
			return
		case <-i.gone:
			return
		}
	}
}

// abandon is for the end of the container, which another birth may follow.
func (i *input) abandon() {
	if i == nil {
		return
	}
	i.file.Close()
	close(i.gone)
}

// write takes a frame over. It waits only for a client that sends more than it was told to.
func (i *input) write(data []byte, done func()) {
	if i == nil {
		done()
		return
	}
	select {
	case <-i.ended:
	default:
		select {
		case i.queue <- piece{append([]byte(nil), data...), done}:
		case <-i.gone:
			done()
		}
	}
}

// end closes the container's input after what has been written. It is called by the one who writes.
func (i *input) end() {
	if i == nil {
		return
	}
	select {
	case <-i.ended:
	default:
		close(i.ended)
		close(i.queue)
	}
}
