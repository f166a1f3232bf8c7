package userland

import (
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// runGzip is gzip, gunzip and zcat: the name says which.
func runGzip(p *Process) int {
	opts, names, err := p.options("cdkfvtl123456789nqrS:", map[string]string{"stdout": "c", "to-stdout": "c", "decompress": "d",
		"uncompress": "d", "keep": "k", "force": "f", "verbose": "v", "test": "t", "fast": "1", "best": "9"})
	if err != nil {
		return p.Fail("%v", err)
	}
	g := &gzipRequest{p: p, decompress: opts.has('d') || opts.has('t'), stdout: opts.has('c'), keep: opts.has('k'),
		force: opts.has('f'), test: opts.has('t'), level: gzip.DefaultCompression}
	switch filepath.Base(p.Args[0]) {
	case "gunzip":
		g.decompress = true
	case "zcat":
		g.decompress, g.stdout = true, true
	}
	if level := opts.last("123456789"); level != 0 {
		g.level = int(level - '0')
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	code := 0
	for _, name := range names {
		if err := g.file(name); err != nil {
			code = p.Fail("%s: %s", cmp.Or(strings.TrimPrefix(name, "-"), "stdin"), causeText(err))
		}
	}
	return code
}

type gzipRequest struct {
	p                                     *Process
	decompress, stdout, keep, force, test bool
	level                                 int
}

// file replaces a file by its compressed form, or the other way round.
func (g *gzipRequest) file(name string) error {
	in, err := g.p.openInput(name)
	if err != nil {
		return err
	}
	defer in.Close()
	switch {
	case g.test:
		return g.convert(io.Discard, in)
	case name == "-" || g.stdout:
		if _, _, terminal := terminalSize(g.p.Stdout); terminal && !g.decompress && !g.force {
			return errors.New("compressed data not written to a terminal")
		}
		return g.convert(g.p.Stdout, in)
	}
	target := name + ".gz"
	if g.decompress {
		base, ok := strings.CutSuffix(name, ".gz")
		if tarBase, isTgz := strings.CutSuffix(name, ".tgz"); isTgz {
			base, ok = tarBase+".tar", true
		}
		if !ok {
			return errors.New("unknown suffix -- ignored")
		}
		target = base
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if g.force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(target, flags, info.Mode().Perm())
	if err != nil {
		return fmt.Errorf("%s: %s", target, causeText(err))
	}
	err = errors.Join(g.convert(out, in), out.Close())
	if err != nil {
		os.Remove(target)
		return err
	}
	os.Chtimes(target, info.ModTime(), info.ModTime())
	if g.keep {
		return nil
	}
	return os.Remove(name)
}

func (g *gzipRequest) convert(out io.Writer, in io.Reader) error {
	if g.decompress {
		reader, err := gzip.NewReader(in)
		if err != nil {
			return errors.New("not in gzip format")
		}
		_, err = io.Copy(out, reader)
		return err
	}
	writer, err := gzip.NewWriterLevel(out, g.level)
	if err != nil {
		return err
	}
	_, err = io.Copy(writer, in)
	return errors.Join(err, writer.Close())
}
