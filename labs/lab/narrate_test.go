package lab

import (
	"encoding/json"
	"strings"
	"testing"

	"sandbox/kernel"
	"sandbox/labs/command"
)

// narrate shows the explanations of some commands, each a list of records.
func narrate(t *testing.T, explain string, commands ...[]kernel.Record) string {
	t.Helper()
	n := newNarration(&command.Env{Explain: explain, Lang: "en"})
	var out strings.Builder
	for _, records := range commands {
		for _, r := range records {
			data, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			n.Tell(&out, data)
		}
		n.End(&out)
		out.WriteString("--\n")
	}
	return out.String()
}

func step(call, line, why string) kernel.Record {
	return kernel.Record{Section: "3.5", Process: "container", Call: call, Line: line, Why: why}
}

func TestNarration(t *testing.T) {
	known := step("clone3", "clone3(0) = 12", "a new process")
	here := step("mkdirat", `mkdirat("/dev")`, "")
	here.Errno = "EEXIST"
	elsewhere := step("execve", `execve("/usr/bin/a")`, "the program")
	elsewhere.Errno = "ENOENT"
	drop := func(what string) kernel.Record { return step("prctl", "prctl("+what+")", "never again") }
	for _, c := range []struct {
		name     string
		commands [][]kernel.Record
		want     []string // without the heading
	}{
		{"what was there already, or elsewhere, is left out",
			[][]kernel.Record{{here, known, elsewhere}}, []string{"  clone3(0) = 12   # a new process", "--"}},
		{"what an earlier command has explained is counted, whatever its numbers",
			[][]kernel.Record{{known}, {step("clone3", "clone3(0) = 345", "a new process"), step("setns", "setns(5)", "")}},
			[]string{"  clone3(0) = 12   # a new process", "--", "  … 1 step as before", "  setns(5)", "--"}},
		{"not what the same command has",
			[][]kernel.Record{{step("dup3", "dup3(8, 0)", ""), step("dup3", "dup3(9, 1)", "")}}, []string{"  dup3(8, 0)", "  dup3(9, 1)", "--"}},
		{"many for one reason", [][]kernel.Record{{drop("A"), drop("B"), drop("C"), drop("D")}},
			[]string{"  prctl(A)   # never again", "  … 3 more for the same reason", "--"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, line := range strings.Split(strings.TrimSpace(narrate(t, "text", c.commands...)), "\n") {
				if !strings.HasPrefix(line, "[") {
					got = append(got, line)
				}
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// As JSON nothing is left out.
func TestNarrationAsJSON(t *testing.T) {
	r := step("clone3", "clone3(0) = 12", "")
	if got := narrate(t, "json", []kernel.Record{r, r}, []kernel.Record{r}); strings.Count(got, `"call":"clone3"`) != 3 {
		t.Errorf("records are missing:\n%s", got)
	}
}
