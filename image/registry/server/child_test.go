package server

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// childMain is what a child of the tests does: it is the program of the image `registry`, with a small disk if asked for.
func childMain(role string) int {
	if role == "small disk" {
		dir := os.Getenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
		err := errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 77 // cannot be had here
		}
	}
	return Main([]string{"registry", "serve"})
}

// child is a registry in a process of its own.
type child struct {
	*world
	process *exec.Cmd
}

// startChild starts one over a directory.
func startChild(t testing.TB, dir, role string) *child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "REGISTRY_TEST_ROLE="+role, "REGISTRY_HTTP_ADDR=127.0.0.1:0",
		"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY="+dir, "REGISTRY_STORAGE_DELETE_ENABLED=true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if role == "small disk" {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		if role == "small disk" {
			t.Skipf("needs userns: %v", err)
		}
		t.Fatal(err)
	}
	c := &child{&world{t: t, dir: dir}, cmd}
	t.Cleanup(func() { c.kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !found {
		if cmd.Wait(); cmd.ProcessState.ExitCode() == 77 {
			t.Skip("needs userns with mounts")
		}
		t.Fatalf("the registry said %q, %v", line, err)
	}
	c.url = "http://" + address
	return c
}

// kill is kill -9.
func (c *child) kill() {
	_ = c.process.Process.Kill()
	_ = c.process.Wait()
}
