package image

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sandbox/image/layer/tartest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Some tests need another process: one that is killed, or one in namespaces of its own. It is this test binary with a
// task in its environment.
const childTask = "SANDBOX_IMAGE_TEST_CHILD"

func child(t *testing.T, task string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), childTask+"="+task)
	return cmd
}

// startChild runs a task in a mount namespace.
func startChild(t *testing.T, task string, args ...string) (string, error) {
	t.Helper()
	cmd := child(t, task, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		cmd.Env = append(cmd.Env, "userxattr=1")
	}
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func runChild(task string) int {
	var err error
	switch task {
	case "mount":
		err = printMounted(os.Args[1], os.Args[2])
	case "half":
		err = addHalf(&Store{Dir: os.Args[1]})
	case "forever":
		err = addForever(&Store{Dir: os.Args[1]})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// addHalf adds half a layer and then waits for its death.
func addHalf(s *Store) error {
	d, err := s.Begin()
	if err != nil {
		return err
	}
	layer := tartest.Archive(&testing.T{}, tartest.Dir("d"), tartest.File("d/a", strings.Repeat("x", 1<<20)))
	_, err = d.AddLayer(io.MultiReader(bytes.NewReader(layer[:len(layer)/2]), readyThenWait{}))
	return err
}

type readyThenWait struct{}

func (readyThenWait) Read([]byte) (int, error) {
	fmt.Println("ready")
	select {}
}

// addForever adds, names anew and removes images.
func addForever(s *Store) error {
	for i := 0; ; i++ {
		layers := [][]byte{tartest.Archive(&testing.T{}, tartest.File("shared", "")), tartest.Archive(&testing.T{}, tartest.Dir("d"), tartest.File("d/a", fmt.Sprint(i%5)))}
		img, err := add(s, time.Unix(int64(i%3), 0), layers, "demo")
		if err != nil {
			return err
		}
		if i%4 == 3 {
			if err := s.Remove(img.ID); err != nil {
				return err
			}
		}
		fmt.Println("ready")
	}
}

// kill runs a task until it has said that it is ready so many times, and kills it.
func kill(t *testing.T, s *Store, task string, times int) {
	t.Helper()
	cmd := child(t, task, s.Dir)
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, readErr := io.ReadFull(output, make([]byte, times*len("ready\n")))
	cmd.Process.Kill()
	cmd.Wait()
	if readErr != nil {
		t.Fatalf("the child ended by itself: %s", complaints.String())
	}
}

func TestKilledInALayer(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "1"))}, "before")
	kill(t, s, "half", 1)
	if left, err := os.ReadDir(s.stagingDir()); err != nil || len(left) != 1 {
		t.Fatalf("the killed process should have left something: %v, %v", left, err)
	}
	if images, err := s.List(); err != nil || len(images) != 1 {
		t.Errorf("half an image is seen: %v, %v", images, err)
	}
	mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "2"))}, "after")
	checkTidy(t, s)
	checkLayout(t, s)
}

// TestKilledAnywhere kills a process that adds and removes images at whatever it is doing. Wherever that is, the store
// is whole, and Repair leaves nothing that does not belong there.
func TestKilledAnywhere(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	for i := range 15 {
		kill(t, s, "forever", i+1)
		if images, err := s.List(); err != nil || i > 0 && len(images) == 0 {
			t.Fatalf("after the kill: %d images, %v", len(images), err)
		}
		if err := s.Repair(); err != nil {
			t.Fatal(err)
		}
		checkTidy(t, s)
		checkLayout(t, s)
	}
}

// TestRepairSparesTheLiving: a draft at work is nobody's garbage.
func TestRepairSparesTheLiving(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	d, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Discard()
	if _, err := d.AddLayer(bytes.NewReader(tartest.Archive(t, tartest.File("a", "1")))); err != nil {
		t.Fatal(err)
	}
	if err := s.Repair(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.dir + "/0/a"); err != nil {
		t.Error(err)
	}
}

func TestRepairOfHalfAStore(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	if err := s.Repair(); err != nil {
		t.Errorf("no store at all: %v", err)
	}
	if err := os.Mkdir(s.layoutDir(), 0o700); err != nil { // killed before it had made more
		t.Fatal(err)
	}
	if err := s.Repair(); err != nil {
		t.Errorf("half a store: %v", err)
	}
	mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "1"))}, "demo")
	checkLayout(t, s)
}
