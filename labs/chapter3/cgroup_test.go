package chapter3

import (
	"strings"
	"testing"
	"time"

	"sandbox/cgroup"
	"sandbox/kernel/container"
	"sandbox/labs/columns"
)

func file(controller, name, value, wanted string, unit cgroup.Unit, role cgroup.Role, flags ...string) cgroup.File {
	return cgroup.File{Controller: controller, Path: "/sys/fs/cgroup/sandbox/x/" + name, Value: value, Wanted: wanted,
		About: cgroup.About{Name: name, Unit: unit, Role: role, Flags: flags}}
}

func TestPlainValue(t *testing.T) {
	for _, try := range []struct {
		f       cgroup.File
		en, zh  string
		comment string
	}{
		{f: file("memory", "memory.max", "209715200", "", cgroup.Bytes, cgroup.Ceiling), en: "200MiB", zh: "200MiB"},
		{f: file("memory", "memory.max", "max", "", cgroup.Bytes, cgroup.Ceiling), en: "no limit", zh: "不限"},
		{f: file("memory", "memory.limit_in_bytes", "9223372036854771712", "", cgroup.Bytes, cgroup.Ceiling), en: "no limit", zh: "不限"},
		{f: file("cpu", "cpu.shares", "512", "", cgroup.Plain, cgroup.Setting), en: "", zh: ""},
		{f: file("cpu", "cpu.cfs_quota_us", "-1", "", cgroup.Microseconds, cgroup.Ceiling), en: "no limit", zh: "不限"},
		{f: file("cpu", "cpu.max", "50000 100000", "", cgroup.Plain, cgroup.Ceiling), en: "0.5 CPU", zh: "0.5 CPU"},
		{f: file("cpu", "cpu.max", "max 100000", "", cgroup.Plain, cgroup.Ceiling), en: "no limit", zh: "不限"},
		{f: file("cpuacct", "cpuacct.usage", "1500000000", "", cgroup.Nanoseconds, cgroup.InUse), en: "1.5s", zh: "1.5s"},
		{f: file("cpu", "cpu.stat", "nr_periods 40\nnr_throttled 3\nthrottled_time 1200000000", "", cgroup.Plain, cgroup.Counter),
			en: "waited in 3 of 40 periods, 1.2s", zh: "40 个周期里有 3 个停下等，共 1.2s"},
		{f: file("cpu", "cpu.stat", "usage_usec 2500000\nnr_periods 40\nnr_throttled 3\nthrottled_usec 1200000", "", cgroup.Plain, cgroup.InUse),
			en: "2.5s used; waited in 3 of 40 periods, 1.2s", zh: "用了 2.5s；40 个周期里有 3 个停下等，共 1.2s"},
		{f: file("io", "io.stat", "254:0 rbytes=4096 wbytes=2000000 rios=1 wios=2 dbytes=0 dios=0\n8:0 rbytes=0 wbytes=1", "", cgroup.Plain, cgroup.InUse),
			en: "254:0: 4.1kB read, 2MB written; 8:0: 0B read, 1B written", zh: "254:0：读 4.1kB，写 2MB；8:0：读 0B，写 1B"},
		{f: file("blkio", "blkio.throttle.io_service_bytes", "254:0 Read 4096\n254:0 Write 0\n254:0 Sync 0\nTotal 4096", "", cgroup.Plain, cgroup.InUse),
			en: "254:0: 4.1kB read, 0B written", zh: "254:0：读 4.1kB，写 0B"},
	} {
		if en, zh := plainValue(try.f, "en"), plainValue(try.f, "zh"); en != try.en || zh != try.zh {
			t.Errorf("%s %q: %q, %q; want %q, %q", try.f.Name, try.f.Value, en, zh, try.en, try.zh)
		}
	}
}

// limited is a container with flags.
func limited() *container.Record {
	r := &container.Record{ID: strings.Repeat("ab", 32), Name: "/web"}
	pids := int64(50)
	r.HostConfig.Resources = container.Resources{
		Memory: 200 << 20, MemorySwap: 300 << 20, CpuShares: 512, NanoCpus: 5e8, PidsLimit: &pids,
		BlkioDeviceReadBps: []container.ThrottleDevice{{Path: "/dev/vda", Rate: 1 << 20}},
	}
	return r
}

func TestSetBy(t *testing.T) {
	r := limited()
	for _, try := range []struct {
		f        cgroup.File
		en, what string
	}{
		{f: file("memory", "memory.max", "209715200", "209715200", cgroup.Bytes, cgroup.Ceiling, "-m"), en: "-m 200m"},
		{f: file("memory", "memory.max", "4096", "209715200", cgroup.Bytes, cgroup.Ceiling, "-m"), en: "-m 200m, changed since"},
		{f: file("memory", "memory.swap.max", "104857600", "104857600", cgroup.Bytes, cgroup.Setting, "--memory-swap"), en: "--memory-swap 300m"},
		{f: file("cpu", "cpu.max", "50000 100000", "50000 100000", cgroup.Plain, cgroup.Ceiling, "--cpus", "--cpu-quota"), en: "--cpus 0.5"},
		{f: file("io", "io.max", "254:0 rbps=1048576 wbps=max", "254:0 rbps=1048576", cgroup.Plain, cgroup.Ceiling, "--device-read-bps"), en: "--device-read-bps /dev/vda:1m"},
		{f: file("cpuset", "cpuset.cpus", "", "", cgroup.Plain, cgroup.Setting, "--cpuset-cpus"), en: "default"},
		{f: file("memory", "memory.current", "5", "", cgroup.Bytes, cgroup.InUse), en: ""},
	} {
		if got := setBy(r, try.f, "en"); got != try.en {
			t.Errorf("%s %q: %q, want %q", try.f.Name, try.f.Value, got, try.en)
		}
	}
	r.HostConfig.MemorySwap = 400 << 20
	if got := setBy(r, file("memory", "memory.swap.max", "209715200", "209715200", cgroup.Bytes, cgroup.Setting, "--memory-swap"), "en"); got != "-m 200m ×2" {
		t.Errorf("the usual swap: %q", got)
	}
}

func TestDrawGroup(t *testing.T) {
	r := limited()
	files := []cgroup.File{
		file("memory", "memory.max", "209715200", "209715200", cgroup.Bytes, cgroup.Ceiling, "-m"),
		file("memory", "memory.current", "104857600", "", cgroup.Bytes, cgroup.InUse),
		file("memory", "memory.low", "0", "", cgroup.Bytes, cgroup.Setting, "--memory-reservation"),
		file("cpu", "cpu.max", "50000 100000", "50000 100000", cgroup.Plain, cgroup.Ceiling, "--cpus"),
		file("cgroup", "cgroup.freeze", "0", "", cgroup.Plain, cgroup.Setting, "sandbox pause"),
	}
	var rows []*cgroupRow
	for _, f := range files {
		rows = append(rows, makeCgroupRow(r, f, "en"))
	}
	d := groupDrawing{language: "en", mode: cgroup.V2}
	now := time.Now()
	before, after := sample{at: now}, sample{at: now.Add(time.Second)}
	after.usage.CPU = 250 * time.Millisecond
	want := `web  abababababab  cgroup v2

memory    /sys/fs/cgroup/sandbox/x
  ▕██████████          ▏ 100MiB / 200MiB
  memory.max      209715200 (200MiB)      -m 200m
  memory.current  104857600 (100MiB)
  memory.low      0 (0B)                  default

cpu       /sys/fs/cgroup/sandbox/x
  ▕██████████          ▏ 0.25 / 0.5 CPU
  cpu.max         50000 100000 (0.5 CPU)  --cpus 0.5

freezer   /sys/fs/cgroup/sandbox/x
  cgroup.freeze   0                       default

devices   v2 has no file for them: a small program (eBPF) at the group judges, if root has made it: bpftool cgroup list
`
	if got := d.group(r, files, rows, before, after, 0); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	d.width = 40
	short := d.group(r, files, rows, before, after, 12)
	if strings.Contains(short, "memory.low") || strings.Contains(short, "freeze") || !strings.Contains(short, "(and 2 fi") {
		t.Errorf("little room:\n%s", short)
	}
	for line := range strings.Lines(short) {
		if columns.Of(strings.TrimSuffix(line, "\n")) > 40 {
			t.Errorf("wider than 40 columns: %q", line)
		}
	}
}

func TestDrawTree(t *testing.T) {
	nodes := []cgroup.Node{
		{ID: strings.Repeat("a", 64), Usage: cgroup.Usage{Memory: 1 << 20, MemoryLimit: 2 << 20, PIDs: 3}, Inner: []cgroup.Node{{ID: "inner"}}},
		{ID: strings.Repeat("b", 64)},
	}
	want := `/cg/sandbox  cgroup v2
├─ aaaaaaaaaaaa web                  ▕██████████          ▏  1MiB / 2MiB  3 processes and threads
│  └─ inner                                                  0B / max     0 processes and threads
└─ bbbbbbbbbbbb (of another --root)                          0B / max     0 processes and threads
`
	got := drawTree("/cg/sandbox", nodes, map[string]string{nodes[0].ID: "web"}, cgroup.V2, "en")
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := drawTree("/cg/sandbox", nil, nil, cgroup.V1, "zh"); !strings.Contains(got, "没有在运行的容器") {
		t.Error(got)
	}
}
