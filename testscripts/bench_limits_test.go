package testscripts

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkLimits: what setting all limits adds to `run`, and how exactly they hold. It needs to be root, and an idle machine.
func BenchmarkLimits(b *testing.B) {
	run, _ := bench(b)
	all := strings.Fields("-m 100m --memory-swap 200m --memory-reservation 50m -c 512 --cpus 2 --pids-limit 90 --oom-score-adj 100")
	for _, rate := range []string{"--device-read-bps", "--device-write-bps", "--device-read-iops", "--device-write-iops"} {
		all = append(all, rate, b.TempDir()+":1000000000") // not what holds the container itself up
	}
	b.Run("adds", func(b *testing.B) {
		race(b, []*contender{
			{name: "none", make: func() *exec.Cmd { return run("run", "--rm", "base", "true") }},
			{name: "all", make: func() *exec.Cmd {
				return run(append(append([]string{"run", "--rm"}, all...), "base", "true")...)
			}},
		})
	})
	b.Run("memory", func(b *testing.B) {
		run("run", "--name", "greedy", "-m", "100m", "--memory-swap", "100m", "--shm-size", "300m", "base", "dd", "if=/dev/zero", "of=/dev/shm/x", "bs=1M", "count=200").Run()
		defer run("rm", "-f", "greedy").Run()
		off(b, must(b, run("inspect", "-f", "{{.State.SandboxEnd.Memory.Peak}}", "greedy")), 100<<20)
	})
	spin := func(b *testing.B, name string, flags ...string) string {
		must(b, run(append(append([]string{"run", "-d", "--name", name, "--cpuset-cpus", "0"}, flags...), "base", "sh", "-c", "while :; do :; done")...))
		b.Cleanup(func() { run("rm", "-f", name).Run() })
		return must(b, run("inspect", "-f", "{{.State.Pid}}", name))
	}
	b.Run("quota", func(b *testing.B) {
		pid := spin(b, "half", "--cpus", "0.5")
		before, begin := ticks(b, pid), time.Now()
		time.Sleep(5 * time.Second)
		off(b, fmt.Sprint((ticks(b, pid)-before)/100/time.Since(begin).Seconds()), 0.5)
	})
	b.Run("shares", func(b *testing.B) {
		one, two := spin(b, "whole", "-c", "1024"), spin(b, "less", "-c", "512")
		first, second := ticks(b, one), ticks(b, two)
		time.Sleep(5 * time.Second)
		want := 2.0
		if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
			want = 100.0 / 59 // the weights that 1024 and 512 become on v2
		}
		off(b, fmt.Sprint((ticks(b, one)-first)/(ticks(b, two)-second)), want)
	})
	dir, err := os.MkdirTemp("/var/tmp", "limits")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	write := func(b *testing.B, amount float64, flag, size, count string) {
		begin := time.Now()
		must(b, run("run", "--rm", flag, "-v", dir+":/disk", "base", "dd", "if=/dev/zero", "of=/disk/x", "oflag=direct", "bs="+size, "count="+count))
		off(b, fmt.Sprint(amount/time.Since(begin).Seconds()), 1)
	}
	b.Run("bps", func(b *testing.B) { write(b, 20.0/4, "--device-write-bps="+dir+":4mb", "1M", "20") })
	b.Run("iops", func(b *testing.B) { write(b, 500.0/100, "--device-write-iops="+dir+":100", "4k", "500") })
}

// ticks are the processor time of a process, in hundredths of a second: fields 14 and 15 of /proc/PID/stat.
func ticks(b *testing.B, pid string) float64 {
	data, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return user + system
}

// off reports by how many percent a measured value is off what was asked for.
func off(b *testing.B, measured string, want float64) {
	got, err := strconv.ParseFloat(measured, 64)
	if err != nil {
		b.Fatalf("measured %q", measured)
	}
	b.ReportMetric(math.Abs(got/want-1)*100, "%off")
	b.ReportMetric(0, "ns/op")
}
