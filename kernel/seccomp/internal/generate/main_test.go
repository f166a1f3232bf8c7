package main

import (
	"bytes"
	"os"
	"testing"
)

// TestCommittedFilesAreCurrent fails when a library knows other calls or has another profile than the committed files.
func TestCommittedFilesAreCurrent(t *testing.T) {
	for name, source := range map[string]func() ([]byte, error){"calls.go": callsFile, "default.go": defaultFile} {
		want, err := source()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("../../" + name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not up to date: run go generate ./kernel/seccomp (%v)", name, err)
		}
	}
}
