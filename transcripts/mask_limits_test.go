package transcripts

import (
	"slices"
	"strings"
	"testing"

	"sandbox/cgroup"
)

// measured are rules for what 3.4 measures, and for this machine's disk.
var measured = rules(
	`\b[\d.]+[KMG]iB / `, `<size> / `,
	`^(  (?:MemTotal|SwapTotal): +)[1-9]\d* kB$`, `$1<size>`,
	`copied, [\d.e+-]+ s, \S+( \S+)?B/s$`, `copied, <time>, <rate>`,
	` +[\d.]+% [█▏▎▍▌▋▊▉]+$`, ` <share> <bar>`,
	`^(  nr_[a-z]+) \d+$`, `$1 <n>`,
	`^(    [a-z]+\.[a-z_.]+)  +(\S.*?)  +(-.*?)  +(\S)`, `$1   $2   $3   $4`, // as wide as the widest of what is not shown
	`worker \d+ got`, `worker <pid> got`,
	`run completed in \d+s$`, `run completed in <n>s`,
	`^(  blkio\.[a-z_.]+:)\d+:\d+ `, `$1<disk> `,
	`^  \d+:\d+ (rbps=)`, `  <disk> $1`,
	`(echo ')\d+:\d+ (\S*\d+' > \S+(?:_device|io\.max)\b)`, `$1<disk> $2`,
	`echo '\d+ \d+' (> \S+/cgroup.event_control)`, `echo '<fd> <fd>' $1`,
	`/dev/[a-z0-9]+ \((?:\d+|<n>):(?:\d+|<n>)\)`, `<disk>`,
	`^    → .*\b(bfq|io\.cost)\b.*`, `    → <cure>`,
	`echo [\d,-]+ (> \S+/cpuset\.(?:cpus|mems)(?: *$| .*<controller>))`, `echo <all> $1`,
)

// dispatchedFirst puts what stress begins with, on its standard output, before its complaints, on the other.
func dispatchedFirst(lines []string) []string {
	out := slices.Clone(lines)
	for i := range out {
		for j := i; j > 0 && strings.Contains(out[j], "] dispatching hogs: ") && strings.HasPrefix(out[j-1], "  stress: "); j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// variant is the part of the names of a lab's transcripts for machines that are not like the first one they were made on: with
// version 2 of control groups, and for 3.4 with swap, with a disk that goes by weights, or without a disk.
func variant(number string) string {
	name := ""
	host := cgroup.Detect()
	if host.Mode == cgroup.V2 {
		name = ".v2"
	}
	if number != "3.4" {
		return name
	}
	if cgroup.HasSwap() {
		name += ".swap"
	}
	if w := host.Weighers(); len(w.BFQ)+len(w.Cost) > 0 {
		name += ".weights"
	}
	if _, err := host.DiskOf(program); err != nil {
		name += ".nodisk"
	}
	return name
}

func TestMaskLimits(t *testing.T) {
	const text = `  $ sandbox run --device-write-bps /run/pocket/disk/test.dd:20MB base dd
  ┆   echo '254:0 100' > /sys/fs/cgroup/blkio/sandbox/x/blkio.throttle.write_iops_device   # writes a second of the disk /dev/vda (254:0)
  ┆   echo 0-1 > /sys/fs/cgroup/cpuset/sandbox/cpuset.cpus   # cpuset: a group starts with none
  62914560 bytes (63 MB, 60 MiB) copied, 2.98568 s, 21 MB/s
  box: 2.246MiB / 200MiB
  SwapTotal:             0 kB
  container_A  100.00% ████████████████████████████████████████
  container_B    0.00%
  stress: FAIL: [1] (415) <-- worker 9 got signal 9
  stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd
  blkio.throttle.write_bps_device:254:0 20971520
The 20MB of a sentence`
	const want = `  $ sandbox run --device-write-bps /run/pocket/disk/test.dd:20MB base dd
  ┆   echo '<disk> 100' > /sys/fs/cgroup/<controller>/sandbox/x/blkio.throttle.write_iops_device   # writes a second of the disk <disk>
  ┆   echo <all> > /sys/fs/cgroup/<controller>/sandbox/cpuset.cpus   # <controller>: a group starts with none
  62914560 bytes (<size>, 60 MiB) copied, <time>, <rate>
  box: <size> / 200MiB
  SwapTotal:             0 kB
  container_A <share> <bar>
  container_B    0.00%
  stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd
  stress: FAIL: [1] (415) <-- worker <pid> got signal 9
  blkio.throttle.write_bps_device:<disk> 20971520
The 20MB of a sentence`
	if got := mask(text); got != want {
		t.Errorf("mask:\n%s\nwant:\n%s", got, want)
	}
}
