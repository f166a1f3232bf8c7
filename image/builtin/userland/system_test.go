package userland

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// call runs a system command in this process.
func call(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	command, found := Lookup(args[0])
	if !found {
		t.Fatalf("there is no command %q", args[0])
	}
	var out, errs bytes.Buffer
	code = command(&Process{Args: args, Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs})
	return out.String(), errs.String(), code
}

// mustPrint runs a command that has to succeed and to print just this.
func mustPrint(t *testing.T, want string, args ...string) {
	t.Helper()
	stdout, stderr, code := call(t, "", args...)
	if code != 0 || stdout != want {
		t.Errorf("%s: exit code %d, stderr %q, printed\n%s\nwant\n%s", strings.Join(args, " "), code, stderr, stdout, want)
	}
}

// mustRefuse runs a command that has to fail and to say just this.
func mustRefuse(t *testing.T, want string, wantCode int, args ...string) {
	t.Helper()
	stdout, stderr, code := call(t, "", args...)
	if code != wantCode || stderr != want {
		t.Errorf("%s: exit code %d, stdout %q, stderr %q; want exit code %d and %q", strings.Join(args, " "), code, stdout, stderr, wantCode, want)
	}
}

// ownNetwork gives the rest of the test a network namespace with nothing in it but lo. That takes root.
func ownNetwork(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("making a network namespace needs root")
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network namespaces here: %v", err)
	}
}

func check[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is\n%v\nwant\n%v", what, got, want)
	}
}
