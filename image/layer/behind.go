package layer

import "io"

// behind writes blocks in a goroutine of its own, so that whoever makes them need not wait for hashing, compressing and the
// disk.
type behind struct {
	full, empty chan []byte
	block       []byte // that is being filled
	failed      chan struct{}
	done        chan struct{}
	err         error // known when failed is closed
}

func writeBehind(w io.Writer) *behind {
	b := &behind{full: make(chan []byte, blocks), empty: make(chan []byte, blocks), failed: make(chan struct{}), done: make(chan struct{})}
	for range blocks {
		b.empty <- make([]byte, 0, blockSize)
	}
	b.block = <-b.empty
	go func() {
		defer close(b.done)
		for block := range b.full {
			if b.err == nil {
				if _, b.err = w.Write(block); b.err != nil {
					close(b.failed)
				}
			}
			b.empty <- block[:0]
		}
	}()
	return b
}

func (b *behind) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), cap(b.block)-len(b.block))
		b.block = append(b.block, p[:n]...)
		p, written = p[n:], written+n
		if len(b.block) < cap(b.block) {
			continue
		}
		b.full <- b.block
		b.block = <-b.empty
		select {
		case <-b.failed:
			return written, b.err
		default:
		}
	}
	return written, nil
}

// Close writes what is left, and waits until everything is written.
func (b *behind) Close() error {
	b.full <- b.block
	close(b.full)
	<-b.done
	return b.err
}
