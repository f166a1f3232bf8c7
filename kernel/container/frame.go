package container

import (
	"encoding/binary"
	"io"
	"sync"
)

// The client and the monitor talk in frames over a socket: a byte that says what it is, four bytes for the length
// (big-endian), the content.
//
//	client → monitor                          monitor → client
//	i  bytes for standard input               o  bytes of standard output (or of the terminal)
//	c  standard input has ended               e  bytes of standard error
//	w  window size: rows, columns (16 bits)   r  the container is running, and is recorded as such
//	s  a signal's number (8 bits)             t  something was done: a kernel.Record as JSON
//	d  the user leaves, and it shall go on    k  one frame of input has been written: there is room for another
//	                                          m  so many bytes (64 bits) of output are missing here
//	                                          x  it has ended and is cleaned up: the exit code (32 bits), an End as JSON
//	                                          f  it could not be looked after, and was ended: why
const (
	frameStdin   = 'i'
	frameEOF     = 'c'
	frameWindow  = 'w'
	frameSignal  = 's'
	frameDetach  = 'd'
	frameStdout  = 'o'
	frameStderr  = 'e'
	frameReady   = 'r'
	frameTell    = 't'
	frameWritten = 'k'
	frameMissed  = 'm'
	frameExit    = 'x'
	frameFailed  = 'f'
)

// maxFrame bounds what one frame may hold.
const maxFrame = 1 << 20

// frameWriter writes the client's frames, each whole; several goroutines may use it.
type frameWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (f *frameWriter) write(kind byte, content []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	frame := make([]byte, 5+len(content))
	frame[0] = kind
	binary.BigEndian.PutUint32(frame[1:], uint32(len(content)))
	copy(frame[5:], content)
	_, err := f.w.Write(frame)
	return err
}

// readFrame reads one frame; its content is valid until the next.
func readFrame(r io.Reader, buffer []byte) (kind byte, content, grown []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, buffer, err
	}
	n := int(binary.BigEndian.Uint32(head[1:]))
	if n > maxFrame {
		return 0, nil, buffer, io.ErrUnexpectedEOF
	}
	if cap(buffer) < n {
		buffer = make([]byte, n)
	}
	content = buffer[:n]
	_, err = io.ReadFull(r, content)
	return head[0], content, buffer, err
}
