package rlimit_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"sandbox/kernel/rlimit"
)

// TestMain lets the test binary say what it was started with.
func TestMain(m *testing.M) {
	if os.Getenv("SAY") != "" {
		fmt.Print(rlimit.OpenFiles.Soft, " ", rlimit.OpenFiles.Hard)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestAsksBeforeGoRaisesIt(t *testing.T) {
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 100, Max: 200}); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "SAY=it")
	out, err := cmd.Output()
	if err != nil || string(out) != "100 200" {
		t.Errorf("a program that was started with 100 and 200 says %q (%v)", out, err)
	}
}
