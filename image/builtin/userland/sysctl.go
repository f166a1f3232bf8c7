package userland

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// sysctlCall is one call of sysctl.
type sysctlCall struct {
	*Process
	out                        *bufio.Writer
	valuesOnly, quiet, lenient bool
	code                       int
}

// runSysctl shows and sets the kernel's parameters: the files below /proc/sys, with dots for slashes. Those of net.* and
// some of kernel.* belong to a namespace.
func runSysctl(p *Process) int {
	opts, words, err := p.options("aAnwqep::N", map[string]string{
		"all": "a", "values": "n", "write": "w", "quiet": "q", "ignore": "e", "load": "p",
	})
	if err != nil {
		return p.Fail("%v", err)
	}
	c := &sysctlCall{Process: p, out: bufio.NewWriter(p.Stdout), valuesOnly: opts.has('n'), quiet: opts.has('q'), lenient: opts.has('e')}
	defer c.out.Flush()
	switch {
	case opts.has('a') || opts.has('A'):
		c.showAll()
	case opts.has('p'):
		c.load(append(words, opts.value('p')))
	case len(words) == 0:
		return p.Fail("usage: sysctl [-n] [-q] -a | -p [FILE] | NAME… | [-w] NAME=VALUE…")
	}
	if !opts.has('p') {
		for _, word := range words {
			c.showOrSet(word)
		}
	}
	return c.code
}

func (c *sysctlCall) showOrSet(word string) {
	name, value, isSetting := strings.Cut(word, "=")
	if isSetting {
		c.set(strings.TrimSpace(name), strings.TrimSpace(value))
		return
	}
	info, err := os.Stat(sysctlPath(word))
	switch {
	case err != nil:
		c.complain("cannot stat %s: %s", sysctlPath(word), causeText(err))
	case info.IsDir():
		c.showBelow(sysctlPath(word))
	default:
		c.show(sysctlPath(word), true)
	}
}

// complain reports a problem and goes on with the next parameter.
func (c *sysctlCall) complain(format string, args ...any) {
	if c.lenient {
		return
	}
	c.out.Flush()
	c.code = c.Fail(format, args...)
}

// sysctlPath exchanges dots and slashes: net.ipv4.conf.eth0/5.forwarding has a dot in the interface's name.
func sysctlPath(name string) string {
	if strings.IndexByte(name, '/') >= 0 && (strings.IndexByte(name, '.') < 0 || strings.IndexByte(name, '/') < strings.IndexByte(name, '.')) {
		return "/proc/sys/" + name
	}
	return "/proc/sys/" + strings.NewReplacer(".", "/", "/", ".").Replace(name)
}

func sysctlName(path string) string {
	return strings.NewReplacer(".", "/", "/", ".").Replace(strings.TrimPrefix(path, "/proc/sys/"))
}

func (c *sysctlCall) showAll() { c.showBelow("/proc/sys") }

func (c *sysctlCall) showBelow(dir string) {
	filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			c.show(path, false)
		}
		return nil // what may not be read is left out
	})
}

// show prints a parameter, with its name before every line of its value.
func (c *sysctlCall) show(path string, asked bool) {
	if info, err := os.Stat(path); err == nil && info.Mode()&0o444 == 0 {
		return // made to be written only
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		c.complain("permission denied on key '%s'", sysctlName(path))
		return
	case err != nil:
		if asked {
			c.complain("reading key \"%s\": %s", sysctlName(path), causeText(err))
		}
		return
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	for _, line := range lines {
		if c.valuesOnly {
			fmt.Fprintln(c.out, line)
		} else {
			fmt.Fprintf(c.out, "%s = %s\n", sysctlName(path), line)
		}
	}
}

func (c *sysctlCall) set(name, value string) {
	path := sysctlPath(name)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString(value + "\n")
		err = errors.Join(err, file.Close())
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.complain("cannot stat %s: No such file or directory", path)
	case errors.Is(err, fs.ErrPermission):
		c.complain("permission denied on key \"%s\"", name)
	case err != nil:
		var errno syscall.Errno
		errors.As(err, &errno)
		c.complain("setting key \"%s\": %s", name, causeText(errno))
	case !c.quiet && c.valuesOnly:
		fmt.Fprintln(c.out, value)
	case !c.quiet:
		fmt.Fprintf(c.out, "%s = %s\n", sysctlName(path), value)
	}
}

// load sets what a file such as /etc/sysctl.conf says.
func (c *sysctlCall) load(files []string) {
	for _, file := range files {
		if file == "" {
			if len(files) > 1 {
				continue
			}
			file = "/etc/sysctl.conf"
		}
		text, err := os.ReadFile(file)
		if err != nil {
			c.complain("cannot open \"%s\": %s", file, causeText(err))
			continue
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if name, value, ok := strings.Cut(line, "="); ok && line[0] != '#' && line[0] != ';' {
				c.set(strings.TrimSpace(name), strings.TrimSpace(value))
			}
		}
	}
}
