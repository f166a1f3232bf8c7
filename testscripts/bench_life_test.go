package testscripts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Benchmarks of what looks at containers, and of what they print. Like those of bench_test.go they run on the machine itself.

// must runs a command that a benchmark stands on, and returns what it prints.
func must(b *testing.B, cmd *exec.Cmd) string {
	b.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %v: %s", cmd.Args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// BenchmarkPs: `ps -a` with 1,000 containers. All but one are copies of its record under other names.
func BenchmarkPs(b *testing.B) {
	run, _ := bench(b)
	const count = 1000
	id := must(b, run("create", "--name", "c0", "base", "sleep", "1000"))
	defer run("rm", "c0").Run()
	root := filepath.Join(built, "bench")
	record, err := os.ReadFile(filepath.Join(root, "containers", id, "container.json"))
	if err != nil {
		b.Fatal(err)
	}
	for i := 1; i < count; i++ {
		other, name := fmt.Sprintf("%06d%s", i, id[6:]), fmt.Sprint("c", i)
		copied := bytes.ReplaceAll(bytes.ReplaceAll(record, []byte(id), []byte(other)), []byte(`"/c0"`), []byte(`"/`+name+`"`))
		dir := filepath.Join(root, "containers", other)
		link := filepath.Join(root, "names", name)
		defer os.RemoveAll(dir)
		defer os.Remove(link)
		if os.Mkdir(dir, 0o711) != nil || os.WriteFile(filepath.Join(dir, "container.json"), copied, 0o600) != nil || os.Symlink(other, link) != nil {
			b.Fatal("a copy could not be made")
		}
	}
	if n := strings.Count(must(b, run("ps", "-aq")), "\n") + 1; n != count {
		b.Fatalf("%d containers", n)
	}
	race(b, []*contender{
		{name: "ps-a", make: func() *exec.Cmd { return run("ps", "-a") }},
		{name: "ps-q-f", make: func() *exec.Cmd { return run("ps", "-aq", "-f", "status=exited") }},
		{name: "version", make: func() *exec.Cmd { return run("version") }},
	})
}

// BenchmarkLogs: `logs` of a file of 1 GB, into /dev/null.
func BenchmarkLogs(b *testing.B) {
	run, _ := bench(b)
	const size = 1 << 30
	must(b, run("run", "--name", "talks", "--log-opt", "max-size=-1", "base", "echo", strings.Repeat("x", 79)))
	defer run("rm", "talks").Run()
	path := must(b, run("inspect", "-f", "{{.LogPath}}", "talks"))
	line, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(file, 1<<20)
	for n := 0; n < size; n += len(line) {
		w.Write(line)
	}
	if w.Flush() != nil || file.Close() != nil {
		b.Fatal("the disk is full")
	}
	list := []*contender{
		{name: "logs", make: func() *exec.Cmd { return run("logs", "talks") }},
		{name: "tail", make: func() *exec.Cmd { return run("logs", "-n", "10", "talks") }},
		{name: "cat", make: func() *exec.Cmd { return exec.Command("cat", path) }},
	}
	race(b, list)
	b.ReportMetric(size/1e3/median(list[0].took), "MB/s")
}

// BenchmarkPrint: a container that prints 64 MB of lines as fast as it can, into its log and nowhere, against the same into a
// pipe to cat. It is the container's own time, from its start to its end.
func BenchmarkPrint(b *testing.B) {
	run, _ := bench(b)
	print := "yes " + strings.Repeat("x", 79) + " | head -c 64000000"
	list := []struct {
		name, driver, command string
		took                  []time.Duration
	}{
		{name: "logged", driver: "json-file", command: print}, {name: "unlogged", driver: "none", command: print},
		{name: "cat", driver: "json-file", command: print + " | cat > /dev/null"},
	}
	for range b.N {
		for i := range list {
			c := &list[i]
			must(b, run("run", "-d", "--name", "prints", "--log-driver", c.driver, "base", "sh", "-c", c.command))
			must(b, run("wait", "prints"))
			var state struct{ StartedAt, FinishedAt time.Time }
			if err := json.Unmarshal([]byte(must(b, run("inspect", "-f", "{{json .State}}", "prints"))), &state); err != nil {
				b.Fatal(err)
			}
			c.took = append(c.took, state.FinishedAt.Sub(state.StartedAt))
			must(b, run("rm", "prints"))
		}
	}
	for _, c := range list {
		b.ReportMetric(median(c.took), c.name+"-ms")
	}
	b.ReportMetric(median(list[0].took)/median(list[2].took), "logged/cat")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStop: `stop` of a program that ends as soon as it is asked to.
func BenchmarkStop(b *testing.B) {
	run, _ := bench(b)
	var took []time.Duration
	for range b.N {
		must(b, run("run", "-d", "--name", "polite", "base", "sh", "-c", "trap 'exit 0' TERM; echo ready; sleep 1000 & wait"))
		for !strings.Contains(must(b, run("logs", "polite")), "ready") {
			time.Sleep(5 * time.Millisecond)
		}
		start := time.Now()
		must(b, run("stop", "polite"))
		took = append(took, time.Since(start))
		must(b, run("rm", "polite"))
	}
	b.ReportMetric(median(took), "stop-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkMany: 200 containers at once. What they and their monitors have of the memory, shared pages counted once (Pss), and
// what it takes to look at them all: the time that passes, in which stats waits between its two looks, and its processor time.
func BenchmarkMany(b *testing.B) {
	run, _ := bench(b)
	const count = 200
	for range b.N {
		start := time.Now()
		var starters sync.WaitGroup
		next := make(chan int)
		for range 8 {
			starters.Go(func() {
				for i := range next {
					if out, err := run("run", "-d", "--rm", "--name", fmt.Sprint("many", i), "base", "sleep", "200").CombinedOutput(); err != nil {
						b.Errorf("%v: %s", err, out)
					}
				}
			})
		}
		args := []string{"rm", "-f"}
		for i := range count {
			next <- i
			args = append(args, fmt.Sprint("many", i))
		}
		close(next)
		starters.Wait()
		b.ReportMetric(time.Since(start).Seconds(), "s/200-containers")
		var states []struct{ Pid, Monitor int }
		if err := json.Unmarshal([]byte("["+strings.ReplaceAll(must(b, run(append([]string{"inspect", "-f", "{{json .State}}"}, args[2:]...)...)), "\n", ",")+"]"), &states); err != nil {
			b.Fatal(err)
		}
		var monitors, programs int
		for _, s := range states {
			monitors, programs = monitors+sharedKiB(s.Monitor), programs+sharedKiB(s.Pid)
		}
		b.ReportMetric(float64(monitors)/1024, "monitors-MiB")
		b.ReportMetric(float64(programs)/1024, "programs-MiB")
		var took, used []time.Duration
		for range 5 {
			stats, start := run("stats", "--no-stream"), time.Now()
			if n := strings.Count(must(b, stats), "\n"); n != count {
				b.Fatalf("stats shows %d containers", n)
			}
			took, used = append(took, time.Since(start)), append(used, stats.ProcessState.UserTime()+stats.ProcessState.SystemTime())
		}
		b.ReportMetric(median(took), "stats-ms")
		b.ReportMetric(median(used), "stats-cpu-ms")
		must(b, run(args...))
	}
	b.ReportMetric(0, "ns/op")
}

// sharedKiB is the proportional set size of a process.
func sharedKiB(pid int) (n int) {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "Pss:"); ok {
			fmt.Sscan(value, &n)
		}
	}
	return n
}
