package testscripts

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The benchmarks measure whole commands, each against its peers in the same run, in turn: A B C A B C …, so that a machine
// that slows down slows all of them. Medians are reported, as milliseconds and as ratios. They need root. A benchmark that
// is cut off leaves containers behind, which end, and go, by themselves.
//
//	go test ./testscripts -run '^$' -bench . -benchtime 30x

// contender is one command of a comparison.
type contender struct {
	name   string
	before func() // may be nil; what comes before each run and is not measured
	make   func() *exec.Cmd
	took   []time.Duration
}

// prepare makes ready for a run. The disk has nothing to do any more that another one has left it.
func (c *contender) prepare() {
	if c.before != nil {
		c.before()
		syscall.Sync()
	}
}

// race runs all contenders b.N times in turn, after a warm-up, and reports their medians.
func race(b *testing.B, list []*contender) {
	b.Helper()
	for _, c := range list {
		c.prepare()
		if out, err := c.make().CombinedOutput(); err != nil {
			b.Fatalf("%s: %v: %s", c.name, err, out)
		}
	}
	b.ResetTimer()
	for range b.N {
		for _, c := range list {
			c.prepare()
			cmd := c.make()
			// A session of its own, as daemons have: the kernel shares out a busy machine by session (sched(7), autogroup).
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			start := time.Now()
			if err := cmd.Run(); err != nil {
				b.Fatalf("%s: %v", c.name, err)
			}
			c.took = append(c.took, time.Since(start))
		}
	}
	b.StopTimer()
	for _, c := range list {
		b.ReportMetric(median(c.took), c.name+"-ms")
		if c != list[0] {
			b.ReportMetric(median(list[0].took)/median(c.took), list[0].name+"/"+c.name)
		}
	}
	b.ReportMetric(0, "ns/op")
}

func median(list []time.Duration) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return float64(sorted[len(sorted)/2].Microseconds()) / 1000
}

// bench is a store with the base image, on the machine itself: the peers cannot be in a pocket host.
func bench(b *testing.B) (run func(args ...string) *exec.Cmd, layer string) {
	b.Helper()
	if os.Getuid() != 0 {
		b.Skip("needs [root]: the peers do")
	}
	root := filepath.Join(built, "bench")
	run = func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(built, "sandbox"), args...)
		cmd.Env = append(os.Environ(), "SANDBOX_ROOT="+root)
		return cmd
	}
	if out, err := run("run", "--rm", "base", "true").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	layers, err := os.ReadDir(filepath.Join(root, "layers"))
	if err != nil || len(layers) == 0 {
		b.Fatal("no layer", err)
	}
	return run, filepath.Join(root, "layers", layers[0].Name())
}

// BenchmarkRun: a container from start to finish, against the floor, and runc on the same root file system.
func BenchmarkRun(b *testing.B) {
	run, layer := bench(b)
	floor := filepath.Join(built, "floor")
	build := exec.Command("go", "build", "-o", floor, "sandbox/testscripts/floor")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	list := []*contender{
		{name: "sandbox", make: func() *exec.Cmd { return run("run", "--rm", "--network", "none", "base", "true") }},
		{name: "floor", make: func() *exec.Cmd { return exec.Command(floor, layer, b.TempDir(), "/bin/true") }},
	}
	if bundle := runcBundle(b, layer); bundle != "" {
		list = append(list, &contender{name: "runc", make: func() *exec.Cmd {
			return exec.Command("runc", "run", "-b", bundle, "sandbox-bench")
		}})
	}
	race(b, list)
}

// runcBundle is the base image's layer as an OCI bundle; "" without runc.
func runcBundle(b *testing.B, layer string) string {
	if _, err := exec.LookPath("runc"); err != nil {
		return ""
	}
	dir := b.TempDir()
	spec := exec.Command("runc", "spec")
	spec.Dir = dir
	if out, err := spec.CombinedOutput(); err != nil {
		b.Fatalf("runc spec: %v: %s", err, out)
	}
	file := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(data, &config); err != nil {
		b.Fatal(err)
	}
	process := config["process"].(map[string]any)
	process["terminal"], process["args"] = false, []string{"/bin/true"}
	config["root"] = map[string]any{"path": layer, "readonly": true}
	data, _ = json.Marshal(config)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkExec: another program in a container that runs, against the floor of a whole container.
func BenchmarkExec(b *testing.B) {
	run, _ := bench(b)
	if out, err := run("run", "-d", "--rm", "--name", "bench-exec", "base", "sleep", "200").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	defer run("rm", "-f", "bench-exec").Run()
	race(b, []*contender{{name: "exec", make: func() *exec.Cmd { return run("exec", "bench-exec", "true") }}})
}

// BenchmarkIdle: 100 containers that only sleep. How long until they run, and how much memory a monitor has.
func BenchmarkIdle(b *testing.B) {
	run, _ := bench(b)
	const count = 100
	var took []time.Duration
	var resident []int
	for range b.N {
		start := time.Now()
		for i := range count {
			if out, err := run("run", "-d", "--rm", "--name", fmt.Sprint("idle", i), "base", "sleep", "200").CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
		took = append(took, time.Since(start))
		out, err := run("inspect", "-f", "{{.State.Monitor}}", "idle50").Output()
		if err == nil {
			resident = append(resident, residentKiB(strings.TrimSpace(string(out))))
		}
		args := []string{"rm", "-f"}
		for i := range count {
			args = append(args, fmt.Sprint("idle", i))
		}
		if out, err := run(args...).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	b.ReportMetric(median(took)/1000, "s/100-containers")
	slices.Sort(resident)
	b.ReportMetric(float64(resident[len(resident)/2])/1024, "monitor-MiB")
	b.ReportMetric(0, "ns/op")
}

// residentKiB is VmRSS of a process (proc(5)).
func residentKiB(pid string) int {
	data, _ := os.ReadFile("/proc/" + pid + "/status")
	for _, line := range strings.Split(string(data), "\n") {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var n int
			fmt.Sscan(value, &n)
			return n
		}
	}
	return 0
}
