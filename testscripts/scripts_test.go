// Package testscripts runs the real binary, script by script (*.txtar, in the language of rogpeppe/go-internal/testscript),
// each script in a pocket host of its own, all of them in parallel.
//
// A script sees `sandbox` and the base image's small commands on its PATH, an empty store, and nothing of the machine's
// containers, processes or network. Conditions: [root] (root of the machine), [user] (an ordinary user), [cgroup] (cgroups
// can be made in the pocket host), [cgroup1] (those of version 1), [macvlan] and [ipvlan] (interfaces that the kernel has), and
// testscript's own.
//
//	go test ./testscripts                    all
//	go test ./testscripts -run Scripts/exec  those with that name
//
// As another user, who need not be able to build:
//
//	CGO_ENABLED=0 go build -o /tmp/t/sandbox . && go test -c -o /tmp/t/scripts.test ./testscripts && cp testscripts/*.txtar /tmp/t
//	cd /tmp/t && chown nobody . && su nobody -s /bin/sh -c 'HOME=/tmp SANDBOX_BUILT=/tmp/t ./scripts.test -test.run Scripts'
package testscripts

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	program "sandbox/testscripts/built"
)

// script is set in the test binary that runs inside a pocket host.
var script = flag.String("script", "", "the one script to run, inside a pocket host")

var update = flag.Bool("update", false, "rewrite the goldens in the scripts")

// built is what TestMain builds once: a directory with the binary.
var built string

func TestMain(m *testing.M) {
	flag.Parse()
	if *script != "" {
		os.Exit(m.Run())
	}
	if flag.Lookup("test.bench").Value.String() != "" && os.Getuid() == 0 {
		if os.Getenv(ownNetwork) == "" {
			os.Exit(inOwnNetwork())
		}
		loopbackUp()
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, remove, err := program.Sandbox()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer remove()
	built = dir
	return m.Run()
}

func copyProgram(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// sandbox prepares a command of the real binary, whose store is the test's own.
func sandbox(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(built, "sandbox"), args...)
	cmd.Env = append(os.Environ(), "SANDBOX_ROOT="+program.Store(built))
	return cmd
}

// needPocket skips the test where pocket hosts cannot be made, and says what is missing.
func needPocket(t *testing.T) {
	t.Helper()
	if out, err := sandbox(t, "lab", "host", "true").CombinedOutput(); err != nil {
		t.Skipf("needs [userns]: this user cannot make a pocket host here: %s", out)
	}
}

func TestScripts(t *testing.T) {
	if *script != "" {
		t.Skip("inside a pocket host: see TestInPocket")
	}
	needPocket(t)
	files, err := filepath.Glob("*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	here, _ := os.Getwd()
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".txtar"), func(t *testing.T) {
			t.Parallel()
			runInPocket(t, filepath.Join(here, file), nil)
		})
	}
}

// runInPocket runs a script, given by its absolute path, in a pocket host of its own, which sees the shared directories of the machine
// too, and has further variables.
func runInPocket(t *testing.T, file string, shared []string, variables ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"lab", "host"}
	for _, dir := range append(shared, filepath.Dir(self), filepath.Dir(file)) {
		args = append(args, "--share", dir)
	}
	args = append(args, self, "-test.run", "^TestInPocket$", "-test.v", "-script", file)
	if *update {
		args = append(args, "-update")
	}
	cmd := sandbox(t, args...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("SANDBOX_TEST_UID=%d", os.Getuid()), "SANDBOX_TEST_VARIABLES="+strings.Join(variables, "\n"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s\n%v", out, err)
	} else if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("%s", out)
	}
}

// TestInPocket runs one script. It is started by TestScripts, inside a pocket host.
func TestInPocket(t *testing.T) {
	if *script == "" {
		t.Skip("started by TestScripts")
	}
	testscript.Run(t, testscript.Params{
		Files: []string{*script}, UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", os.Getenv("PATH"))
			env.Setenv("HOME", "/root")
			env.Setenv("SANDBOX_POCKET", os.Getenv("SANDBOX_POCKET"))
			env.Vars = append(env.Vars, strings.Fields(os.Getenv("SANDBOX_TEST_VARIABLES"))...)
			return nil
		},
		Condition: condition,
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"elf": makeELF, "tarball": makeTar, "ociarchive": makeImage, "eventually": eventually, "exitcode": exitCode, "pty": onTerminal},
	})
}

func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Getenv("SANDBOX_TEST_UID") == "0", nil
	case "user":
		return os.Getenv("SANDBOX_TEST_UID") != "0", nil
	case "cgroup":
		return canMakeGroups(), nil
	case "cgroup1":
		_, err := os.Stat("/sys/fs/cgroup/memory/tasks")
		return err == nil && canMakeGroups(), nil
	case "macvlan":
		return hasKind(&netlink.Macvlan{LinkAttrs: netlink.LinkAttrs{Name: "try", ParentIndex: 1}}), nil
	case "ipvlan":
		return hasKind(&netlink.IPVlan{LinkAttrs: netlink.LinkAttrs{Name: "try", ParentIndex: 1}}), nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// canMakeGroups tries it, in the memory hierarchy of v1 or in the tree of v2.
func canMakeGroups() bool {
	for _, dir := range []string{"/sys/fs/cgroup/memory/sandbox-try", "/sys/fs/cgroup/sandbox-try"} {
		if os.Mkdir(dir, 0o755) == nil {
			os.Remove(dir)
			return true
		}
	}
	return false
}

// hasKind tells whether the kernel has interfaces of that kind. None of these can be made from the loopback, which is the first one.
func hasKind(link netlink.Link) bool {
	return !errors.Is(netlink.LinkAdd(link), unix.EOPNOTSUPP)
}

// exitCode N COMMAND…: the command ends with exit code N.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N COMMAND [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}
