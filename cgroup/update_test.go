package cgroup

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

func limited(memory, swap int64) *specs.LinuxResources {
	return &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &memory, Swap: &swap}}
}

// rewrites are the changes, and what takes them back, as FILE VALUE.
func rewrites(t *testing.T, h Host, root string, old, new *specs.LinuxResources) (do, back []string) {
	t.Helper()
	list, err := h.Update(someID, old, new)
	if err != nil {
		t.Fatal(err)
	}
	var forth, undo []kernel.Step
	for _, r := range list {
		if r.Do.Effect != nil {
			forth = append(forth, r.Do)
		}
		if r.Back.Effect != nil {
			undo = append(undo, r.Back)
		}
	}
	return lines(root, forth), lines(root, undo)
}

// TestUpdateMemoryV1: memory and swap together are never less than memory alone, in neither direction.
func TestUpdateMemoryV1(t *testing.T) {
	root := t.TempDir()
	h := fakeV1(root)
	write(t, root+"/memory/memory.memsw.limit_in_bytes", "1")
	group := root + "/memory/sandbox/" + someID
	write(t, group+"/memory.limit_in_bytes", "100")
	write(t, group+"/memory.memsw.limit_in_bytes", "200")
	do, back := rewrites(t, h, root, limited(100, 200), limited(300, 600))
	expect(t, "up", do, "[3.4] echo 600 > /memory/sandbox/ID/memory.memsw.limit_in_bytes", "[3.4] echo 300 > /memory/sandbox/ID/memory.limit_in_bytes")
	expect(t, "up, taken back", back, "[3.4] echo 200 > /memory/sandbox/ID/memory.memsw.limit_in_bytes", "[3.4] echo 100 > /memory/sandbox/ID/memory.limit_in_bytes")
	do, _ = rewrites(t, h, root, limited(100, 200), limited(50, 60))
	expect(t, "down", do, "[3.4] echo 50 > /memory/sandbox/ID/memory.limit_in_bytes", "[3.4] echo 60 > /memory/sandbox/ID/memory.memsw.limit_in_bytes")
	do, _ = rewrites(t, h, root, limited(100, 200), &specs.LinuxResources{})
	expect(t, "no limit", do, "[3.4] echo -1 > /memory/sandbox/ID/memory.memsw.limit_in_bytes", "[3.4] echo -1 > /memory/sandbox/ID/memory.limit_in_bytes")
	do, _ = rewrites(t, h, root, limited(100, 200), limited(100, 200))
	expect(t, "the same", do)
}

// TestUpdatePeriodV1: a shorter period with the old quota could be more than the group above has, so the quota goes first.
func TestUpdatePeriodV1(t *testing.T) {
	root := t.TempDir()
	h := fakeV1(root)
	write(t, root+"/cpu,cpuacct/sandbox/"+someID+"/cpu.cfs_period_us", "100000")
	cpu := func(quota int64, period uint64) *specs.LinuxResources {
		return &specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: &quota, Period: &period}}
	}
	do, _ := rewrites(t, h, root, cpu(50_000, 100_000), cpu(10_000, 20_000))
	expect(t, "shorter", do, "[3.4] echo 10000 > /cpu,cpuacct/sandbox/ID/cpu.cfs_quota_us", "[3.4] echo 20000 > /cpu,cpuacct/sandbox/ID/cpu.cfs_period_us")
	do, _ = rewrites(t, h, root, cpu(50_000, 100_000), cpu(90_000, 200_000))
	expect(t, "longer", do, "[3.4] echo 200000 > /cpu,cpuacct/sandbox/ID/cpu.cfs_period_us", "[3.4] echo 90000 > /cpu,cpuacct/sandbox/ID/cpu.cfs_quota_us")
}

func TestUpdateV2(t *testing.T) {
	h := fakeV2(t, "memory.swap.max")
	root := h.Root
	group := root + "/sandbox/" + someID
	write(t, group+"/memory.max", "100")
	write(t, group+"/memory.swap.max", "0")
	write(t, group+"/cpu.weight", "59")
	write(t, group+"/cpuset.cpus", "")
	old := limited(100, 100)
	old.CPU = &specs.LinuxCPU{Shares: ptr(uint64(512))}
	wanted := limited(300, 500)
	wanted.CPU = &specs.LinuxCPU{Cpus: "1"}
	do, back := rewrites(t, h, root, old, wanted)
	expect(t, "v2", do, "[3.4] echo 300 > /sandbox/ID/memory.max", "[3.4] echo 200 > /sandbox/ID/memory.swap.max", "[3.4] echo 100 > /sandbox/ID/cpu.weight",
		"[3.4] echo 1 > /sandbox/ID/cpuset.cpus")
	expect(t, "taken back", back, "[3.4] echo 100 > /sandbox/ID/memory.max", "[3.4] echo 0 > /sandbox/ID/memory.swap.max", "[3.4] echo 59 > /sandbox/ID/cpu.weight",
		"[3.4] echo '' > /sandbox/ID/cpuset.cpus")
	do, _ = rewrites(t, h, root, limited(100, 100), &specs.LinuxResources{})
	expect(t, "no limit", do, "[3.4] echo max > /sandbox/ID/memory.max", "[3.4] echo max > /sandbox/ID/memory.swap.max")
}

// TestUnder: the groups of --cgroup-parent, which stay.
func TestUnder(t *testing.T) {
	root := t.TempDir()
	h := Host{Mode: V1, Hierarchies: fakeV1(root).Hierarchies[:1]}.Under("jobs/night")
	p, err := h.Plan(someID, nil)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "create", lines(root, p.Create), `[3.5] mkdirat(AT_FDCWD, "/memory/jobs", 0755)`, `[3.5] mkdirat(AT_FDCWD, "/memory/jobs/night", 0755)`,
		`[3.5] mkdirat(AT_FDCWD, "/memory/jobs/night/ID", 0755)`)
	expect(t, "remove", lines(root, p.Remove), "[3.5] rmdir /memory/jobs/night/ID")
}
