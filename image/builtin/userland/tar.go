package userland

import (
	"cmp"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

type tarRequest struct {
	p        *Process
	opts     *options
	action   rune // c, x, t
	operands []string
	dir      string
	verbose  io.Writer
	strip    int
	excludes []string
	archive  fileID
	links    map[fileID]string // names under which a file went into the archive
	last     []func() error    // what waits until all members are there: the times of directories
	code     int
}

func runTar(p *Process) int {
	// The oldest form has no dash: tar xzf FILE.
	if len(p.Args) > 1 && !strings.HasPrefix(p.Args[1], "-") {
		p.Args = expandOldTar(p.Args)
	}
	opts, operands, err := p.options("cxtzjJvf:C:pOkmhaX:!:@:#", map[string]string{"create": "c", "extract": "x", "get": "x",
		"list": "t", "gzip": "z", "verbose": "v", "file": "f", "directory": "C", "preserve-permissions": "p",
		"to-stdout": "O", "exclude": "!", "strip-components": "@", "numeric-owner": "#", "dereference": "h"})
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	t := &tarRequest{p: p, opts: opts, action: opts.last("cxt"), operands: operands, excludes: opts.values('!'),
		dir: opts.value('C'), links: map[fileID]string{}, verbose: io.Discard}
	t.strip, _ = strconv.Atoi(opts.value('@'))
	if opts.has('v') {
		t.verbose = p.Stdout
	}
	file := cmp.Or(opts.value('f'), "-")
	switch t.action {
	case 'c':
		err = t.create(file)
	case 'x', 't':
		err = t.read(file)
	default:
		err = errors.New("you must specify one of the '-cxt' options")
	}
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	return t.code
}

// expandOldTar makes `tar czf a.tar.gz b` into `tar -c -z -f a.tar.gz b`.
func expandOldTar(args []string) []string {
	expanded := []string{args[0]}
	rest := args[2:]
	for _, letter := range args[1] {
		expanded = append(expanded, "-"+string(letter))
		if strings.ContainsRune("fCX", letter) && len(rest) > 0 {
			expanded = append(expanded, rest[0])
			rest = rest[1:]
		}
	}
	return append(expanded, rest...)
}

func (t *tarRequest) excluded(name string) bool {
	return slices.ContainsFunc(t.excludes, func(pattern string) bool {
		return fnmatch(pattern, name) || fnmatch(pattern, filepath.Base(name)) || strings.HasPrefix(name, pattern+"/")
	})
}

func (t *tarRequest) fail(format string, args ...any) {
	t.p.Fail(format, args...)
	t.code = 2
}
