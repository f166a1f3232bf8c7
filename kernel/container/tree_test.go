package container

import (
	"os"
	"testing"
)

// The numbers are those of the kernel.
func TestNamespacesOf(t *testing.T) {
	link, err := os.Readlink("/proc/self/ns/uts")
	if err != nil {
		t.Fatal(err)
	}
	if got := NamespacesOf("self"); link != "uts:["+got["uts"]+"]" {
		t.Errorf("uts %s, the link says %s", got["uts"], link)
	}
	if got := NamespacesOf("no-such-process"); len(got) > 0 {
		t.Errorf("%v", got)
	}
}
