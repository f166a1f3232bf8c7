package testscripts

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// The peers that the benchmarks measure against, where they are installed (Debian: docker.io buildah runc). Each has a store of its own
// that goes with the benchmark.

// startDocker starts dockerd in namespaces of its own ("--net", "--mount"), so that no peer's traffic, rule or mount is on the machine,
// and returns what makes commands of its client; nil without Docker.
func startDocker(b *testing.B, namespaces []string, options ...string) func(args ...string) *exec.Cmd {
	b.Helper()
	for _, program := range []string{"docker", "dockerd", "unshare"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Logf("no %s: not compared with Docker", program)
			return nil
		}
	}
	dir := b.TempDir()
	socket := "unix://" + filepath.Join(dir, "docker.sock")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		b.Fatal(err)
	}
	args := append(namespaces, "dockerd", "-H", socket, "--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "pid"))
	daemon := exec.Command("unshare", append(args, options...)...)
	daemon.Stdout, daemon.Stderr = log, log
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM} // also when the benchmark is killed
	if err := daemon.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	b.Cleanup(func() {
		daemon.Process.Signal(syscall.SIGTERM)
		<-ended
		log.Close()
	})
	docker := func(args ...string) *exec.Cmd {
		cmd := exec.Command("docker", append([]string{"-H", socket}, args...)...)
		cmd.Env = append(os.Environ(), "DOCKER_BUILDKIT=0", "DOCKER_CONFIG="+dir)
		return cmd
	}
	for range 300 {
		if docker("version").Run() == nil {
			return docker
		}
		select {
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(log.Name())
			b.Logf("dockerd does not run here: %v: %s", err, last(text, 500))
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
	b.Fatal("dockerd does not answer")
	return nil
}

func last(text []byte, n int) []byte { return text[max(0, len(text)-n):] }

// buildah returns what makes commands of buildah; nil without it.
func buildah(b *testing.B) func(args ...string) *exec.Cmd {
	b.Helper()
	for _, program := range []string{"buildah", "runc"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Logf("no %s: not compared with buildah", program)
			return nil
		}
	}
	dir, err := os.MkdirTemp("", "buildah")
	if err != nil {
		b.Fatal(err)
	}
	make := func(args ...string) *exec.Cmd {
		cmd := exec.Command("buildah", append([]string{"--root", dir + "/root", "--runroot", dir + "/run", "--storage-driver", "overlay"}, args...)...)
		cmd.Env = append(os.Environ(), "BUILDAH_RUNTIME=runc")
		return cmd
	}
	b.Cleanup(func() {
		make("rmi", "--all", "--force").Run()
		syscall.Unmount(dir+"/root/overlay", syscall.MNT_DETACH) // it leaves its store mounted upon itself
		os.RemoveAll(dir)
	})
	return make
}

// fill gives a peer what comes out of our own command: an image's archive.
func fill(b *testing.B, from, to *exec.Cmd) {
	b.Helper()
	pipe, err := from.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	to.Stdin, to.Stdout, to.Stderr = pipe, &out, &out
	if err := from.Start(); err != nil {
		b.Fatal(err)
	}
	if err := to.Run(); err != nil {
		b.Fatalf("%v: %v: %s", to.Args, err, out.String())
	}
	io.Copy(io.Discard, pipe)
	if err := from.Wait(); err != nil {
		b.Fatal(err)
	}
}
