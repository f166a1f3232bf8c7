// Sandbox is a container runtime, a course, and an explanation of both.
//
// One program, several roles: the name that it was started under says which. Some are taken over even before main,
// see package early.
package main

import (
	"os"
	"path/filepath"

	"sandbox/image/builtin"
	"sandbox/kernel/container"
	"sandbox/kernel/early"
	"sandbox/labs"
)

func main() {
	switch name := filepath.Base(os.Args[0]); {
	case early.Born != nil:
		os.Exit(container.RunMonitor(early.Born))
	case name == early.InitName || os.Args[0] == container.InitPath:
		os.Exit(container.RunInit(os.Args))
	case name == early.FilesName:
		os.Exit(container.RunFiles())
	case builtin.IsProgram(name):
		os.Exit(builtin.RunProgram(os.Args))
	}
	os.Exit(labs.Main(os.Args[1:]))
}
