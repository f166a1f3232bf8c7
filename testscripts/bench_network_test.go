package testscripts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sandbox/kernel"
)

// Benchmarks run in a network namespace of their own: the machine's network is none of their business.

// inOwnNetwork runs this very test program again in a new network namespace, and returns its exit code.
func inOwnNetwork() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), ownNetwork+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	cmd.Run()
	return cmd.ProcessState.ExitCode()
}

const ownNetwork = "SANDBOX_BENCH_NETWORK"

// BenchmarkRunBridge: a container on the default bridge from start to finish, against one without a network, one with published ports,
// Docker and Podman.
func BenchmarkRunBridge(b *testing.B) {
	run, _ := bench(b)
	list := []*contender{
		{name: "bridge", make: func() *exec.Cmd { return run("run", "--rm", "base", "true") }},
		{name: "none", make: func() *exec.Cmd { return run("run", "--rm", "--network", "none", "base", "true") }},
		{name: "published", make: func() *exec.Cmd {
			return run("run", "--rm", "-p", "127.0.0.1:8081:81", "-p", "127.0.0.1:8082:82", "base", "true")
		}},
	}
	if has("dockerd") {
		docker := startDocker(b, nil)
		fill(b, run("save", "base"), docker("load"))
		list = append(list, &contender{name: "docker", make: func() *exec.Cmd { return docker("run", "--rm", "base", "true") }})
	}
	if has("podman") {
		dir := b.TempDir()
		podman := func(args ...string) *exec.Cmd {
			return exec.Command("podman", append([]string{"--root", dir + "/root", "--runroot", dir + "/run", "--cgroup-manager", "cgroupfs"}, args...)...)
		}
		fill(b, run("save", "base"), podman("load"))
		if out, err := podman("run", "--rm", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "base", "true").CombinedOutput(); err == nil {
			list = append(list, &contender{name: "podman", make: func() *exec.Cmd {
				return podman("run", "--rm", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "base", "true")
			}})
		} else {
			b.Logf("podman does not run here: %s", out)
		}
	}
	race(b, list)
}

// BenchmarkNetworkCreate: what it takes beside the start of the program, which `version` shows. At most 25 times: then the subnets
// are used up. None is removed meanwhile: rules that are added right after others were taken away wait for the kernel to be done with those.
func BenchmarkNetworkCreate(b *testing.B) {
	run, _ := bench(b)
	made := []string{"network", "rm"}
	create := &contender{name: "create", make: func() *exec.Cmd {
		made = append(made, fmt.Sprint("bench", len(made)))
		return run("network", "create", made[len(made)-1])
	}}
	start := &contender{name: "start", make: func() *exec.Cmd { return run("version") }}
	race(b, []*contender{create, start})
	b.ReportMetric(median(create.took)-median(start.took), "create-alone-ms")
	must(b, run(made...))
}

// BenchmarkCrowd: the last of 500 containers on one bridge starts as fast as the first.
func BenchmarkCrowd(b *testing.B) {
	run, _ := bench(b)
	const count, some = 500, 25
	for range b.N {
		var took []time.Duration
		remove := []string{"rm", "-f"}
		for i := range count {
			name := fmt.Sprint("crowd", i)
			start := time.Now()
			must(b, run("run", "-d", "--name", name, "base", "sleep", "1000"))
			took, remove = append(took, time.Since(start)), append(remove, name)
		}
		first, last := median(took[:some]), median(took[count-some:])
		b.ReportMetric(first, "first-ms")
		b.ReportMetric(last, "last-ms")
		b.ReportMetric(last/first, "last/first")
		must(b, run(remove...))
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkThroughput: one TCP connection from container to container, from the host to a container, and to a published port,
// against two namespaces with veth pairs in a bridge that were made by hand.
func BenchmarkThroughput(b *testing.B) {
	run, _ := bench(b)
	if !has("ip") {
		b.Skip("needs [ip]: the bridge by hand")
	}
	stream := filepath.Join(built, "stream")
	build := exec.Command("go", "build", "-o", stream, "sandbox/testscripts/stream")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	const port, published, duration = "5001", "5002", "1s"
	send := func(to string) []string { return []string{"send", to + ":" + port, duration} }

	// by hand: br0 with 10.77.0.1, and two namespaces with .2 and .3
	by := func(script string) string { return must(b, exec.Command("sh", "-ec", script)) }
	pids := map[int]string{}
	by("ip link add br0 type bridge; ip addr add 10.77.0.1/24 dev br0; ip link set br0 up")
	for host := 2; host <= 3; host++ {
		holder := exec.Command("sleep", "10000")
		holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
		if err := holder.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { holder.Process.Kill(); holder.Wait() })
		pids[host] = strconv.Itoa(holder.Process.Pid)
		by(fmt.Sprintf(`ip link add h%d type veth peer name eth0 netns %s; ip link set h%[1]d master br0 up
			nsenter --net=/proc/%[2]s/ns/net sh -ec "ip link set lo up; ip addr add 10.77.0.%[1]d/24 dev eth0; ip link set eth0 up"`, host, pids[host]))
	}
	b.Cleanup(func() { exec.Command("ip", "link", "del", "br0").Run() })
	within := func(host int, args ...string) *exec.Cmd {
		return exec.Command("nsenter", append([]string{"--net=/proc/" + pids[host] + "/ns/net", stream}, args...)...)
	}
	server := within(2, "serve", port)
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Process.Kill(); server.Wait() })

	must(b, run("run", "-d", "--name", "server", "-p", published+":"+port, "-v", stream+":/stream", "base", "/stream", "serve", port))
	must(b, run("run", "-d", "--name", "sender", "-v", stream+":/stream", "base", "sleep", "10000"))
	b.Cleanup(func() { run("rm", "-f", "server", "sender").Run() })
	container := strings.TrimSpace(must(b, run("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "server")))
	gateway := strings.TrimSpace(must(b, run("inspect", "-f", "{{.NetworkSettings.Gateway}}", "server")))

	ways := []struct {
		name string
		cmd  func() *exec.Cmd
		peer string
	}{
		{"bare-between", func() *exec.Cmd { return within(3, send("10.77.0.2")...) }, ""},
		{"between", func() *exec.Cmd { return run(append([]string{"exec", "sender", "/stream"}, send(container)...)...) }, "bare-between"},
		{"bare-host", func() *exec.Cmd { return exec.Command(stream, send("10.77.0.2")...) }, ""},
		{"host", func() *exec.Cmd { return exec.Command(stream, send(container)...) }, "bare-host"},
		{"published", func() *exec.Cmd { return exec.Command(stream, "send", gateway+":"+published, duration) }, "bare-host"},
	}
	speeds := map[string][]float64{}
	for range b.N {
		for _, w := range ways {
			speed, err := strconv.ParseFloat(strings.TrimSpace(must(b, w.cmd())), 64)
			if err != nil {
				b.Fatal(err)
			}
			speeds[w.name] = append(speeds[w.name], speed)
		}
	}
	middle := func(list []float64) float64 { return slices.Sorted(slices.Values(list))[len(list)/2] }
	for _, w := range ways {
		b.ReportMetric(middle(speeds[w.name])/1e9, w.name+"-GB/s")
		if w.peer != "" {
			b.ReportMetric(middle(speeds[w.name])/middle(speeds[w.peer]), w.name+"/bare")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// loopbackUp switches it on, in a new namespace.
func loopbackUp() { (&kernel.Door{}).Do(kernel.Because(kernel.LinkUp{Name: "lo"}, "", "")) }
