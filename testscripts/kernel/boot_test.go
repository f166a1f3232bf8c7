package kernel

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	suites  = flag.String("suites", "", "only the suites whose names match this regular expression; without it all that are not to be run by hand only")
	scripts = flag.String("scripts", "", "only the scripts that match this, in each suite")
	update  = flag.Bool("update", false, "write the transcripts of labs on this kernel anew")
)

// TestKernel boots the kernel, and reports what the tests in it say as its own.
func TestKernel(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: it takes minutes")
	}
	if os.Getenv("SANDBOX_KERNEL") == "none" {
		t.Skip("SANDBOX_KERNEL=none")
	}
	for _, program := range []string{"qemu-system-x86_64", "mkfs.ext4", "apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs [qemu]: %v", err)
		}
	}
	packageDir := unpackKernel(t)
	image := kernelImage(t, packageDir)
	t.Log("kernel", release(image))

	chosen := chooseSuites(t)
	files := initramfs(t, packageDir, chosen)
	ctx, cancel := context.WithCancel(t.Context())
	if end, ok := t.Deadline(); ok { // before go test itself kills this process, and qemu would stay
		ctx, cancel = context.WithDeadline(t.Context(), end.Add(-30*time.Second))
	}
	defer cancel()
	m := boot(t, ctx, image, files)
	outputs := m.read()
	t.Logf("qemu %v user %v sys", m.cmd.ProcessState.UserTime(), m.cmd.ProcessState.SystemTime())
	t.Logf("what has taken the guest how long:\n%s", m.times())
	for _, suite := range chosen {
		t.Run(suite.Name, func(t *testing.T) {
			for _, o := range outputs {
				if o.suite == suite.Name {
					o.report(t, suite)
					o.keepFiles(t, suite)
					return
				}
			}
			t.Errorf("the machine ended before this suite began")
		})
	}
	if ctx.Err() != nil {
		t.Errorf("the machine was killed: it took too long (go test -timeout gives it more)")
	}
	if t.Failed() {
		t.Logf("the console's end:\n%s", m.tail())
	}
}

func chooseSuites(t *testing.T) (chosen []Suite) {
	t.Helper()
	name, err := regexp.Compile(*suites)
	if err != nil {
		t.Fatal(err)
	}
	for _, suite := range Suites {
		if name.MatchString(suite.Name) && (*suites != "" || !suite.ByHand) {
			if *scripts != "" {
				suite.Scripts = *scripts
			}
			if *update {
				suite.Args = append(suite.Args, "-update")
			}
			chosen = append(chosen, suite)
		}
	}
	return chosen
}

// event is what `go tool test2json` makes of a test's output (go doc test2json).
type event struct {
	Action, Test, Output string
}

// report makes a subtest of each script that has run.
func (o output) report(t *testing.T, suite Suite) {
	var order []string
	text, ended := map[string]*strings.Builder{}, map[string]event{}
	took := map[string]string{} // the line that says so; test2json's own Elapsed is about when it has read it
	for _, e := range o.events(t) {
		name := strings.TrimPrefix(e.Test, suite.Test+"/")
		if text[name] == nil {
			text[name] = &strings.Builder{}
			order = append(order, name)
		}
		switch e.Action {
		case "output":
			text[name].WriteString(e.Output)
			if strings.Contains(e.Output, "--- PASS") {
				took[name] = e.Output
			}
		case "pass", "fail", "skip":
			ended[name] = e
		}
	}
	ran := 0
	for _, name := range order {
		if name == "" || name == suite.Test {
			continue // the whole of it
		}
		ran++
		t.Run(name, func(t *testing.T) {
			e := ended[name]
			switch e.Action {
			case "pass":
				t.Log("in the guest: " + strings.TrimSpace(took[name]))
			case "skip":
				t.Skip(text[name].String())
			case "fail":
				t.Error(text[name].String())
			default:
				t.Errorf("it has not ended:\n%s", text[name])
			}
		})
	}
	if ran == 0 || (o.end != "ok" && !t.Failed()) {
		t.Errorf("%d scripts have run, and the test binary says %q:\n%s", ran, o.end, o.text[max(0, len(o.text)-4000):])
	}
}

// keepFiles writes what the suite has written to where it belongs in this repository.
func (o output) keepFiles(t *testing.T, suite Suite) {
	for name, data := range o.files {
		if err := os.WriteFile(filepath.Join("../..", suite.Package, filepath.Base(name)), []byte(data), 0o644); err != nil {
			t.Error(err)
		}
		t.Log("written:", name)
	}
}

func (o output) events(t *testing.T) (list []event) {
	t.Helper()
	convert := exec.Command("go", "tool", "test2json")
	convert.Stdin = strings.NewReader(o.text)
	data, err := convert.Output()
	if err != nil {
		t.Fatalf("go tool test2json: %v", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	for decoder.More() {
		var e event
		if err := decoder.Decode(&e); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}
