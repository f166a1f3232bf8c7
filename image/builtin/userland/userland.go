// Package userland holds the small programs of the built-in image `base`: ls, ps, ip, ping and their like.
//
// One file is one command, and every command is a function of a Process. The program that holds them looks at the
// name it was started under, as busybox does: /bin/ls in the image is a link to this very binary.
//
// These are programs that run inside containers, on the learner's behalf. That is why this package, alone outside
// kernel/, may call mutating system calls (mount, unlink, kill …) without going through the door: what a program in a
// container does is not a change that the runtime makes.
package userland

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Process is what a command sees of the world besides the kernel.
type Process struct {
	Args   []string // Args[0] is the command's name, as typed
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Command runs one small program and returns its exit code.
type Command func(p *Process) int

// Lookup finds the command that goes by the last element of path.
func Lookup(path string) (Command, bool) {
	name := filepath.Base(path)
	i, found := slices.BinarySearchFunc(commands, name, func(e entry, name string) int {
		return strings.Compare(e.name, name)
	})
	if !found {
		return nil, false
	}
	return commands[i].run, true
}

// Names lists all commands, sorted.
func Names() []string {
	names := make([]string, len(commands))
	for i, c := range commands {
		names[i] = c.name
	}
	return names
}

// entry is a line of the table in commands.go, which is sorted by name.
type entry struct {
	name string
	run  Command
}

// Fail reports a command's error as Unix programs do, "ls: /x: no such file or directory", and returns exit code 1.
func (p *Process) Fail(format string, args ...any) int {
	fmt.Fprintf(p.Stderr, "%s: %s\n", filepath.Base(p.Args[0]), fmt.Sprintf(format, args...))
	return 1
}
