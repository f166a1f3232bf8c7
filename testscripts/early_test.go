package testscripts

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestComesBeforeTheHeavyOnes: what package early takes over begins, and the program `true` ends, before any package that
// needs os, time or fmt has been initialised.
func TestComesBeforeTheHeavyOnes(t *testing.T) {
	cmd := &exec.Cmd{Path: filepath.Join(built, "sandbox"), Args: []string{"true"}, Env: []string{"GODEBUG=inittrace=1"}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	initialised := regexp.MustCompile(`(?m)^init (\S+) `).FindAllStringSubmatch(string(out), -1)
	if len(initialised) == 0 {
		t.Fatalf("the runtime tells nothing: %s", out)
	}
	for _, match := range initialised {
		if name := match[1]; slices.Contains([]string{"fmt", "os", "time", "unicode"}, name) {
			t.Errorf("%s is initialised before package early has taken over", name)
		}
	}
}
