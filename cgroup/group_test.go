package cgroup

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// testID is a container's id that is different in each test and each run of it.
func testID(t *testing.T, more ...string) string {
	t.Helper()
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, os.Getpid(), t.Name(), more)))
}

// realHost is this machine; the test is skipped where it may make no groups.
func realHost(t *testing.T) Host {
	t.Helper()
	h := Detect()
	if !h.Available() {
		t.Skip("needs to make control groups: " + h.Refusal.EN)
	}
	return h
}

// do performs steps and fails the test if one of them does.
func do(t *testing.T, steps []kernel.Step) {
	t.Helper()
	door := &kernel.Door{Process: "test"}
	if err := door.Do(steps...); err != nil {
		t.Fatal(err)
	}
}

// create makes a container's group and takes it away when the test is over.
func create(t *testing.T, h Host, id string, r *specs.LinuxResources) Plan {
	t.Helper()
	p, err := h.Plan(id, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		do(t, h.Remove(id))
		for _, dir := range p.Group.Directories() {
			if exists(dir) {
				t.Errorf("%s is left", dir)
			}
		}
	})
	do(t, p.Create)
	return p
}

// TestMain is also the program of the processes that the tests put into groups: it says where it is, and waits.
func TestMain(m *testing.M) {
	if os.Getenv("SHOW_GROUPS") == "" {
		os.Exit(m.Run())
	}
	groups, _ := os.ReadFile("/proc/self/cgroup")
	os.Stdout.Write(append(groups, "end\n"...))
	io.Copy(io.Discard, os.Stdin)
}

// child is a process in a group.
type child struct {
	pid    int
	groups string // its /proc/PID/cgroup
	stdin  *os.File
}

// spawn lets a new process perform steps and then wait; the error is that of the step that failed.
func spawn(t *testing.T, steps ...kernel.Step) (*child, error) {
	t.Helper()
	in, stdin, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	steps = append(slices.Clone(steps),
		kernel.Step{Effect: kernel.Dup{From: kernel.FD(int(in.Fd())), To: 0}},
		kernel.Step{Effect: kernel.Dup{From: kernel.FD(int(out.Fd())), To: 1}})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	door := &kernel.Door{Process: "test"}
	namespaces := uint64(unix.CLONE_NEWNS)
	if os.Geteuid() != 0 {
		namespaces |= unix.CLONE_NEWUSER
	}
	birth, err := door.Spawn(kernel.Spawn{
		Namespaces: namespaces, Steps: steps,
		Programs: []kernel.Step{{Effect: kernel.Execve{Path: self, Argv: []string{self}, Env: []string{"SHOW_GROUPS=1"}}}},
	})
	in.Close()
	out.Close()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{pid: birth.PID, stdin: stdin}
	if err := birth.Failure(); err != nil {
		c.end()
		return nil, err
	}
	for scanner := bufio.NewScanner(stdout); scanner.Scan() && scanner.Text() != "end"; {
		c.groups += scanner.Text() + "\n"
	}
	stdout.Close()
	return c, nil
}

// end lets the process end, and reaps it.
func (c *child) end() {
	c.stdin.Close()
	unix.Wait4(c.pid, nil, 0, nil)
}

func TestGroupIsMadeJoinedAndRemoved(t *testing.T) {
	h, id := realHost(t), testID(t)
	limit := int64(64 << 20)
	r := &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit}, Devices: DefaultDevices}
	if !h.Delegated { // cpuset is hardly ever delegated
		r.CPU = &specs.LinuxCPU{Cpus: "0"}
	}
	p := create(t, h, id, r)
	c, err := spawn(t, p.Join...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.end()
	for _, d := range p.Group.dirs {
		want := strings.Join(d.Controllers, ",") + ":/sandbox/" + id + "\n"
		if h.Mode == V2 {
			want = "0::" + strings.TrimPrefix(d.group(id), h.Root) + "\n"
		}
		if !strings.Contains(c.groups, want) {
			t.Errorf("the process is not in %s:\n%s", want, c.groups)
		}
	}
	found := false
	for _, f := range h.Files(id, r) {
		found = found || f.Controller == "memory" && f.Value == fmt.Sprint(limit)
	}
	if !found {
		t.Errorf("no file shows the limit of %d bytes: %v", limit, h.Files(id, r))
	}
}

func TestProcessesAreFoundAlsoInInnerGroups(t *testing.T) {
	h, id := realHost(t), testID(t)
	p := create(t, h, id, nil)
	inner := filepath.Join(p.Group.Directories()[0], "inner")
	c, err := spawn(t, append(p.Join,
		kernel.Step{Effect: kernel.Mkdir{Path: inner, Mode: 0o755}},
		kernel.Step{Effect: kernel.WriteFile{Path: inner + "/cgroup.procs", Data: "0"}})...)
	if err != nil {
		t.Fatal(err)
	}
	if pids := h.Processes(id); !slices.Equal(pids, []int{c.pid}) {
		t.Errorf("Processes = %v, want %d", pids, c.pid)
	}
	c.end()
	if left := h.Processes(id); len(left) != 0 {
		t.Errorf("Processes = %v after the end", left)
	}
}

// openDevice makes a node of a device in a mount namespace of its own, and opens it for reading.
func openDevice(t *testing.T, kind uint32, major, minor uint32) []kernel.Step {
	dir := t.TempDir()
	node := dir + "/node"
	return []kernel.Step{
		{Effect: kernel.Mount{Target: "/", Flags: unix.MS_REC | unix.MS_PRIVATE}},
		{Effect: kernel.Mount{Source: "tmpfs", Target: dir, Type: "tmpfs"}},
		{Effect: kernel.Mknod{Path: node, Mode: kind | 0o600, Major: major, Minor: minor}},
		{Effect: kernel.Open{Path: node, As: &kernel.Handle{}}},
	}
}

// refused is the call that a process in the group is refused with EPERM: "mknodat", "openat", or "" for none. That
// there is no such disk (ENXIO) is none of the group's doing.
func refused(t *testing.T, p Plan, kind, major, minor uint32) string {
	t.Helper()
	c, err := spawn(t, append(p.Join, openDevice(t, kind, major, minor)...)...)
	if err == nil {
		c.end()
		return ""
	}
	var call *kernel.CallError
	if !errors.As(err, &call) || call.Call.Name != "openat" && call.Call.Name != "mknodat" {
		t.Fatal(err)
	}
	if call.Errno != unix.EPERM {
		return ""
	}
	return call.Call.Name
}

func TestDeviceRules(t *testing.T) {
	h := realHost(t)
	if h.Delegated {
		t.Skip("device rules need root of the machine")
	}
	for name, want := range map[string]string{"default": "openat", "privileged": "", "none": "mknodat"} {
		p := create(t, h, testID(t, name), &specs.LinuxResources{Devices: ruleSets[name]})
		if got := refused(t, p, unix.S_IFBLK, 7, 0); got != want {
			t.Errorf("%s: a disk: %q is refused, want %q", name, got, want)
		}
		if got := refused(t, p, unix.S_IFCHR, 1, 3); got != "" && name != "none" {
			t.Errorf("%s: /dev/null: %s is refused", name, got)
		}
	}
}

func TestParentVanishesMeanwhile(t *testing.T) {
	h, id := realHost(t), testID(t)
	first := create(t, h, id, nil)
	other := testID(t, "other")
	late, err := h.Plan(other, nil) // the parent is there: this plan does not make it
	if err != nil {
		t.Fatal(err)
	}
	do(t, h.Remove(first.Group.ID))
	if exists(first.Group.dirs[0].parent()) {
		t.Skip("other containers are running")
	}
	door := &kernel.Door{Process: "test"}
	if err := door.Do(late.Create...); !Vanished(err) {
		t.Fatalf("the late plan: %v", err)
	}
	create(t, h, other, nil)
}

// TestManyAtOnce: containers come and go at the same time; each gets its group, and none is left.
func TestManyAtOnce(t *testing.T) {
	h := realHost(t)
	live := func(id string) error {
		door := &kernel.Door{Process: "test"}
		for range 1000 {
			p, err := h.Plan(id, &specs.LinuxResources{Devices: DefaultDevices})
			if err != nil {
				return err
			}
			if err = door.Do(p.Create...); Vanished(err) {
				continue
			}
			for _, dir := range p.Group.Directories() {
				if err == nil && !exists(dir) {
					err = fmt.Errorf("%s was not made", dir)
				}
			}
			return errors.Join(err, door.Do(h.Remove(id)...))
		}
		return errors.New("the parent vanishes again and again")
	}
	results := make(chan error)
	for i := range 4 {
		go func() {
			var err error
			for j := range 25 {
				err = errors.Join(err, live(testID(t, fmt.Sprint(i, j))))
			}
			results <- err
		}()
	}
	for range 4 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	for i := range 4 {
		for j := range 25 {
			for _, dir := range h.Group(testID(t, fmt.Sprint(i, j))).Directories() {
				if exists(dir) {
					t.Errorf("%s is left", dir)
				}
			}
		}
	}
}

func BenchmarkDetect(b *testing.B) {
	for b.Loop() {
		runtime.KeepAlive(Detect())
	}
}

func BenchmarkPlan(b *testing.B) {
	h := Detect()
	for b.Loop() {
		h.Plan(strings.Repeat("a", 64), &specs.LinuxResources{Devices: DefaultDevices})
	}
}
