package build

import (
	"strings"
	"testing"
)

// TestScope: which instruction sees which variable.
func TestScope(t *testing.T) {
	for _, c := range []struct {
		name, dockerfile string
		args             map[string]string
		want             string // of ENV OUT
	}{
		{"ARG default", "FROM base\nARG A=1\nENV OUT=$A", nil, "1"},
		{"--build-arg goes before the default", "FROM base\nARG A=1\nENV OUT=$A", map[string]string{"A": "2"}, "2"},
		{"without ARG nothing", "FROM base\nENV OUT=$A", map[string]string{"A": "2"}, ""},
		{"not before its line", "FROM base\nENV OUT=${A:-no}\nARG A=1", nil, "no"},
		{"ENV goes before ARG", "FROM base\nENV A=env\nARG A=arg\nENV OUT=$A", map[string]string{"A": "cli"}, "env"},
		{"ARG uses ENV", "FROM base\nENV E=e\nARG A=${E}x\nENV OUT=$A", nil, "ex"},
		{"global is not seen in a stage", "ARG A=1\nFROM base\nENV OUT=${A:-no}", nil, "no"},
		{"global default", "ARG A=1\nFROM base\nARG A\nENV OUT=$A", nil, "1"},
		{"global from --build-arg", "ARG A=1\nFROM base\nARG A\nENV OUT=$A", map[string]string{"A": "2"}, "2"},
		{"the stage's default goes before the global one", "ARG A=1\nFROM base\nARG A=3\nENV OUT=$A", nil, "3"},
		{"global in FROM", "ARG N=ba\nFROM ${N}se\nENV OUT=ok", nil, "ok"},
		{"global uses global", "ARG N=ba\nARG M=${N}se\nFROM $M\nENV OUT=ok", nil, "ok"},
		{"not in the next stage", "FROM base AS a\nARG A=1\nFROM base\nENV OUT=${A:-no}\n", nil, "no"},
		{"in a stage that goes on from it", "FROM base AS a\nARG A=1\nFROM a\nENV OUT=${A:-no}\n", nil, "1"},
		{"platform needs ARG", "FROM base\nENV OUT=${TARGETOS:-no}", nil, "no"},
		{"platform", "FROM --platform=$BUILDPLATFORM base\nARG TARGETOS\nENV OUT=$TARGETOS", nil, "linux"},
		{"several in one ARG", "FROM base\nARG A=1 B=2\nENV OUT=$A$B", nil, "12"},
		{"empty value", "FROM base\nARG A=1\nENV OUT=${A-unset}", map[string]string{"A": ""}, ""},
		{"required", "FROM base\nARG A=1\nENV OUT=\"${A:?must be set}\"", nil, "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.Args = c.args
			img := w.build(c.dockerfile + "\n")
			if got := variables(img.Config.Env)["OUT"]; got != c.want {
				t.Errorf("OUT=%q, want %q", got, c.want)
			}
		})
	}
}

func TestRunEnvironment(t *testing.T) {
	w := newWorld(t)
	w.Args = map[string]string{"A": "cli", "http_proxy": "http://p", "UNUSED": "x"}
	img := w.build(lines("FROM base", "ARG A=1", "ARG B", "ENV E=env", "ARG E=arg", "RUN env A /a && env http_proxy /p && env E /e"))
	for path, want := range map[string]string{"/a": "cli", "/p": "http://p", "/e": "env"} {
		if got := w.content(img, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for _, entry := range img.Config.Env {
		if strings.HasPrefix(entry, "A=") || strings.Contains(entry, "proxy") {
			t.Errorf("%s got into the image", entry)
		}
	}
	if history := strings.Join(w.history(img), "\n"); strings.Contains(history, "http://p") || !strings.Contains(history, "|1 A=cli /bin/sh -c env A") {
		t.Errorf("history:\n%s", history)
	}
	if !strings.Contains(w.out.String(), "[Warning] One or more build-args [UNUSED] were not consumed") {
		t.Errorf("no word of the unused argument:\n%s", w.out.String())
	}
}
