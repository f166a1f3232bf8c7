package layer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// contents writes files' contents and attributes on other cores, while the archive is being read on. Names are no concern of
// it: a file has been made, in its turn, when it comes here, and is reached by its descriptor only; whether it gets further
// names or loses its own meanwhile makes no difference to it.
type contents struct {
	finish  func(*content) error // sets attributes
	pieces  chan written
	free    chan []byte
	workers sync.WaitGroup

	mu     sync.Mutex
	err    error       // the first
	failed atomic.Bool // there is one
}

// content is a file that is being written.
type content struct {
	fd   int
	name string
	size int64
	mode uint32 // that it was made with
	attributes
	left    atomic.Int32 // pieces to be written, and one for those to come
	holes   atomic.Bool
	partial bool // the archive ended in the middle
}

// written is a piece of a file.
type written struct {
	file   *content
	offset int64
	data   []byte
}

const mostWriters = 4

func newContents(finish func(*content) error) *contents {
	const buffers = 16
	c := &contents{finish: finish, pieces: make(chan written, buffers), free: make(chan []byte, buffers)}
	for range buffers {
		c.free <- nil
	}
	for range min(runtime.GOMAXPROCS(0), mostWriters) {
		c.workers.Go(c.work)
	}
	return c
}

// add takes over an open file and reads its content.
func (c *contents) add(file *content, source io.Reader) error {
	file.left.Store(1)
	var err error
	for offset := int64(0); offset < file.size && err == nil; {
		buffer := <-c.free
		if buffer == nil {
			buffer = make([]byte, blockSize)
		}
		data := buffer[:min(int64(len(buffer)), file.size-offset)]
		if _, err = io.ReadFull(source, data); err != nil {
			file.partial = true
			c.free <- buffer
			break
		}
		file.left.Add(1)
		c.pieces <- written{file, offset, data}
		offset += int64(len(data))
	}
	c.release(file)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (c *contents) work() {
	for p := range c.pieces {
		if !c.failed.Load() {
			c.note(p.file, p.write())
		}
		c.free <- p.data[:cap(p.data)]
		c.release(p.file)
	}
}

// release gives up a piece; the last one ends the file.
func (c *contents) release(file *content) {
	if file.left.Add(-1) > 0 {
		return
	}
	if !file.partial && !c.failed.Load() {
		c.note(file, c.finish(file))
	}
	if err := unix.Close(file.fd); err != nil {
		c.note(file, err)
	}
}

func (c *contents) note(file *content, err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = fmt.Errorf("cannot unpack %s: %w", quoted(file.name), err)
		c.failed.Store(true)
	}
}

// close waits until all is written. Nothing may be added any more.
func (c *contents) close() error {
	close(c.pieces)
	c.workers.Wait()
	return c.err
}

// holeSize: as many zeros, aligned, are not written; reading what was never written gives zeros. Archives do not tell apart
// zeros and holes, or do and the reader of archives fills them in.
const holeSize = 1 << 14

func (p written) write() error {
	for from := 0; from < len(p.data); {
		to := from
		for to < len(p.data) && !isHole(p.data[to:min(to+holeSize, len(p.data))]) {
			to = min(to+holeSize, len(p.data))
		}
		if to > from {
			if err := writeAll(p.file.fd, p.data[from:to], p.offset+int64(from)); err != nil {
				return err
			}
		}
		if to < len(p.data) {
			p.file.holes.Store(true)
			to = min(to+holeSize, len(p.data))
		}
		from = to
	}
	return nil
}

func isHole(data []byte) bool {
	return len(data) == holeSize && data[0] == 0 && bytes.Equal(data[1:], data[:len(data)-1])
}

func writeAll(fd int, data []byte, offset int64) error {
	for len(data) > 0 {
		n, err := unix.Pwrite(fd, data, offset)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return errors.New("nothing was written")
		}
		data, offset = data[n:], offset+int64(n)
	}
	return nil
}
