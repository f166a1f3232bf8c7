// Package alone is for tests: they run in a network namespace of their own, with root's rights in it, and make more of them.
package alone

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const variable = "SANDBOX_TEST_ALONE"

// Run runs a test once more, in a process of its own that is in a fresh network namespace (and, for an ordinary user, in a user
// namespace, as its root). It tells whether this is that process: the test goes on in there only.
//
//	if !alone.Run(t) { return }
func Run(t *testing.T) (inside bool) {
	t.Helper()
	if os.Getenv(variable) == t.Name() {
		up(t)
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), variable+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	output, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !asExit(err, &exit) {
		t.Skipf("needs [userns]: no namespaces for this user: %v", err)
	}
	if at := strings.Index(string(output), "--- SKIP"); at >= 0 {
		t.Skip(string(output))
	}
	if err != nil {
		t.Errorf("%s\n%v", output, err)
	} else {
		t.Logf("%s", output)
	}
	return false
}

func asExit(err error, exit **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*exit = e
	return ok
}

func up(t *testing.T) {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Space is another network namespace, and a thread that is in it.
type Space struct {
	FD   int
	work chan func()
}

// New makes one. It ends with the test.
func New(t *testing.T) *Space {
	t.Helper()
	s := &Space{work: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			s.FD, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		}
		ready <- err
		for f := range s.work {
			f()
		}
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(s.work)
		unix.Close(s.FD)
	})
	s.Do(func() { up(t) })
	return s
}

// Do does something in there, and waits for it.
func (s *Space) Do(f func()) {
	done := make(chan struct{})
	s.work <- func() {
		defer close(done)
		f()
	}
	<-done
}
