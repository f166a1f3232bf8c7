package userland

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// copyRequest is the command line of dd, operands like bs=1M.
type copyRequest struct {
	input, output      string
	inBlock, outBlock  int64
	count, skip, seek  int64 // in blocks; a count of -1 is until the end
	countBytes         bool
	conv, iflag, oflag []string
	status             string
	inFull, inPart     int64 // whole and partial blocks, for the report
	outFull, outPart   int64
	bytes              int64
	started            time.Time
}

func runDd(p *Process) int {
	r := &copyRequest{inBlock: 512, outBlock: 512, count: -1}
	for _, arg := range p.Args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		if err := r.set(name, value); err != nil {
			return p.Fail("%v", err)
		}
	}
	in, err := r.openIn(p)
	if err != nil {
		return p.Fail("failed to open '%s': %s", r.input, causeText(err))
	}
	out, err := r.openOut(p)
	if err != nil {
		return p.Fail("failed to open '%s': %s", r.output, causeText(err))
	}
	r.started = time.Now()
	stop := r.reportOnRequest(p)
	err = r.copy(p, in, out)
	stop()
	if err == nil {
		err = r.flush(out)
	}
	if r.status != "none" {
		if r.status == "progress" {
			fmt.Fprintln(p.Stderr)
		}
		r.report(p.Stderr)
	}
	if err != nil {
		return p.Fail("%v", err)
	}
	return 0
}

func (r *copyRequest) set(name, value string) error {
	var number *int64
	switch name {
	case "if":
		r.input = value
	case "of":
		r.output = value
	case "conv":
		r.conv = strings.Split(value, ",")
	case "iflag":
		r.iflag = strings.Split(value, ",")
		r.countBytes = slices.Contains(r.iflag, "count_bytes")
	case "oflag":
		r.oflag = strings.Split(value, ",")
	case "status":
		r.status = value
	case "bs":
		n, err := blockSize(value)
		r.inBlock, r.outBlock = n, n
		return err
	case "ibs":
		number = &r.inBlock
	case "obs":
		number = &r.outBlock
	case "count":
		if strings.HasSuffix(value, "B") {
			r.countBytes = true
			value = strings.TrimSuffix(value, "B")
		}
		number = &r.count
	case "skip", "iseek":
		number = &r.skip
	case "seek", "oseek":
		number = &r.seek
	default:
		return fmt.Errorf("unrecognized operand '%s=%s'", name, value)
	}
	if number == nil {
		return nil
	}
	n, err := parseSize(value)
	*number = n
	return err
}

func blockSize(text string) (int64, error) {
	n, err := parseSize(text)
	if err == nil && n == 0 {
		err = fmt.Errorf("invalid number: '%s'", text)
	}
	return n, err
}

func openFlags(names []string) int {
	flags := 0
	for _, name := range names {
		switch name {
		case "direct":
			flags |= unix.O_DIRECT
		case "sync":
			flags |= unix.O_SYNC
		case "dsync":
			flags |= unix.O_DSYNC
		case "append":
			flags |= unix.O_APPEND
		case "nonblock":
			flags |= unix.O_NONBLOCK
		case "nofollow":
			flags |= unix.O_NOFOLLOW
		}
	}
	return flags
}

func (r *copyRequest) openIn(p *Process) (io.Reader, error) {
	in := p.Stdin
	if r.input != "" {
		f, err := os.OpenFile(r.input, os.O_RDONLY|openFlags(r.iflag), 0)
		if err != nil {
			return nil, err
		}
		in = f
	}
	if r.skip > 0 {
		if f, ok := in.(*os.File); ok {
			if _, err := f.Seek(r.skip*r.inBlock, io.SeekCurrent); err == nil {
				return in, nil
			}
		}
		_, err := io.CopyN(io.Discard, in, r.skip*r.inBlock)
		if err != nil && err != io.EOF {
			return nil, err
		}
	}
	return in, nil
}

func (r *copyRequest) openOut(p *Process) (io.Writer, error) {
	if r.output == "" {
		return p.Stdout, nil
	}
	flags := os.O_WRONLY | openFlags(r.oflag)
	if !slices.Contains(r.conv, "nocreat") {
		flags |= os.O_CREATE
	}
	if slices.Contains(r.conv, "excl") {
		flags |= os.O_EXCL
	}
	if !slices.Contains(r.conv, "notrunc") && r.seek == 0 && !slices.Contains(r.oflag, "append") {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(r.output, flags, 0o666)
	if err != nil || r.seek == 0 {
		return f, err
	}
	if !slices.Contains(r.conv, "notrunc") {
		f.Truncate(r.seek * r.outBlock) // a device cannot be cut, and need not be
	}
	_, err = f.Seek(r.seek*r.outBlock, io.SeekStart)
	return f, err
}

// copy moves block after block. A short read, from a pipe say, is a partial block and is written as it is.
func (r *copyRequest) copy(p *Process, in io.Reader, out io.Writer) error {
	buffer := alignedBuffer(r.inBlock)
	full := slices.Contains(r.iflag, "fullblock") || readsWhole(in)
	limit := r.count
	if r.count >= 0 && !r.countBytes {
		limit = r.count * r.inBlock
	}
	blocks := int64(0)
	shown := time.Now()
	for r.count < 0 || !r.countBytes && blocks < r.count || r.countBytes && r.bytes < limit {
		want := buffer
		if r.countBytes && r.count >= 0 {
			want = buffer[:min(r.inBlock, limit-r.bytes)]
		}
		var n int
		var err error
		if full {
			n, err = io.ReadFull(in, want)
		} else {
			n, err = in.Read(want)
		}
		blocks++
		if n > 0 {
			if err := r.write(out, want[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF || n == 0 && err == nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("error reading '%s': %s", cmp.Or(r.input, "standard input"), causeText(err))
		}
		if r.status == "progress" && time.Since(shown) >= time.Second {
			shown = time.Now()
			fmt.Fprintf(p.Stderr, "\r%s", r.summary())
		}
	}
	return nil
}

// readsWhole tells whether in gives what it is asked for: a file or a device, not a pipe or a terminal. A short read of
// such is none of its doing: Go interrupts its threads by signals, and /dev/zero then stops in the middle.
func readsWhole(in io.Reader) bool {
	file, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 && !term.IsTerminal(int(file.Fd()))
}

// alignedBuffer begins on a page, as O_DIRECT requires.
func alignedBuffer(size int64) []byte {
	memory, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return make([]byte, size)
	}
	return memory
}

func (r *copyRequest) write(out io.Writer, block []byte) error {
	if int64(len(block)) == r.inBlock {
		r.inFull++
	} else {
		r.inPart++
	}
	if slices.Contains(r.conv, "sync") && int64(len(block)) < r.inBlock {
		block = append(slices.Clone(block), make([]byte, r.inBlock-int64(len(block)))...)
	}
	n, err := out.Write(block)
	r.bytes += int64(n)
	r.outFull += int64(n) / r.outBlock
	if int64(n)%r.outBlock != 0 {
		r.outPart++
	}
	if err != nil {
		return fmt.Errorf("error writing '%s': %s", cmp.Or(r.output, "standard output"), causeText(err))
	}
	return nil
}

func (r *copyRequest) flush(out io.Writer) error {
	f, ok := out.(*os.File)
	if ok && (slices.Contains(r.conv, "fsync") || slices.Contains(r.conv, "fdatasync")) {
		if err := f.Sync(); err != nil {
			return fmt.Errorf("fsync failed for '%s': %s", cmp.Or(r.output, "standard output"), causeText(err))
		}
	}
	return nil
}
