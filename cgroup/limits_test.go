package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

// fakeSys makes a sysfs with a disk vda (254:0) and a partition of it, vda1 (254:1); scheduler is its file's content.
func fakeSys(t *testing.T, scheduler string) string {
	t.Helper()
	sys := t.TempDir()
	disk := sys + "/devices/virtio/block/vda"
	write(t, disk+"/dev", "254:0")
	write(t, disk+"/device/vendor", "0x1af4")
	write(t, disk+"/queue/scheduler", scheduler)
	write(t, disk+"/vda1/dev", "254:1")
	write(t, disk+"/vda1/partition", "1")
	for link, target := range map[string]string{
		"/block/vda": "../devices/virtio/block/vda", "/dev/block/254:0": "../../devices/virtio/block/vda", "/dev/block/254:1": "../../devices/virtio/block/vda/vda1",
	} {
		if err := os.MkdirAll(filepath.Dir(sys+link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, sys+link); err != nil {
			t.Fatal(err)
		}
	}
	return sys
}

// fakeV2 is the root of a tree with all controllers, and one group in it.
func fakeV2(t *testing.T, files ...string) Host {
	t.Helper()
	root := t.TempDir()
	write(t, root+"/cgroup.controllers", "cpuset cpu io memory pids")
	write(t, root+"/cpuset.cpus.effective", "0-1")
	write(t, root+"/cpuset.mems.effective", "0")
	write(t, root+"/init.scope/memory.max", "max")
	for _, f := range files {
		write(t, root+"/init.scope/"+f, "max")
	}
	return Host{Mode: V2, Root: root, Base: root, Sys: fakeSys(t, "[none] mq-deadline bfq")}
}

func throttle(major, minor int64, rate uint64) []specs.LinuxThrottleDevice {
	d := specs.LinuxThrottleDevice{Rate: rate}
	d.Major, d.Minor = major, minor
	return []specs.LinuxThrottleDevice{d}
}

func weigh(major, minor int64, weight uint16) specs.LinuxWeightDevice {
	d := specs.LinuxWeightDevice{Weight: &weight}
	d.Major, d.Minor = major, minor
	return d
}

// values are the limits as FILE VALUE.
func values(t *testing.T, h Host, r *specs.LinuxResources) []string {
	t.Helper()
	wanted, err := h.limits(r)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, l := range wanted {
		list = append(list, l.controller+": "+l.file+" "+l.value)
		if l.why.EN == "" || l.why.In("zh") == l.why.EN && l.why.ZH == "" {
			t.Errorf("%s has no reason in both languages", l.file)
		}
		if !strings.HasPrefix(l.flag(), "-") {
			t.Errorf("%s: its reason does not begin with a flag: %q", l.file, l.why.EN)
		}
	}
	return list
}

func TestBlockLimits(t *testing.T) {
	r := &specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{
		Weight: ptr(uint16(500)), WeightDevice: []specs.LinuxWeightDevice{weigh(254, 0, 300)},
		ThrottleReadBpsDevice: throttle(254, 0, 1<<20), ThrottleWriteIOPSDevice: throttle(254, 0, 90),
	}}
	v1 := fakeV1(t.TempDir())
	v1.Sys = fakeSys(t, "none [bfq]")
	expect(t, "v1 with BFQ", values(t, v1, r), "blkio: blkio.bfq.weight 500", "blkio: blkio.bfq.weight_device 254:0 300",
		"blkio: blkio.throttle.read_bps_device 254:0 1048576", "blkio: blkio.throttle.write_iops_device 254:0 90")
	v2 := fakeV2(t)
	v2.Sys = v1.Sys
	expect(t, "v2 with BFQ", values(t, v2, r), "io: io.bfq.weight 500", "io: io.bfq.weight 254:0 300", "io: io.max 254:0 rbps=1048576", "io: io.max 254:0 wiops=90")
	v2 = fakeV2(t)
	write(t, v2.Root+"/io.cost.qos", "254:0 enable=1 ctrl=auto rpct=0.00")
	expect(t, "v2 with io.cost", values(t, v2, r), "io: io.weight 4950", "io: io.weight 254:0 2930", "io: io.max 254:0 rbps=1048576", "io: io.max 254:0 wiops=90")
}

func TestWeightsThatNothingWeighs(t *testing.T) {
	h := fakeV2(t)
	write(t, h.Root+"/io.cost.qos", "254:0 enable=0")
	for _, b := range []*specs.LinuxBlockIO{{Weight: ptr(uint16(500))}, {WeightDevice: []specs.LinuxWeightDevice{weigh(254, 0, 300)}}} {
		err := h.Check(&specs.LinuxResources{BlockIO: b})
		if err == nil || !strings.Contains(kernel.CureOf(err), "echo bfq > /sys/block/vda/queue/scheduler") {
			t.Errorf("%+v: %v (%s)", b, err, kernel.CureOf(err))
		}
	}
	h.Sys = fakeSys(t, "[none]")
	if err := h.Check(&specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: ptr(uint16(9))}}); !strings.Contains(kernel.CureOf(err), "io.cost.qos") {
		t.Errorf("without BFQ in the kernel: %v (%s)", err, kernel.CureOf(err))
	}
}

func TestWholeDisk(t *testing.T) {
	h := Host{Sys: fakeSys(t, "")}
	for minor, want := range map[int64]Disk{0: {"vda", 254, 0, ""}, 1: {"vda", 254, 0, "vda1"}} {
		if got, err := h.wholeDisk(254, minor, "x"); err != nil || got != want {
			t.Errorf("254:%d is %+v, %v; want %+v", minor, got, err, want)
		}
	}
	if _, err := h.wholeDisk(9, 9, "/dev/odd"); err == nil || kernel.CureOf(err) == "" {
		t.Errorf("no such disk: %v", err)
	}
	for name, want := range map[string]string{"/dev/null": "character device", "/proc": "lies on proc", "/no/such": "no such file"} {
		if _, err := h.DiskOf(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("DiskOf(%s): %v; want %q", name, err, want)
		}
	}
}

func TestMemoryOnV1AndV2(t *testing.T) {
	r := &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr(int64(100 << 20)), Swap: ptr(int64(100 << 20)), Reservation: ptr(int64(50 << 20))}}
	expect(t, "v2", values(t, fakeV2(t, "memory.swap.max"), r), "memory: memory.max 104857600", "memory: memory.low 52428800", "memory: memory.swap.max 0")
	r.Memory.Swappiness, r.Memory.DisableOOMKiller = ptr(uint64(7)), ptr(true)
	v1 := fakeV1(t.TempDir())
	expect(t, "v1", values(t, v1, r), "memory: memory.limit_in_bytes 104857600", "memory: memory.soft_limit_in_bytes 52428800",
		"memory: memory.memsw.limit_in_bytes 104857600", "memory: memory.swappiness 7", "memory: memory.oom_control 1")
}

func TestCheck(t *testing.T) {
	v1 := fakeV1(t.TempDir())
	write(t, v1.Hierarchies[3].Path+"/cpuset.effective_cpus", "0-3,6")
	write(t, v1.Hierarchies[3].Path+"/cpuset.effective_mems", "0")
	v2 := fakeV2(t, "memory.swap.max")
	memory := func(m specs.LinuxMemory) *specs.LinuxResources { return &specs.LinuxResources{Memory: &m} }
	cpus := func(s string) *specs.LinuxResources { return &specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: s}} }
	swap := memory(specs.LinuxMemory{Limit: ptr(int64(100 << 20)), Swap: ptr(int64(200 << 20))})
	for name, c := range map[string]struct {
		host        Host
		r           *specs.LinuxResources
		cause, cure string // "" for none: it is right
	}{
		"nothing":                   {Host{Refusal: kernel.Why{EN: "none"}}, &specs.LinuxResources{}, "", ""},
		"an ordinary user":          {Host{Mode: V1, Refusal: kernel.Why{EN: "for root"}, Cure: kernel.Why{EN: "be root"}}, cpus("0"), "(--cpuset-cpus) needs a control group: for root", "be root"},
		"processors":                {v1, cpus("1-2,6"), "", ""},
		"one that is not there":     {v1, cpus("4"), "are 0-3,6", "--cpuset-cpus 0-3,6"},
		"one that is not there, v2": {v2, cpus("0-2"), "are 0-1", "--cpuset-cpus 0-1"},
		"no list":                   {v2, cpus("a"), `"a" is no number`, "0-2,4"},
		"a range that goes back":    {v2, cpus("1-0"), "ends before it begins", "0-2,4"},
		"swap that is not counted":  {v1, swap, "does not count swap", "swapaccount=1"},
		"swap that is counted, v2":  {v2, swap, "", ""},
		"swap, v2 without":          {fakeV2(t), swap, "does not count swap", "swapaccount=1"},
		"no swap limit needs none":  {v1, memory(specs.LinuxMemory{Limit: ptr(int64(100 << 20)), Swap: ptr(int64(-1))}), "", ""},
		"swappiness on v2":          {v2, memory(specs.LinuxMemory{Swappiness: ptr(uint64(5))}), "no swappiness", "vm.swappiness=5"},
		"the OOM killer on v2":      {v2, memory(specs.LinuxMemory{DisableOOMKiller: ptr(true)}), "cannot be switched off", "--oom-score-adj"},
		"it is not to be switched":  {v2, memory(specs.LinuxMemory{DisableOOMKiller: ptr(false)}), "", ""},
		"a controller that is not":  {v1, &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr(int64(5))}}, "controller pids", "doctor"},
		"CONFIG_CFS_BANDWIDTH":      {v1, &specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: ptr(int64(5000))}}, "cannot limit processor time", "CONFIG_CFS_BANDWIDTH"},
	} {
		err := c.host.Check(c.r)
		if c.cause == "" && err != nil || c.cause != "" && (err == nil || !strings.Contains(err.Error(), c.cause) || !strings.Contains(kernel.CureOf(err), c.cure)) {
			t.Errorf("%s: %v (%s); want %q (%s)", name, err, kernel.CureOf(err), c.cause, c.cure)
		}
	}
}

func TestParseList(t *testing.T) {
	if got, err := parseList("0-2,4"); err != nil || !slices.Equal(got, []int{0, 1, 2, 4}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"", ",", "1,", "-1", "2-1", "0-999999999", "x"} {
		if _, err := parseList(s); err == nil {
			t.Errorf("%q is no list", s)
		}
	}
}
