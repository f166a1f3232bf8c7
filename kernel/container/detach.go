package container

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// DefaultDetachKeys are what is typed to leave a container and let it run.
const DefaultDetachKeys = "ctrl-p,ctrl-q"

// ErrDetached is how Attach ends when the user has typed the detach keys.
var ErrDetached = errors.New("read escape sequence")

// ParseDetachKeys reads a sequence of keys as Docker writes it: single characters, and ctrl- with a letter or one of
// @ [ \ ] ^ _, with commas between them.
func ParseDetachKeys(s string) ([]byte, error) {
	var keys []byte
	for _, key := range strings.Split(s, ",") {
		control, isControl := strings.CutPrefix(strings.ToLower(key), "ctrl-")
		switch {
		case isControl && len(control) == 1 && (control[0] >= 'a' && control[0] <= 'z' || strings.Contains(`@[\]^_`, control)):
			keys = append(keys, control[0]&0x1f) // what the Ctrl key makes of a character
		case len(key) == 1:
			keys = append(keys, key[0])
		default:
			return nil, kernel.Advise(fmt.Errorf("invalid detach keys (%s): unknown key %q", s, key),
				"characters and ctrl-LETTER, with commas between them: --detach-keys %s", DefaultDetachKeys)
		}
	}
	return keys, nil
}

// detachKeys looks for the sequence in what is typed.
type detachKeys struct {
	keys []byte // none: nothing is looked for
	seen int    // how many of them have come, and are held back
}

// scan returns what of the typed data is for the container: all but the beginning of the sequence that it may end with. leave is
// set when the whole sequence has come.
func (d *detachKeys) scan(typed []byte) (data []byte, leave bool) {
	if len(d.keys) == 0 {
		return typed, false
	}
	held := append(append([]byte(nil), d.keys[:d.seen]...), typed...)
	if at := bytes.Index(held, d.keys); at >= 0 {
		return held[:at], true
	}
	for d.seen = min(len(d.keys)-1, len(held)); !bytes.HasSuffix(held, d.keys[:d.seen]); {
		d.seen--
	}
	return held[:len(held)-d.seen], false
}

// detach tells the monitor that we leave and the container goes on, and ends follow.
func (m *Monitor) detach(to *frameWriter) {
	m.detached.Store(true)
	m.window.tell()
	to.write(frameDetach, nil)
	unix.Shutdown(int(m.control.Fd()), unix.SHUT_RD)
}
