package userland

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// finder walks trees and applies an expression (find_parse.go) to every file.
type finder struct {
	p          *Process
	out        *bufio.Writer
	root       findTest
	min, max   int
	depthFirst bool // what a directory holds comes before it
	oneDevice  bool
	follow     bool
	acts       bool // some test prints or executes; else -print is meant
	batches    []*findBatch
	now        time.Time
	code       int
	stop       bool
}

// found is a file that the walk has come to.
type found struct {
	path  string
	base  string
	start string // the operand under which it lies
	depth int
	info  os.FileInfo
	stat  *syscall.Stat_t
	prune bool
}

// findTest is a part of the expression: a condition or an action.
type findTest func(f *found) bool

func runFind(p *Process) int {
	f := &finder{p: p, out: bufio.NewWriter(p.Stdout), max: math.MaxInt, now: time.Now()}
	defer f.out.Flush()
	args := p.Args[1:]
	for len(args) > 0 && (args[0] == "-H" || args[0] == "-L" || args[0] == "-P") {
		f.follow = args[0] == "-L"
		args = args[1:]
	}
	var paths []string
	for len(args) > 0 && args[0] != "(" && args[0] != "!" && !strings.HasPrefix(args[0], "-") {
		paths = append(paths, args[0])
		args = args[1:]
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	parser := &findParser{finder: f, words: args}
	var err error
	if f.root, err = parser.parse(); err != nil {
		return p.Fail("%v", err)
	}
	for _, path := range paths {
		info, err := f.look(path)
		if err != nil {
			f.fail("'%s': %s", path, causeText(err))
			continue
		}
		f.visit(&found{path: path, base: filepath.Base(path), start: path, info: info}, idOf(info).device)
	}
	for _, batch := range f.batches {
		batch.run()
	}
	return f.code
}

func (f *finder) fail(format string, args ...any) {
	f.out.Flush()
	f.code = f.p.Fail(format, args...)
}

func (f *finder) look(path string) (os.FileInfo, error) {
	if f.follow {
		if info, err := os.Stat(path); err == nil {
			return info, nil
		}
	}
	return os.Lstat(path)
}

func (f *finder) visit(file *found, device uint64) {
	if f.stop {
		return
	}
	file.stat = file.info.Sys().(*syscall.Stat_t)
	if !f.depthFirst {
		f.apply(file)
	}
	if file.info.IsDir() && !file.prune && file.depth < f.max && !f.stop {
		f.descend(file, device)
	}
	if f.depthFirst {
		f.apply(file)
	}
}

func (f *finder) apply(file *found) {
	if file.depth < f.min || f.stop {
		return
	}
	if f.root(file) && !f.acts {
		fmt.Fprintln(f.out, file.path)
	}
}

func (f *finder) descend(dir *found, device uint64) {
	if f.oneDevice && idOf(dir.info).device != device {
		return
	}
	names, err := readNames(dir.path)
	if err != nil {
		f.fail("'%s': %s", dir.path, causeText(err))
	}
	for _, name := range names {
		path := strings.TrimSuffix(dir.path, "/") + "/" + name
		info, err := f.look(path)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // it went away between two looks
				f.fail("'%s': %s", path, causeText(err))
			}
			continue
		}
		f.visit(&found{path: path, base: name, start: dir.start, depth: dir.depth + 1, info: info}, device)
	}
}

func readNames(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}
