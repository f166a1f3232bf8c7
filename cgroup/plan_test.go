package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

const someID = "3f2a000000000000000000000000000000000000000000000000000000000000"

// lines are what --explain would show of steps, with the fake root and the id shortened.
func lines(root string, steps []kernel.Step) []string {
	var r kernel.Recorder
	r.Do(steps...)
	for i, l := range r.Lines {
		r.Lines[i] = strings.NewReplacer(root, "", someID, "ID").Replace(l)
	}
	return r.Lines
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// write makes a file of a fake tree of groups.
func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func fakeV1(root string) Host {
	return Host{Mode: Hybrid, Root: root + "/unified", Hierarchies: []Hierarchy{
		{Controllers: []string{"memory"}, Path: root + "/memory"},
		{Controllers: []string{"cpu", "cpuacct"}, Path: root + "/cpu,cpuacct", Links: []string{"cpu", "cpuacct"}},
		{Controllers: []string{"devices"}, Path: root + "/devices"},
		{Controllers: []string{"cpuset"}, Path: root + "/cpuset"},
	}}
}

func ptr[T any](v T) *T { return &v }

func TestPlanV1(t *testing.T) {
	root := t.TempDir()
	h := fakeV1(root)
	write(t, root+"/devices/sandbox/other/tasks", "") // the shared parent is there already
	p, err := h.Plan(someID, &specs.LinuxResources{
		Memory:  &specs.LinuxMemory{Limit: ptr(int64(209715200)), Swap: ptr(int64(314572800))},
		CPU:     &specs.LinuxCPU{Shares: ptr(uint64(512)), Quota: ptr(int64(50000))},
		Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}, device("c", 1, 3, "rwm"), device("b", 254, 0, "r")},
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "create", lines(root, p.Create),
		`[3.5] mkdirat(AT_FDCWD, "/memory/sandbox", 0755)`,
		`[3.5] mkdirat(AT_FDCWD, "/memory/sandbox/ID", 0755)`,
		`[3.5] mkdirat(AT_FDCWD, "/cpu,cpuacct/sandbox", 0755)`,
		`[3.5] mkdirat(AT_FDCWD, "/cpu,cpuacct/sandbox/ID", 0755)`,
		`[3.5] mkdirat(AT_FDCWD, "/devices/sandbox/ID", 0755)`,
		`[3.4] echo 209715200 > /memory/sandbox/ID/memory.limit_in_bytes`,
		`[3.4] echo 314572800 > /memory/sandbox/ID/memory.memsw.limit_in_bytes`,
		`[3.4] echo 512 > /cpu,cpuacct/sandbox/ID/cpu.shares`,
		`[3.4] echo 100000 > /cpu,cpuacct/sandbox/ID/cpu.cfs_period_us`,
		`[3.4] echo 50000 > /cpu,cpuacct/sandbox/ID/cpu.cfs_quota_us`,
		`[3.5] echo a > /devices/sandbox/ID/devices.deny`,
		`[3.5] echo 'c 1:3 rwm' > /devices/sandbox/ID/devices.allow`,
		`[3.5] echo 'b 254:0 r' > /devices/sandbox/ID/devices.allow`,
	)
	expect(t, "join", lines(root, p.Join),
		`[3.5] echo 0 > /memory/sandbox/ID/tasks`,
		`[3.5] echo 0 > /cpu,cpuacct/sandbox/ID/tasks`,
		`[3.5] echo 0 > /devices/sandbox/ID/tasks`,
	)
	expect(t, "remove", lines(root, p.Remove),
		`[3.5] rmdir /memory/sandbox/ID`,
		`[3.5] rmdir /memory/sandbox`,
		`[3.5] rmdir /cpu,cpuacct/sandbox/ID`,
		`[3.5] rmdir /cpu,cpuacct/sandbox`,
		`[3.5] rmdir /devices/sandbox/ID`,
	)
	for _, s := range slices.Concat(p.Create, p.Join, p.Remove) {
		if s.Why.EN == "" || s.Why.In("zh") == "" {
			t.Errorf("%s has no reason", s.Call().Args)
		}
	}
}

func TestPlanV1FillsCpuset(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/cpuset/cpuset.cpus", "0-3")
	write(t, root+"/cpuset/cpuset.mems", "0")
	h := Host{Mode: V1, Hierarchies: fakeV1(root).Hierarchies[3:]}
	p, err := h.Plan(someID, &specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "create", lines(root, p.Create),
		`[3.5] mkdirat(AT_FDCWD, "/cpuset/sandbox", 0755)`,
		`[3.4] echo 0-3 > /cpuset/sandbox/cpuset.cpus`,
		`[3.4] echo 0 > /cpuset/sandbox/cpuset.mems`,
		`[3.5] mkdirat(AT_FDCWD, "/cpuset/sandbox/ID", 0755)`,
		`[3.4] echo 0 > /cpuset/sandbox/ID/cpuset.mems`,
		`[3.4] echo 1 > /cpuset/sandbox/ID/cpuset.cpus`,
	)
}

func TestPlanV2(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/cgroup.controllers", "cpuset cpu io memory pids hugetlb")
	write(t, root+"/cgroup.subtree_control", "memory pids")
	h := Host{Mode: V2, Root: root, Base: root}
	p, err := h.Plan(someID, &specs.LinuxResources{
		Memory:  &specs.LinuxMemory{Limit: ptr(int64(209715200)), Swap: ptr(int64(314572800))},
		CPU:     &specs.LinuxCPU{Shares: ptr(uint64(1024)), Quota: ptr(int64(50000))},
		Pids:    &specs.LinuxPids{Limit: ptr(int64(-1))},
		Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "create", lines(root, p.Create),
		`[3.5] echo '+cpu +io +cpuset' > /cgroup.subtree_control`,
		`[3.5] mkdirat(AT_FDCWD, "/sandbox", 0755)`,
		`[3.5] echo '+cpu +io +memory +pids +cpuset' > /sandbox/cgroup.subtree_control`,
		`[3.5] mkdirat(AT_FDCWD, "/sandbox/ID", 0755)`,
		`[3.4] echo 209715200 > /sandbox/ID/memory.max`,
		`[3.4] echo 104857600 > /sandbox/ID/memory.swap.max`,
		`[3.4] echo 100 > /sandbox/ID/cpu.weight`,
		`[3.4] echo '50000 100000' > /sandbox/ID/cpu.max`,
		`[3.4] echo max > /sandbox/ID/pids.max`,
		`[3.5] bpf(BPF_PROG_LOAD, {prog_type=BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt=8, insns=…, license="Apache-2.0"}, 48)`,
		`[3.5] openat(AT_FDCWD, "/sandbox/ID", O_RDONLY|O_CLOEXEC|O_DIRECTORY)`,
		`[3.5] bpf(BPF_PROG_ATTACH, {target_fd=0, attach_bpf_fd=0, attach_type=BPF_CGROUP_DEVICE, attach_flags=BPF_F_ALLOW_MULTI}, 16)`,
		`[3.5] close(0)`,
		`[3.5] close(0)`,
	)
	expect(t, "join", lines(root, p.Join), `[3.5] echo 0 > /sandbox/ID/cgroup.procs`)
	if p.Into != root+"/sandbox/"+someID {
		t.Errorf("Into = %s", p.Into)
	}
}

func TestPlanV2Delegated(t *testing.T) {
	root := t.TempDir()
	base := root + "/user.slice/user@1000.service"
	write(t, base+"/cgroup.controllers", "memory pids")
	write(t, base+"/cgroup.subtree_control", "memory pids")
	h := Host{Mode: V2, Root: root, Base: base, Delegated: true}
	p, err := h.Plan(someID, &specs.LinuxResources{Devices: DefaultDevices})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "create", lines(base, p.Create), // no device program: an ordinary user may not load one
		`[3.5] mkdirat(AT_FDCWD, "/sandbox", 0755)`,
		`[3.5] echo '+memory +pids' > /sandbox/cgroup.subtree_control`,
		`[3.5] mkdirat(AT_FDCWD, "/sandbox/ID", 0755)`,
	)
	_, err = h.Plan(someID, &specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: ptr(uint64(512))}})
	if err == nil || !strings.Contains(err.Error(), "controller cpu,") || !strings.Contains(kernel.CureOf(err), "Delegate=") {
		t.Errorf("a limit without its controller: %v (%s)", err, kernel.CureOf(err))
	}
}

// TestPlanV2InABusyGroup: a container that runs another inside. The kernel lets it make groups, without controllers.
func TestPlanV2InABusyGroup(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/cgroup.controllers", "cpu memory pids")
	write(t, root+"/cgroup.subtree_control", "pids")
	write(t, root+"/cgroup.events", "populated 1")
	write(t, root+"/cgroup.procs", "1")
	h := Host{Mode: V2, Root: root, Base: root}
	p, err := h.Plan(someID, &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr(int64(9))}})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "create", lines(root, p.Create),
		`[3.5] mkdirat(AT_FDCWD, "/sandbox", 0755)`,
		`[3.5] echo +pids > /sandbox/cgroup.subtree_control`,
		`[3.5] mkdirat(AT_FDCWD, "/sandbox/ID", 0755)`,
		`[3.4] echo 9 > /sandbox/ID/pids.max`,
	)
	_, err = h.Plan(someID, &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr(int64(1 << 20))}})
	if err == nil || !strings.Contains(err.Error(), "holds processes") || !strings.Contains(kernel.CureOf(err), root+"/init") {
		t.Errorf("a limit in a busy group: %v (%s)", err, kernel.CureOf(err))
	}
}

func TestPlanWithoutGroups(t *testing.T) {
	h := Host{Mode: V1, Refusal: kernel.Why{EN: "for root only"}, Cure: kernel.Why{EN: "be root"}}
	p, err := h.Plan(someID, &specs.LinuxResources{Devices: DefaultDevices})
	if err != nil || len(p.Create)+len(p.Join)+len(p.Remove)+len(p.Mounts) != 0 {
		t.Errorf("without limits: %+v, %v; want an empty plan", p, err)
	}
	_, err = h.Plan(someID, &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr(int64(1 << 20))}})
	if err == nil || err.Error() != "for root only" || kernel.CureOf(err) != "be root" {
		t.Errorf("with a limit: %v", err)
	}
}

func TestLimitsThatAreNotSupported(t *testing.T) {
	h := fakeV1(t.TempDir())
	for _, r := range []specs.LinuxResources{
		{BlockIO: &specs.LinuxBlockIO{LeafWeight: nil, Weight: ptr(uint16(500))}}, {Network: &specs.LinuxNetwork{}}, {Unified: map[string]string{"a": "b"}},
		{Memory: &specs.LinuxMemory{KernelTCP: ptr(int64(1 << 20))}},
	} {
		if _, err := h.Plan(someID, &r); err == nil {
			t.Errorf("%+v is silently left out", r)
		}
	}
}

func TestRemove(t *testing.T) {
	root := t.TempDir()
	h := Host{Mode: V1, Hierarchies: fakeV1(root).Hierarchies[:2]}
	write(t, root+"/memory/sandbox/"+someID+"/a/b/tasks", "")
	write(t, root+"/cpu,cpuacct/sandbox/"+someID+"/tasks", "")
	write(t, root+"/cpu,cpuacct/sandbox/other/tasks", "")
	expect(t, "remove", lines(root, h.Remove(someID)),
		`[3.5] rmdir /memory/sandbox/ID/a/b`,
		`[3.5] rmdir /memory/sandbox/ID/a`,
		`[3.5] rmdir /memory/sandbox/ID`,
		`[3.5] rmdir /memory/sandbox`,
		`[3.5] rmdir /cpu,cpuacct/sandbox/ID`,
	)
}

func TestLeftovers(t *testing.T) {
	root := t.TempDir()
	h := Host{Mode: V1, Hierarchies: fakeV1(root).Hierarchies[:2]}
	id := func(c string) string { return strings.Repeat(c, 64) }
	old := time.Now().Add(-time.Hour)
	make := func(hierarchy, id, processes string, when time.Time) {
		dir := root + "/" + hierarchy + "/sandbox/" + id
		write(t, dir+"/cgroup.procs", processes)
		if err := os.Chtimes(dir, when, when); err != nil {
			t.Fatal(err)
		}
	}
	make("memory", id("b"), "", old)
	make("memory", id("a"), "", old)                          // in one hierarchy only: removal was interrupted
	make("cpu,cpuacct", id("b"), "", old)                     // in two, named once
	make("memory", id("c"), "4711", old)                      // something runs in it
	make("memory", id("d"), "", old)                          // alive says that it is known
	make("memory", id("e"), "", time.Now().Add(24*time.Hour)) // just made
	make("memory", "not-an-id", "", old)
	got := h.Leftovers(func(name string) bool { return name == id("d") })
	expect(t, "leftovers", got, id("a"), id("b"))
}

func TestMounts(t *testing.T) {
	got := fakeV1("/fake").Mounts()
	if len(got) != 4 || got[0].Type != "tmpfs" || got[0].Target != "" {
		t.Fatalf("v1: %+v", got)
	}
	if m := got[2]; m.Type != "cgroup" || m.Target != "cpu,cpuacct" || m.Data != "cpu,cpuacct" || !slices.Equal(m.Links, []string{"cpu", "cpuacct"}) {
		t.Errorf("cpu and cpuacct: %+v", m)
	}
	if got := (Host{Mode: V2}).Mounts(); len(got) != 1 || got[0].Type != "cgroup2" {
		t.Errorf("v2: %+v", got)
	}
}

func TestMountinfo(t *testing.T) {
	const v1 = `36 31 0:33 / /odd\040place/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
37 31 0:34 / /cgroup/systemd rw - cgroup cgroup rw,name=systemd
38 31 0:35 / /cgroup/memory rw - cgroup cgroup rw,memory
39 31 0:35 / /again/memory rw - cgroup cgroup rw,memory
`
	h := fromMountinfo(v1)
	if h.Mode != V1 || len(h.Hierarchies) != 2 || h.Hierarchies[0].Path != "/odd place/cpu" || len(h.Hierarchies[0].Controllers) != 2 || h.Hierarchies[1].Path != "/cgroup/memory" {
		t.Errorf("v1: %+v", h)
	}
	const v2 = "40 31 0:36 / /cgroup2 rw - cgroup2 cgroup2 rw\n"
	if h := fromMountinfo(v1 + v2); h.Mode != Hybrid {
		t.Errorf("hybrid: %+v", h)
	}
	if h := fromMountinfo(v2); h.Mode != V2 || h.Root != "/cgroup2" {
		t.Errorf("v2: %+v", h)
	}
	if h := fromMountinfo(""); h.Mode != None {
		t.Errorf("nothing: %+v", h)
	}
}

// TestHighestWritable: of what was delegated, the highest group is taken, where no process sits.
func TestHighestWritable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everything")
	}
	root := t.TempDir()
	own := "/user.slice/user@1000.service/app.slice/x.scope"
	for dir := own; dir != "/user.slice"; dir = filepath.Dir(dir) {
		write(t, root+dir+"/cgroup.procs", "")
		write(t, root+dir+"/cgroup.subtree_control", "")
	}
	write(t, root+"/user.slice/cgroup.procs", "")
	os.Chmod(root+"/user.slice/cgroup.procs", 0o444)
	base, err := highestWritable(root, own)
	if err != nil || base != root+"/user.slice/user@1000.service" {
		t.Errorf("%s, %v", base, err)
	}
	if _, err := highestWritable(root, "/user.slice"); !errors.Is(err, os.ErrPermission) {
		t.Errorf("nothing is delegated: %v", err)
	}
}

func TestOwnGroup(t *testing.T) {
	file := t.TempDir() + "/cgroup"
	write(t, file, "9:name=systemd:/\n4:memory:/a\n0::/user.slice/session-1.scope")
	if group, err := ownGroup(file); err != nil || group != "/user.slice/session-1.scope" {
		t.Errorf("%s, %v", group, err)
	}
	write(t, file, "4:memory:/a")
	if _, err := ownGroup(file); err == nil {
		t.Error("no group of v2, and no error")
	}
}

func TestWeightOf(t *testing.T) {
	for shares, want := range map[uint64]uint64{0: 1, 2: 1, 512: 59, 1024: 100, 2000: 170, 262144: 10000, 1 << 40: 10000} {
		if got := weightOf(shares); got != want {
			t.Errorf("weightOf(%d) = %d, want %d", shares, got, want)
		}
	}
}
