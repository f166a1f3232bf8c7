package layer

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"runtime"

	"github.com/klauspost/compress/flate"
)

// Compress makes a gzip stream (RFC 1952) on all cores. Level 1 is the fastest, 9 the smallest, 0 what layers usually get:
// fast. The same content and level always give the same bytes, whatever machine it is on and however the content is
// cut into writes: the stream has no time and no name in it, and is made of blocks of a fixed size. Each is deflated on its
// own, but with the 32 kB before it as a dictionary, which is as far as deflate looks back, and ends at a whole byte
// (RFC 1951: with an empty stored block), so that the results can be put one after the other.
//
// Close ends the stream; it does not close w.
func Compress(w io.Writer, level int) io.WriteCloser {
	if level == 0 {
		level = usualLevel
	}
	z := &compressor{w: w, level: min(max(level, 1), 9), done: make(chan struct{}), failed: make(chan struct{})}
	cores := min(runtime.GOMAXPROCS(0), mostCores)
	z.free, z.order = make(chan *piece, 2*cores), make(chan *piece, 2*cores)
	for range 2 * cores {
		z.free <- nil
	}
	z.todo = make(chan *piece, 2*cores)
	for range cores {
		go z.deflate()
	}
	go z.write()
	return z
}

const (
	usualLevel = flate.BestSpeed
	pieceSize  = 1 << 19
	lookBack   = 1 << 15
	mostCores  = 16 // for the sake of memory: some 2 MB a core
)

// compressor cuts what is written to it into pieces. They go to todo, from which any core takes one, and in the order of the
// content to order, from which they are written; then they are free again.
type compressor struct {
	w                 io.Writer
	level             int
	free, todo, order chan *piece
	piece             *piece // that is being filled
	dictionary        []byte
	sum               uint32
	size              uint32 // modulo 2³², as the format wants it
	done, failed      chan struct{}
	err               error // known when failed is closed
}

type piece struct {
	content, dictionary []byte
	last                bool
	deflated            bytes.Buffer
	err                 error
	ready               chan struct{}
}

func (z *compressor) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if z.piece == nil {
			z.begin()
		}
		n := min(len(p), pieceSize-len(z.piece.content))
		z.piece.content = append(z.piece.content, p[:n]...)
		p, written = p[n:], written+n
		if len(z.piece.content) == pieceSize {
			z.dispatch()
		}
		select {
		case <-z.failed:
			return written, z.err
		default:
		}
	}
	return written, nil
}

func (z *compressor) begin() {
	z.piece = <-z.free
	if z.piece == nil {
		z.piece = &piece{content: make([]byte, 0, pieceSize), ready: make(chan struct{}, 1)}
	}
	z.piece.content = z.piece.content[:0]
}

func (z *compressor) dispatch() {
	p := z.piece
	p.dictionary = append(p.dictionary[:0], z.dictionary...)
	z.dictionary = append(z.dictionary[:0], p.content[max(0, len(p.content)-lookBack):]...)
	z.sum = crc32.Update(z.sum, crc32.IEEETable, p.content)
	z.size += uint32(len(p.content))
	z.order <- p
	z.todo <- p
	z.piece = nil
}

// deflate is a core's work.
func (z *compressor) deflate() {
	var f *flate.Writer
	for p := range z.todo {
		p.deflated.Reset()
		if f == nil {
			f, p.err = flate.NewWriterDict(&p.deflated, z.level, p.dictionary)
		} else {
			f.ResetDict(&p.deflated, p.dictionary)
		}
		if p.err == nil {
			_, p.err = f.Write(p.content)
		}
		if p.err == nil && p.last {
			p.err = f.Close()
		} else if p.err == nil {
			p.err = f.Flush()
		}
		p.ready <- struct{}{}
	}
}

func (z *compressor) write() {
	defer close(z.done)
	const unknownSystem = 255
	_, err := z.w.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, unknownSystem})
	for p := range z.order {
		<-p.ready
		if err == nil {
			err = p.err
		}
		if err == nil {
			_, err = z.w.Write(p.deflated.Bytes())
		}
		if err != nil && z.err == nil {
			z.err = err
			close(z.failed)
		}
		z.free <- p
	}
}

// Close writes what is left, and the checksum.
func (z *compressor) Close() error {
	if z.piece == nil {
		z.begin()
	}
	z.piece.last = true
	z.dispatch()
	close(z.todo)
	close(z.order)
	<-z.done
	if z.err != nil {
		return z.err
	}
	trailer := binary.LittleEndian.AppendUint32(nil, z.sum)
	_, err := z.w.Write(binary.LittleEndian.AppendUint32(trailer, z.size))
	return err
}
