package chapter3

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sandbox/cgroup"
	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// in is the English or the Chinese of two.
func in(language, english, chinese string) string {
	return kernel.Why{EN: english, ZH: chinese}.In(language)
}

// plainValue is a file's value for people; "" where the value itself is.
func plainValue(f cgroup.File, language string) string {
	if f.NoLimit() {
		return in(language, "no limit", "不限")
	}
	n, err := strconv.ParseInt(strings.TrimSpace(f.Value), 10, 64)
	if err != nil {
		return plainLines(f, language)
	}
	switch f.Unit {
	case cgroup.Bytes:
		return command.BinarySize(n)
	case cgroup.Microseconds:
		return (time.Duration(n) * time.Microsecond).String()
	case cgroup.Nanoseconds:
		return time.Duration(n).Round(time.Millisecond).String()
	}
	return ""
}

// plainLines is for values that are no single number.
func plainLines(f cgroup.File, language string) string {
	switch f.Name {
	case "cpu.max": // quota and period
		fields := strings.Fields(f.Value)
		if len(fields) != 2 {
			return ""
		}
		quota, err1 := strconv.ParseFloat(fields[0], 64)
		period, err2 := strconv.ParseFloat(fields[1], 64)
		if err1 == nil && err2 == nil && period > 0 {
			return strconv.FormatFloat(quota/period, 'g', 3, 64) + " CPU"
		}
	case "cpu.stat":
		return plainStat(f.Value, language)
	case "io.stat", "blkio.throttle.io_service_bytes":
		return plainTraffic(f.Value, language)
	case "devices.list":
		count := len(strings.Split(f.Value, "\n"))
		return fmt.Sprintf(in(language, "%d rules; all else is refused", "%d 条规则，其余一律不许"), count)
	}
	return ""
}

// plainStat says how often a quota was met; v1 counts the time that was lost to it in nanoseconds, v2 in microseconds.
func plainStat(value, language string) string {
	counts := map[string]int64{}
	for line := range strings.Lines(value) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		counts[name], _ = strconv.ParseInt(number, 10, 64)
	}
	text := ""
	if used, ok := counts["usage_usec"]; ok {
		text = fmt.Sprintf(in(language, "%v used; ", "用了 %v；"), (time.Duration(used) * time.Microsecond).Round(time.Millisecond))
	}
	lost := time.Duration(counts["throttled_time"]) + time.Duration(counts["throttled_usec"])*time.Microsecond
	return text + fmt.Sprintf(in(language, "waited in %d of %d periods, %v", "%[2]d 个周期里有 %[1]d 个停下等，共 %[3]v"), counts["nr_throttled"], counts["nr_periods"], lost.Round(time.Millisecond))
}

// plainTraffic adds up what was read and written, of lines of either version: "254:0 Read 4096", "254:0 rbytes=4096 wbytes=0 …".
func plainTraffic(value, language string) string {
	type traffic struct{ read, written int64 }
	disks := map[string]*traffic{}
	var order []string
	for line := range strings.Lines(value) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.Contains(fields[0], ":") {
			continue
		}
		t := disks[fields[0]]
		if t == nil {
			t = &traffic{}
			disks[fields[0]], order = t, append(order, fields[0])
		}
		if len(fields) == 3 && !strings.Contains(fields[1], "=") {
			fields = []string{"", strings.Replace(strings.Replace(fields[1], "Read", "rbytes", 1), "Write", "wbytes", 1) + "=" + fields[2]}
		}
		for _, field := range fields[1:] {
			name, number, _ := strings.Cut(field, "=")
			n, _ := strconv.ParseInt(number, 10, 64)
			switch name {
			case "rbytes":
				t.read = n
			case "wbytes":
				t.written = n
			}
		}
	}
	var parts []string
	for _, disk := range order {
		parts = append(parts, fmt.Sprintf(in(language, "%s: %s read, %s written", "%s：读 %s，写 %s"), disk, command.Size(disks[disk].read), command.Size(disks[disk].written)))
	}
	return strings.Join(parts, in(language, "; ", "；"))
}

// setBy says where a setting comes from: the flag as it would be typed, the usual, or somebody's hand. Counters come from nobody.
func setBy(r *container.Record, f cgroup.File, language string) string {
	if f.Role != cgroup.Ceiling && f.Role != cgroup.Setting && f.Wanted == "" {
		return ""
	}
	flags := typed(r, f)
	switch {
	case f.Changed() && flags != "":
		return flags + in(language, ", changed since", "，后来被改过")
	case f.Changed():
		return in(language, "by hand", "手工写入")
	case flags != "":
		return flags
	}
	return in(language, "default", "默认")
}

// typed are the flags that set a file, with the values that they have.
func typed(r *container.Record, f cgroup.File) string {
	given := givenFlags(r)
	var list []string
	for _, flag := range f.Flags {
		if text := given[flag]; text != "" && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return strings.Join(list, " ")
}

// givenFlags are the flags that limit a container, as they would be typed. Docker calls twice the memory the usual of memory and
// swap together.
func givenFlags(r *container.Record) map[string]string {
	hc := &r.HostConfig
	given := map[string]string{}
	number := func(flag string, n int64) {
		if n != 0 {
			given[flag] = flag + " " + strconv.FormatInt(n, 10)
		}
	}
	bytes := func(flag string, n int64) {
		if n != 0 {
			given[flag] = flag + " " + flagSize(n)
		}
	}
	text := func(flag, value string) {
		if value != "" {
			given[flag] = flag + " " + value
		}
	}
	bytes("-m", hc.Memory)
	bytes("--memory-swap", hc.MemorySwap)
	if hc.Memory > 0 && hc.MemorySwap == 2*hc.Memory {
		given["--memory-swap"] = given["-m"] + " ×2"
	}
	bytes("--memory-reservation", hc.MemoryReservation)
	if s := hc.MemorySwappiness; s != nil && *s >= 0 {
		given["--memory-swappiness"] = fmt.Sprintf("--memory-swappiness %d", *s)
	}
	if d := hc.OomKillDisable; d != nil && *d {
		given["--oom-kill-disable"] = "--oom-kill-disable"
	}
	number("--cpu-shares", hc.CpuShares)
	number("--cpu-period", hc.CpuPeriod)
	number("--cpu-quota", hc.CpuQuota)
	if hc.NanoCpus != 0 {
		given["--cpus"] = "--cpus " + strconv.FormatFloat(float64(hc.NanoCpus)/1e9, 'f', -1, 64)
	}
	text("--cpuset-cpus", hc.CpusetCpus)
	text("--cpuset-mems", hc.CpusetMems)
	if p := hc.PidsLimit; p != nil {
		number("--pids-limit", *p)
	}
	blockFlags(hc, given)
	if hc.Privileged {
		given["--privileged"] = "--privileged"
	}
	var devices []string
	for _, d := range hc.Devices {
		devices = append(devices, "--device "+d.PathOnHost)
	}
	given["--device"] = strings.Join(devices, " ")
	var rules []string
	for _, rule := range hc.DeviceCgroupRules {
		rules = append(rules, "--device-cgroup-rule '"+rule+"'")
	}
	given["--device-cgroup-rule"] = strings.Join(rules, " ")
	if r.State.Paused {
		given["sandbox pause"] = command.Program() + " pause"
	}
	return given
}

func blockFlags(hc *container.HostConfig, given map[string]string) {
	if hc.BlkioWeight != 0 {
		given["--blkio-weight"] = fmt.Sprintf("--blkio-weight %d", hc.BlkioWeight)
	}
	add := func(flag, value string) { given[flag] = strings.TrimPrefix(given[flag]+" "+flag+" "+value, " ") }
	for _, d := range hc.BlkioWeightDevice {
		add("--blkio-weight-device", fmt.Sprintf("%s:%d", d.Path, d.Weight))
	}
	for _, d := range hc.BlkioDeviceReadBps {
		add("--device-read-bps", d.Path+":"+flagSize(int64(d.Rate)))
	}
	for _, d := range hc.BlkioDeviceWriteBps {
		add("--device-write-bps", d.Path+":"+flagSize(int64(d.Rate)))
	}
	for _, d := range hc.BlkioDeviceReadIOps {
		add("--device-read-iops", fmt.Sprintf("%s:%d", d.Path, d.Rate))
	}
	for _, d := range hc.BlkioDeviceWriteIOps {
		add("--device-write-iops", fmt.Sprintf("%s:%d", d.Path, d.Rate))
	}
}

// flagSize writes a size as flags take it: 200m.
func flagSize(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "g"}, {1 << 20, "m"}, {1 << 10, "k"}} {
		if n > 0 && n%unit.size == 0 {
			return strconv.FormatInt(n/unit.size, 10) + unit.name
		}
	}
	return strconv.FormatInt(n, 10)
}
