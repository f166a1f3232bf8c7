package userland

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"strings"
	"time"
)

func runTail(p *Process) int {
	p.dashNumber("n")
	opts, names, err := p.options("n:c:fFqvs:", map[string]string{"lines": "n", "bytes": "c", "follow": "f", "quiet": "q",
		"silent": "q", "verbose": "v", "sleep-interval": "s"})
	if err != nil {
		return p.Fail("%v", err)
	}
	unit, text := 'n', "10"
	if last := opts.last("nc"); last != 0 {
		unit, text = last, opts.value(last)
	}
	text, fromStart := strings.CutPrefix(text, "+")
	count, err := parseSize(strings.TrimPrefix(text, "-"))
	if err != nil {
		return p.Fail("%v", err)
	}
	titles := &titlePrinter{out: p.Stdout, show: opts.has('v') || len(names) > 1 && !opts.has('q')}
	var followed []*followedFile
	code := p.eachInput(names, func(name string, in io.Reader) error {
		titles.print(name)
		var err error
		if fromStart {
			err = printFrom(p.Stdout, in, unit, count)
		} else {
			err = printLast(p.Stdout, in, unit, count)
		}
		followed = append(followed, &followedFile{name: name})
		return err
	})
	if opts.last("fF") != 0 && len(followed) > 0 {
		return p.follow(followed, titles)
	}
	return code
}

// printFrom is tail -n +5: from the fifth line on.
func printFrom(out io.Writer, in io.Reader, unit rune, count int64) error {
	reader := bufio.NewReader(in)
	for range count - 1 {
		var err error
		if unit == 'c' {
			_, err = reader.ReadByte()
		} else {
			_, err = reader.ReadString('\n')
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	_, err := io.Copy(out, reader)
	return err
}

func printLast(out io.Writer, in io.Reader, unit rune, count int64) error {
	if f, ok := in.(*os.File); ok {
		skipMost(f, unit, count)
	}
	data, err := io.ReadAll(in)
	if unit == 'c' {
		data = data[max(0, int64(len(data))-count):]
	} else {
		data = lastLines(data, count)
	}
	out.Write(data)
	return err
}

// skipMost avoids reading gigabytes for ten lines: where a file's last part has enough lines, reading begins there.
func skipMost(f *os.File, unit rune, count int64) {
	const part = 1 << 20
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return // a pipe
	}
	wanted := int64(part)
	if unit == 'c' {
		wanted = count
	}
	start := max(0, size-wanted)
	if unit == 'n' && start > 0 {
		buffer := make([]byte, part)
		n, _ := f.ReadAt(buffer, start)
		if int64(bytes.Count(buffer[:n], []byte("\n"))) <= count {
			start = 0
		}
	}
	f.Seek(start, io.SeekStart)
}

// followedFile is what tail -f knows of a file between two looks.
type followedFile struct {
	name string
	file *os.File
	id   fileID
}

// follow prints what is added to the files, for ever. A file that becomes shorter is read from its beginning; one that is
// replaced by another of its name is opened anew.
func (p *Process) follow(files []*followedFile, titles *titlePrinter) int {
	for _, f := range files {
		if f.name == "-" {
			io.Copy(p.Stdout, p.Stdin)
			continue
		}
		if f.open() == nil {
			f.file.Seek(0, io.SeekEnd)
		}
	}
	last := files[len(files)-1]
	for {
		for _, f := range files {
			data := f.readNew()
			if len(data) == 0 {
				continue
			}
			if f != last {
				titles.print(f.name)
				last = f
			}
			if _, err := p.Stdout.Write(data); err != nil {
				return 1
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (f *followedFile) open() (err error) {
	f.file, err = os.Open(f.name)
	if err == nil {
		f.id, err = identify(f.file)
	}
	return err
}

func (f *followedFile) readNew() []byte {
	if f.name == "-" {
		return nil
	}
	if f.file == nil && f.open() != nil {
		return nil
	}
	if info, err := f.file.Stat(); err == nil {
		if at, err := f.file.Seek(0, io.SeekCurrent); err == nil && info.Size() < at {
			f.file.Seek(0, io.SeekStart)
		}
	}
	data, _ := io.ReadAll(f.file)
	if len(data) == 0 && f.replaced() {
		f.file.Close()
		f.file = nil
	}
	return data
}

func (f *followedFile) replaced() bool {
	info, err := os.Stat(f.name)
	return err == nil && idOf(info) != f.id
}
