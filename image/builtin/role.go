package builtin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sandbox/image/builtin/httpd"
	"sandbox/image/builtin/httpd/port"
	"sandbox/image/builtin/shell"
	"sandbox/image/builtin/stress"
	"sandbox/image/builtin/userland"
	"sandbox/image/registry/server"
)

// IsProgram tells whether the program was started as one of the built-in images' programs: by the name of a link to it.
func IsProgram(name string) bool {
	switch name {
	case "sh", "bash", "-sh", "userland", "hello", port.Name, port.Foreground, "registry", "stress":
		return true
	}
	_, found := userland.Lookup(name)
	return found
}

// RunProgram is the main function of that role.
func RunProgram(args []string) int {
	name := filepath.Base(args[0])
	if name == "userland" && len(args) > 1 { // userland ls -l: as busybox does
		args = args[1:]
		name = filepath.Base(args[0])
	}
	switch name {
	case "sh", "bash", "-sh":
		return shell.Main(args, os.Stdin, os.Stdout, os.Stderr)
	}
	shell.AnyThread()
	switch name {
	case "hello":
		return hello()
	case port.Name, port.Foreground: // it handles its signals itself
		return httpd.Main(args, os.Stdout, os.Stderr)
	case "registry":
		shell.BehaveAsProcessOne()
		return server.Main(args)
	case "stress":
		return stress.Main(args, os.Stdout, os.Stderr)
	}
	run, found := userland.Lookup(name)
	if !found {
		fmt.Fprintf(os.Stderr, "%s: not one of the small commands: %v\n", name, userland.Names())
		return 127
	}
	shell.BehaveAsProcessOne() // as any C program in its place would
	return run(&userland.Process{Args: args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
}

// hello is the whole program of the image `hello`.
func hello() int {
	host, _ := os.Hostname()
	entries, _ := os.ReadDir("/")
	own, _ := os.Executable() // wherever somebody's own image has put it
	top, _, _ := strings.Cut(strings.TrimPrefix(own, "/"), "/")
	fmt.Printf(`Hello from a container!

I am the only file of an image that began FROM scratch, and process %d of this container.
My root directory has %d entries: /%s, and what the kernel was asked to mount.
My host name is %s; the kernel is the host's own.

How did I get here?  sandbox run --rm --explain hello
`, os.Getpid(), len(entries), top, host)
	return 0
}
