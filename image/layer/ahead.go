package layer

import (
	"io"
	"io/fs"
	"sync"
)

// How far a stream is read ahead, or written behind: so far that one side's pause does not become the other's.
const (
	blockSize = 1 << 18
	blocks    = 4
)

// ahead is a stream that a goroutine reads, in blocks, before they are asked for. Blocks go round: from empty to the
// goroutine, from there through full to Read, and back.
type ahead struct {
	full, empty chan []byte
	stop        chan struct{}
	once        sync.Once
	err         error // why the stream ended: written before full is closed
	block, rest []byte
}

// readAhead takes over a stream: it closes it in the end. Errors other than io.EOF go through explain.
func readAhead(source io.ReadCloser, explain func(error) error) *ahead {
	a := &ahead{full: make(chan []byte, blocks), empty: make(chan []byte, blocks), stop: make(chan struct{})}
	for range blocks {
		a.empty <- make([]byte, blockSize)
	}
	go a.fill(source, explain)
	return a
}

// ReadAhead reads a stream in the background, a few blocks ahead of the caller. The result takes over the stream: after
// Close nobody uses it, and it is closed.
func ReadAhead(source io.ReadCloser) io.ReadCloser {
	return readAhead(source, func(err error) error { return err })
}

func (a *ahead) fill(source io.ReadCloser, explain func(error) error) {
	defer close(a.full)
	defer source.Close()
	for a.err == nil {
		var block []byte
		select {
		case <-a.stop:
		case block = <-a.empty:
		}
		if a.stopped() {
			a.err = fs.ErrClosed
			return
		}
		n := 0
		for n < blockSize && a.err == nil { // not io.ReadFull, whose io.ErrUnexpectedEOF could also be the stream's
			var more int
			more, a.err = source.Read(block[n:])
			n += more
		}
		if n > 0 {
			a.full <- block[:n]
		}
	}
	if a.err != io.EOF {
		a.err = explain(a.err)
	}
}

func (a *ahead) stopped() bool {
	select {
	case <-a.stop:
		return true
	default:
		return false
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		if a.block != nil {
			a.empty <- a.block[:blockSize]
			a.block = nil
		}
		block, ok := <-a.full
		if !ok {
			return 0, a.err
		}
		a.block, a.rest = block, block
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Close ends the reading. It waits for a read from the source that is under way: afterwards nobody uses the source.
func (a *ahead) Close() error {
	a.once.Do(func() { close(a.stop) })
	for range a.full {
	}
	a.rest = nil
	return nil
}
