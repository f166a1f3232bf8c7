package pocket

import (
	"slices"
	"strings"
	"testing"
)

// Nothing in the environment leads those inside to a directory that only the machine has.
func TestEnvironment(t *testing.T) {
	p := &plan{Options: Options{
		Title: "3.5", Tools: "/tools",
		Env: []string{"HOME=/home/a", "TMPDIR=/tmp/a", "SANDBOX_ROOT=/x", "XDG_RUNTIME_DIR=/run/user/1", "PATH=/theirs", "TERM=xterm", Variable + "=3.1"},
	}}
	env := p.environment()
	for _, want := range []string{"HOME=/root", "USER=root", "TERM=xterm", Variable + "=3.5"} {
		if !slices.Contains(env, want) {
			t.Errorf("%q is missing in %q", want, env)
		}
	}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if slices.Contains([]string{"TMPDIR", "SANDBOX_ROOT", "XDG_RUNTIME_DIR"}, name) {
			t.Errorf("%q should not be there", e)
		}
		if name == "PATH" && (!strings.HasPrefix(value, binDir+":") || !strings.HasSuffix(value, ":/tools")) {
			t.Errorf("PATH %q: the program comes first, the small commands last", value)
		}
	}
}

func TestUnescape(t *testing.T) {
	if got := unescape(`/a\040b\134c`); got != `/a b\c` {
		t.Errorf("unescaped: %q", got)
	}
}
