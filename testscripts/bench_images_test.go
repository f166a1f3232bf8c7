package testscripts

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// The benchmarks of images move a Debian root (debootstrap's; a directory with another one may be named in
// $SANDBOX_BENCH_ROOT) from an archive into a store, to a registry, and back, against the peers that are installed. They
// run in a network namespace of their own, and what they write is flushed before the next one starts.
//
//	go test ./testscripts -run '^$' -bench 'Load|Push|Pull' -benchtime 7x -timeout 1h

// yard is where a benchmark of images works.
type yard struct {
	*testing.B
	dir    string                         // on the disk, not a tmpfs
	docker func(args ...string) *exec.Cmd // commands of Docker; nil without it
}

// newYard makes a directory, and takes this goroutine, and what it starts, into a network namespace.
func newYard(b *testing.B) *yard {
	b.Helper()
	if os.Getuid() != 0 {
		b.Skip("needs [root]: the peers do")
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		b.Fatal(err)
	}
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		b.Fatal(err)
	}
	return &yard{B: b, dir: b.TempDir()}
}

func has(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func (y *yard) path(name string) string { return filepath.Join(y.dir, name) }

// sandbox is a command with a store of this benchmark.
func (y *yard) sandbox(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(built, "sandbox"), args...)
	cmd.Env = append(os.Environ(), "SANDBOX_ROOT="+y.path("store"))
	return cmd
}

// must runs a command that is not measured.
func (y *yard) must(cmd *exec.Cmd) {
	y.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		y.Fatalf("%v: %v: %s", cmd.Args, err, out)
	}
}

func (y *yard) shell(script string) *exec.Cmd {
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = y.dir
	return cmd
}

// archive makes a Docker archive of a Debian root, once for all benchmarks.
func (y *yard) archive() string {
	file := filepath.Join(built, "debian.tar")
	if _, err := os.Stat(file); err == nil {
		return file
	}
	root := os.Getenv("SANDBOX_BENCH_ROOT")
	if root == "" {
		if !has("debootstrap") {
			y.Skip("needs debootstrap, or a Debian root in $SANDBOX_BENCH_ROOT")
		}
		root = filepath.Join(built, "debian")
		if out, err := exec.Command("nsenter", "-t", fmt.Sprint(os.Getpid()), "-n", "debootstrap", "--variant=minbase", "bookworm", root).CombinedOutput(); err != nil {
			y.Skipf("needs a Debian mirror: %v: %s", err, out[max(0, len(out)-500):])
		}
	}
	y.must(y.shell("tar -C '" + root + "' -cf root.tar ."))
	y.must(y.sandbox("import", y.path("root.tar"), "debian:bench"))
	y.must(y.sandbox("save", "-o", file, "debian:bench"))
	y.must(y.sandbox("rmi", "debian:bench"))
	os.Remove(y.path("root.tar"))
	info, _ := os.Stat(file)
	y.Logf("an archive of %d MB", info.Size()/1e6)
	return file
}

// startDocker starts a daemon that has the network of this benchmark; false if there is none to be had.
func (y *yard) startDocker() bool {
	y.docker = startDocker(y.B, []string{"--mount"}, "--bridge", "none", "--iptables=false")
	return y.docker != nil
}

// start starts a server, which ends with the benchmark.
func (y *yard) start(cmd *exec.Cmd) {
	y.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM} // also when the benchmark is killed
	if err := cmd.Start(); err != nil {
		y.Fatal(err)
	}
	y.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
}

func (y *yard) wait(ready func() bool) {
	y.Helper()
	for end := time.Now().Add(2 * time.Minute); !ready(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			y.Fatal("a server does not start")
		}
	}
}

// startRegistry starts the registry that all contenders use: Debian's, which is none of theirs, or else ours.
func (y *yard) startRegistry() {
	if has("docker-registry") {
		config := "version: 0.1\nlog: {accesslog: {disabled: true}, level: error}\nstorage: {filesystem: {rootdirectory: " + y.path("registry") +
			"}}\nhttp: {addr: 'localhost:5000'}\n"
		if err := os.WriteFile(y.path("registry.yml"), []byte(config), 0o600); err != nil {
			y.Fatal(err)
		}
		y.start(exec.Command("docker-registry", "serve", y.path("registry.yml")))
	} else {
		y.start(y.sandbox("registry", "serve", "--addr", "127.0.0.1:5000", "--dir", y.path("registry")))
	}
	y.wait(func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:5000") // this goroutine's thread is in the namespace
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// emptyRegistry has it forget all that was pushed.
func (y *yard) emptyRegistry() { os.RemoveAll(y.path("registry")) }

// BenchmarkLoad: an archive becomes an image that is ready to run.
func BenchmarkLoad(b *testing.B) {
	y := newYard(b)
	file := y.archive()
	list := []*contender{{name: "sandbox",
		before: func() { y.sandbox("rmi", "-f", "debian:bench").Run() },
		make:   func() *exec.Cmd { return y.sandbox("load", "-q", "-i", file) }}}
	if y.startDocker() {
		list = append(list, &contender{name: "docker",
			before: func() { y.docker("rmi", "-f", "debian:bench").Run() },
			make:   func() *exec.Cmd { return y.docker("load", "-q", "-i", file) }})
	}
	if has("skopeo") && has("umoci") {
		list = append(list, &contender{name: "skopeo+umoci",
			before: func() { os.RemoveAll(y.path("oci")); os.RemoveAll(y.path("bundle")) },
			make: func() *exec.Cmd {
				return y.shell("skopeo copy -q docker-archive:'" + file + "' oci:oci:x && umoci unpack --image oci:x bundle")
			}})
	}
	race(b, list)
}

const benchName = "localhost:5000/debian:bench"

// BenchmarkPull: the same image, its layer compressed, from a registry on the loopback interface. crane does not unpack it.
func BenchmarkPull(b *testing.B) {
	y := newYard(b)
	file := y.archive()
	y.startRegistry()
	y.must(y.sandbox("load", "-q", "-i", file))
	y.must(y.sandbox("tag", "debian:bench", benchName))
	y.must(y.sandbox("push", "-q", benchName))
	y.must(y.sandbox("rmi", "debian:bench", benchName))
	list := []*contender{{name: "sandbox",
		before: func() { y.sandbox("rmi", "-f", benchName).Run() },
		make:   func() *exec.Cmd { return y.sandbox("pull", "-q", benchName) }}}
	if y.startDocker() {
		list = append(list, &contender{name: "docker",
			before: func() { y.docker("rmi", "-f", benchName).Run() },
			make:   func() *exec.Cmd { return y.docker("pull", "-q", benchName) }})
	}
	if has("crane") {
		list = append(list, &contender{name: "crane",
			before: func() { os.RemoveAll(y.path("crane")) },
			make:   func() *exec.Cmd { return exec.Command("crane", "pull", "--format", "oci", benchName, y.path("crane")) }})
	}
	race(b, list)
}

// BenchmarkPush: an image that was pulled goes to a registry that has nothing. Who has kept the compressed layer need not
// compress it again.
func BenchmarkPush(b *testing.B) { benchmarkPush(b, true) }

// BenchmarkPushNew: one that was loaded uncompressed, as a build leaves it.
func BenchmarkPushNew(b *testing.B) { benchmarkPush(b, false) }

func benchmarkPush(b *testing.B, pulled bool) {
	y := newYard(b)
	file := y.archive()
	y.startRegistry()
	y.must(y.sandbox("load", "-q", "-i", file))
	y.must(y.sandbox("tag", "debian:bench", benchName))
	crane := []string{"push", file, benchName}
	docker := y.startDocker()
	if pulled {
		y.must(y.sandbox("push", "-q", benchName))
		y.must(y.sandbox("rmi", "debian:bench", benchName))
		y.must(y.sandbox("pull", "-q", benchName))
		if docker {
			y.must(y.docker("pull", "-q", benchName))
		}
		if has("crane") {
			y.must(exec.Command("crane", "pull", "--format", "oci", benchName, y.path("layout")))
			crane = []string{"push", y.path("layout"), benchName}
		}
	} else if docker {
		y.must(y.docker("load", "-q", "-i", file))
		y.must(y.docker("tag", "debian:bench", benchName))
	}
	list := []*contender{{name: "sandbox",
		before: func() { y.emptyRegistry(); os.RemoveAll(y.path("store/compressed")) },
		make:   func() *exec.Cmd { return y.sandbox("push", "-q", benchName) }}}
	if docker {
		list = append(list, &contender{name: "docker", before: y.emptyRegistry, make: func() *exec.Cmd { return y.docker("push", "-q", benchName) }})
	}
	if has("crane") {
		list = append(list, &contender{name: "crane", before: y.emptyRegistry, make: func() *exec.Cmd { return exec.Command("crane", crane...) }})
	}
	race(b, list)
}

// BenchmarkMemory: what a layer of 2 GB takes of it, at most, on its way in and out.
func BenchmarkMemory(b *testing.B) {
	y := newYard(b)
	y.startRegistry()
	y.must(y.shell(`mkdir context; head -c 1000000000 /dev/urandom > context/big; yes "something that compresses well" | head -c 1000000000 >> context/big
		printf 'FROM scratch\nCOPY big /\n' > context/Dockerfile; tar -C context -cf big.tar big`))
	const name = "localhost:5000/big:1"
	for range b.N {
		for _, step := range []struct {
			what string
			args []string
		}{
			{"import", []string{"import", y.path("big.tar"), name}}, {"save", []string{"save", "-o", y.path("saved.tar"), name}}, {"", []string{"rmi", name}},
			{"load", []string{"load", "-q", "-i", y.path("saved.tar")}}, {"push", []string{"push", "-q", name}}, {"", []string{"rmi", name}},
			{"pull", []string{"pull", "-q", name}}, {"", []string{"rmi", name}}, {"build", []string{"build", "-q", "-t", name, y.path("context")}}, {"", []string{"rmi", name}},
		} {
			cmd := y.sandbox(step.args...)
			y.must(cmd)
			peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
			if peak > 100<<10 {
				b.Errorf("%s: %d kB", strings.Join(step.args, " "), peak)
			}
			if step.what != "" {
				b.ReportMetric(float64(peak)/1024, step.what+"-MiB")
			}
		}
	}
	b.ReportMetric(0, "ns/op")
}
