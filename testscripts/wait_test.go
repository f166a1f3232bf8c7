package testscripts

import (
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds how long a script waits for something to become true.
const patience = 60 * time.Second

// eventually COMMAND…: the command succeeds (with !, fails) some time; it is tried again until then.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: [!] eventually COMMAND [ARG...]")
	}
	for deadline := time.Now().Add(patience); ; {
		err := ts.Exec(args[0], args[1:]...)
		if (err != nil) == neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("not within %v: %v", patience, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
