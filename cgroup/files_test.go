package cgroup

import (
	"os"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func names(files []File) string {
	var list []string
	for _, f := range files {
		list = append(list, f.Controller+" "+f.Name)
	}
	return strings.Join(list, "\n")
}

func TestFilesV1(t *testing.T) {
	root := t.TempDir()
	group := "/sandbox/" + someID
	write(t, root+"/memory"+group+"/memory.limit_in_bytes", "209715200")
	write(t, root+"/memory"+group+"/memory.soft_limit_in_bytes", "9223372036854771712")
	write(t, root+"/memory"+group+"/memory.usage_in_bytes", "4096")
	write(t, root+"/cpu,cpuacct"+group+"/cpu.shares", "512")
	write(t, root+"/cpu,cpuacct"+group+"/cpu.cfs_quota_us", "-1")
	write(t, root+"/cpu,cpuacct"+group+"/cpuacct.usage", "1500000000")
	write(t, root+"/devices"+group+"/devices.list", "c 1:3 rwm\nc 1:5 rwm")
	if err := os.Symlink("cpu,cpuacct", root+"/cpu"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("cpu,cpuacct", root+"/cpuacct"); err != nil {
		t.Fatal(err)
	}
	files := fakeV1(root).Files(someID, nil)
	want := `memory memory.limit_in_bytes
memory memory.soft_limit_in_bytes
memory memory.usage_in_bytes
cpu cpu.shares
cpu cpu.cfs_quota_us
cpuacct cpuacct.usage
devices devices.list`
	if got := names(files); got != want {
		t.Fatalf("%s\nwant\n%s", got, want)
	}
	for i, unlimited := range []bool{false, true, false, false, true, false, false} {
		if files[i].NoLimit() != unlimited {
			t.Errorf("%s %q: no limit is %v", files[i].Name, files[i].Value, !unlimited)
		}
	}
	if got, want := files[3].Path, root+"/cpu"+group+"/cpu.shares"; got != want { // as everybody types it
		t.Errorf("%s, want %s", got, want)
	}
	if files[6].Value != "c 1:3 rwm\nc 1:5 rwm" {
		t.Errorf("%q", files[6].Value)
	}
}

func TestFilesV2(t *testing.T) {
	root := t.TempDir()
	group := root + "/sandbox/" + someID
	write(t, group+"/memory.max", "max")
	write(t, group+"/cpu.max", "max 100000")
	write(t, group+"/cpu.weight", "59")
	write(t, group+"/io.max", "254:0 rbps=max wbps=1048576 riops=max wiops=max")
	write(t, group+"/cgroup.freeze", "0")
	files := Host{Mode: V2, Root: root, Base: root}.Files(someID, nil)
	if got, want := names(files), "memory memory.max\ncpu cpu.weight\ncpu cpu.max\nio io.max\ncgroup cgroup.freeze"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if !files[0].NoLimit() || files[1].NoLimit() || !files[2].NoLimit() || files[3].NoLimit() {
		t.Error("limits are not told from what is none")
	}
	if files[1].Flags[0] != "--cpu-shares" || files[1].Path != group+"/cpu.weight" {
		t.Errorf("%+v", files[1])
	}
}

// TestChanged: what somebody has written by hand is told from what the flags have written, and from what a new group has.
func TestChanged(t *testing.T) {
	root := t.TempDir()
	group := root + "/sandbox/" + someID
	h := Host{Mode: V2, Root: root, Base: root}
	r := &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr(int64(10_000_000))}, CPU: &specs.LinuxCPU{Shares: ptr(uint64(1024)), Cpus: "0,1"}}
	for _, try := range []struct {
		file, value string
		changed     bool
	}{
		{"memory.max", "9998336", false}, {"memory.max", "20971520", true}, {"memory.max", "max", true},
		{"cpu.weight", "100", false}, {"cpu.weight", "99", true}, {"pids.max", "max", false}, {"pids.max", "5", true},
		{"memory.current", "5", false}, {"cgroup.freeze", "1", false},
		{"cpuset.cpus", "0-1", false}, {"cpuset.cpus", "1", true}, {"cpuset.mems", "", false},
	} {
		write(t, group+"/"+try.file, try.value)
		for _, f := range h.Files(someID, r) {
			if f.Name == try.file && f.Changed() != try.changed {
				t.Errorf("%s %s: changed is %v", f.Name, f.Value, f.Changed())
			}
		}
	}
}

// TestEveryFileIsExplained in both languages, and none twice.
func TestEveryFileIsExplained(t *testing.T) {
	all := append([]About(nil), filesV2...)
	v2 := len(all)
	for _, controller := range order {
		if len(filesV1[controller]) == 0 {
			t.Errorf("no file of %s", controller)
		}
		all = append(all, filesV1[controller]...)
	}
	if len(order) != len(filesV1) {
		t.Error("a controller is not in the order")
	}
	seen := map[string]int{}
	for i, a := range all {
		if a.Meaning.EN == "" || a.Meaning.ZH == "" {
			t.Errorf("%s is not explained", a.Name)
		}
		if first, ok := seen[a.Name]; ok && (first < v2) == (i < v2) {
			t.Errorf("%s is there twice", a.Name)
		}
		seen[a.Name] = i
		if a.Role == Ceiling && len(a.Flags) == 0 {
			t.Errorf("no flag sets %s", a.Name)
		}
	}
}

func TestTree(t *testing.T) {
	for name, h := range map[string]Host{"v1": fakeV1(t.TempDir()), "v2": {Mode: V2}} {
		var base, current, limit, procs string
		if h.Mode == V2 {
			h.Root = t.TempDir()
			h.Base, base, current, limit, procs = h.Root, h.Root, "memory.current", "memory.max", "pids.current"
		} else {
			base, current, limit, procs = h.Hierarchies[0].Path, "memory.usage_in_bytes", "memory.limit_in_bytes", ""
		}
		group := base + "/sandbox/" + someID
		write(t, group+"/"+current, "8192")
		write(t, group+"/"+limit, "16384")
		write(t, group+"/inner/deeper/"+current, "4096")
		if procs != "" {
			write(t, group+"/"+procs, "3")
		}
		write(t, base+"/sandbox/not-an-id/"+current, "1")
		parent, nodes := h.Tree(h.IDs())
		if parent != base+"/sandbox" || len(nodes) != 1 || nodes[0].Path != group || nodes[0].Usage.Memory != 8192 || nodes[0].Usage.MemoryLimit != 16384 {
			t.Fatalf("%s: %s %+v", name, parent, nodes)
		}
		inner := nodes[0].Inner
		if len(inner) != 1 || inner[0].ID != "inner" || len(inner[0].Inner) != 1 || inner[0].Inner[0].Usage.Memory != 4096 || inner[0].Inner[0].Path != group+"/inner/deeper" {
			t.Errorf("%s: %+v", name, inner)
		}
	}
	if _, nodes := (Host{}).Tree(nil); nodes != nil {
		t.Errorf("without groups: %+v", nodes)
	}
}
