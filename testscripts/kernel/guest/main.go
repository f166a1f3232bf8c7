// Guest is the first process of the virtual machine in which the tests of package kernel run. It makes of a bare kernel
// what a distribution's init would: file systems, modules, control groups, swap. Then it runs the tests, and switches off.
package main

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "tests" {
		if err := runTests(); err != nil {
			fmt.Println("guest:", err)
			os.Exit(1)
		}
		return
	}
	if err := prepare(); err != nil {
		fmt.Println("guest:", err)
	} else if err := startTests(); err != nil {
		fmt.Println("guest:", err)
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// prepare makes the machine, step by step.
func prepare() error {
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"root file system", leaveInitramfs},
		{"file systems", mountAll},
		{"files", writeFiles},
		{"modules", loadModules},
		{"loopback interface", loopbackUp},
		{"control groups", makeGroups},
		{"swap", startSwap},
		{"disk", mountDisk},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		say("%s", step.name)
	}
	return nil
}

// say writes a line to the console, with the time since the machine was switched on.
func say(format string, args ...any) {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &now)
	fmt.Printf("guest: %6.1f s  %s\n", float64(now.Nano())/1e9, fmt.Sprintf(format, args...))
}

// startTests runs the tests in a child, and reaps whatever else ends meanwhile: orphans are the first process's.
func startTests() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "tests")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	for {
		pid, err := unix.Wait4(-1, nil, 0, nil)
		if pid == cmd.Process.Pid || err == unix.ECHILD {
			return nil
		}
	}
}
