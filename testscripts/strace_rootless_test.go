package testscripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// ordinary is who the commands run as when the test is root's: nobody.
const ordinary = 65534

// TestStraceRootless runs an ordinary user's commands. Not in a pocket host, where that user would be root: on the
// machine itself, with a store of its own.
func TestStraceRootless(t *testing.T) {
	needStrace(t)
	dir := ordinaryHome(t)
	run := func(args ...string) ([]byte, error) {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = []string{
			"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "SANDBOX_ROOT=" + filepath.Join(dir, "root"), "XDG_RUNTIME_DIR=" + dir,
		}
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
		}
		return cmd.CombinedOutput()
	}
	if out, err := run(filepath.Join(dir, "sandbox"), "run", "--rm", "base", "true"); err != nil {
		t.Skipf("needs [userns]: an ordinary user cannot make a container here: %s", out)
	}
	s := scenario{name: "rootless", commands: `
explain run --rm base true
explain run --rm -t base true
explain run --rm -v $PWD:/data:ro --read-only --tmpfs /scratch base true
explain run --rm --cap-drop ALL --security-opt no-new-privileges base true
explain run --rm --cgroupns host base sh -c 'ls /sys/fs/cgroup | grep .'
explain 127 run --rm base nosuchcommand
explain run -d --name one base sleep 1000
explain exec one true
explain exec -t one true
explain exec -d one true
explain rm -f one
`}
	script := s.write(t, dir)
	if err := os.Chmod(script, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := run(s.underStrace(dir, script)...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sum := s.compare(t, dir)
	t.Logf("explained %d of %d, %d invented", sum.explained, sum.explained+len(sum.missing), len(sum.invented))
}

// ordinaryHome is a directory of the ordinary user's, with the binary in it.
func ordinaryHome(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sandbox-rootless")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := copyProgram(filepath.Join(dir, "sandbox"), filepath.Join(built, "sandbox")); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(dir, ordinary, ordinary); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
