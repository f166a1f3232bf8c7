package userland

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

func runEnv(p *Process) int {
	opts, words, err := p.options("+iu:C:0S:", map[string]string{"ignore-environment": "i", "unset": "u", "chdir": "C", "null": "0", "split-string": "S"})
	if err != nil {
		p.Fail("%v", err)
		return 125
	}
	if opts.has('S') { // #!/usr/bin/env -S program with arguments
		split, err := quotedWords(opts.value('S'))
		if err != nil {
			p.Fail("%v", err)
			return 125
		}
		words = append(split, words...)
	}
	if len(words) > 0 && words[0] == "-" {
		opts.add('i', "")
		words = words[1:]
	}
	if opts.has('i') {
		os.Clearenv()
	}
	for _, name := range opts.values('u') {
		os.Unsetenv(name)
	}
	for len(words) > 0 && strings.Contains(words[0], "=") {
		name, value, _ := strings.Cut(words[0], "=")
		os.Setenv(name, value)
		words = words[1:]
	}
	if len(words) == 0 {
		end := "\n"
		if opts.has('0') {
			end = "\x00"
		}
		for _, entry := range os.Environ() {
			fmt.Fprint(p.Stdout, entry, end)
		}
		return 0
	}
	if opts.has('C') {
		if err := os.Chdir(opts.value('C')); err != nil {
			p.Fail("cannot change directory to '%s': %s", opts.value('C'), causeText(err))
			return 125
		}
	}
	return p.turnInto(words)
}

func runPrintenv(p *Process) int {
	_, names, err := p.options("0", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 0 {
		for _, entry := range os.Environ() {
			fmt.Fprintln(p.Stdout, entry)
		}
	}
	code := 0
	for _, name := range names {
		value, ok := os.LookupEnv(name)
		if !ok {
			code = 1
			continue
		}
		fmt.Fprintln(p.Stdout, value)
	}
	return code
}

// turnInto replaces this process by a program, as env, nice and nohup do, with their way to say that it cannot.
func (p *Process) turnInto(argv []string) int {
	path, err := findProgram(argv[0])
	if _, ok := os.LookupEnv("PATH"); !ok {
		// `env -i ls` finds ls all the same: without $PATH the C library looks here.
		if paths := programsCalled(argv[0], "/bin:/usr/bin"); len(paths) > 0 {
			path, err = paths[0], nil
		}
	}
	if err == nil {
		err = syscall.Exec(path, argv, os.Environ())
	}
	p.Fail("'%s': %s", argv[0], causeText(err))
	if errors.Is(err, fs.ErrNotExist) {
		return 127
	}
	return 126
}
