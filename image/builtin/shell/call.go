package shell

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/interp"
)

// beforeCall sees every command's words, expanded, before it is decided whether they name a function, a builtin or a
// program. What it returns is run instead.
func (s *Shell) beforeCall(ctx context.Context, args []string) ([]string, error) {
	hc := interp.HandlerCtx(ctx)
	if code := s.takeDueTraps(hc); code != "" {
		return []string{"eval", code + "\n" + callAgain + " " + quoteAll(args)}, nil
	}
	if args[0] == callAgain && len(args) > 1 {
		args = args[1:]
	}
	if s.atLast && !inSubshell(hc) {
		s.atLast = false
		if s.mayReplace(hc, args[0]) {
			return append([]string{callExec}, args...), nil
		}
	}
	return s.choose(ctx, hc, args), nil
}

// choose decides who runs the command where the interpreter's own version is missing or lacks something.
func (s *Shell) choose(ctx context.Context, hc interp.HandlerContext, args []string) []string {
	rest := args[1:]
	switch args[0] {
	case "bg", "disown", "fg", "history", "jobs", "kill", "ulimit", "umask", "wait":
		return append([]string{prefix + args[0]}, rest...)
	case callPlain:
		return rest
	case "builtin", "command":
		if len(rest) > 0 && isOurs(rest[0]) {
			return s.choose(ctx, hc, rest)
		}
	case "set":
		if len(rest) == 0 {
			return []string{prefix + "set"}
		}
	case "logout":
		return append([]string{"exit"}, rest...)
	case "exec":
		if len(rest) > 0 && !inSubshell(hc) {
			return append([]string{"exec", callExec}, rest...)
		}
	case "trap":
		return s.trap(hc, rest)
	case "cd":
		return s.cd(hc, rest)
	case "read":
		return s.read(ctx, hc, rest)
	case "eval":
		return []string{"eval", rewriteText(strings.Join(rest, " "))}
	case ".", "source":
		return s.source(hc, args)
	case "echo", "printf":
		if inSubshell(hc) && nobodyReads(hc.Stdout) {
			return []string{"exit", fmt.Sprint(128 + int(unix.SIGPIPE))}
		}
		if args[0] == "printf" {
			return s.printf(hc, rest)
		}
		if s.runner.Funcs["echo"] == nil {
			return s.echo(hc, rest)
		}
	}
	return args
}

func isOurs(name string) bool {
	switch name {
	case "bg", "cd", "disown", "echo", "fg", "history", "jobs", "kill", "printf", "read", "trap", "ulimit", "umask", "wait":
		return true
	}
	return false
}

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quote(word)
	}
	return strings.Join(quoted, " ")
}

// cd lets the interpreter change the directory if that can work, and otherwise fails in familiar words.
func (s *Shell) cd(hc interp.HandlerContext, args []string) []string {
	if len(args) > 0 && (args[0] == "-L" || args[0] == "-P" || args[0] == "--") {
		args = args[1:]
	}
	if len(args) != 1 || args[0] == "-" {
		if len(args) == 0 && hc.Env.Get("HOME").String() == "" {
			fmt.Fprintf(hc.Stderr, "%s: cd: HOME not set\n", s.name)
			return []string{"false"}
		}
		return append([]string{"cd"}, args...)
	}
	path := args[0]
	if !filepath.IsAbs(path) {
		path = filepath.Join(hc.Dir, path)
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = unix.ENOTDIR
	}
	if err == nil {
		err = unix.Access(path, unix.X_OK)
	}
	if err != nil {
		fmt.Fprintf(hc.Stderr, "%s: cd: %s: %s\n", s.name, args[0], describe(err))
		return []string{"false"}
	}
	return []string{"cd", args[0]}
}

// source rewrites a file's text. The interpreter wants a file, so that the new text becomes one, in memory.
func (s *Shell) source(hc interp.HandlerContext, args []string) []string {
	if len(args) < 2 {
		return args
	}
	path, err := find(hc, args[1])
	if path == "" || err != nil {
		path = args[1] // it need not be executable, nor in $PATH
		if !filepath.IsAbs(path) {
			path = filepath.Join(hc.Dir, path)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		fmt.Fprintf(hc.Stderr, "%s: %s: %s\n", s.name, args[1], describe(err))
		return []string{"false"}
	}
	rewritten := rewriteText(string(text))
	if rewritten == strings.TrimRight(string(text), "\n") {
		return append([]string{args[0], path}, args[2:]...)
	}
	file, err := memoryFile("source", rewritten+"\n")
	if err != nil {
		fmt.Fprintf(hc.Stderr, "%s: %s: %s\n", s.name, args[1], describe(err))
		return []string{"false"}
	}
	s.mu.Lock()
	s.sourced = append(s.sourced, file) // open until the shell ends: the text may source itself again
	s.mu.Unlock()
	return append([]string{args[0], fmt.Sprintf("/proc/self/fd/%d", file.Fd())}, args[2:]...)
}

// memoryFile is a file without a name, at its beginning.
func memoryFile(name, text string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), name)
	if _, err := file.WriteString(text); err != nil {
		return nil, err
	}
	_, err = file.Seek(0, 0)
	return file, err
}

// nobodyReads tells whether a pipe's reader is gone. Where a shell has a process for `while true; do echo y; done |
// head`, SIGPIPE ends it; our goroutine has to look.
func nobodyReads(stdout any) bool {
	f, ok := stdout.(*os.File)
	if !ok {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(f.Fd())}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&unix.POLLERR != 0
}
