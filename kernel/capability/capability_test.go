package capability

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/sys/unix"
)

// TestNumbers holds names against the kernel's header, as x/sys/unix has it.
func TestNumbers(t *testing.T) {
	for name, want := range map[string]int{
		"CAP_CHOWN": unix.CAP_CHOWN, "CAP_SETPCAP": unix.CAP_SETPCAP, "CAP_NET_ADMIN": unix.CAP_NET_ADMIN,
		"CAP_SYS_MODULE": unix.CAP_SYS_MODULE, "CAP_SYS_ADMIN": unix.CAP_SYS_ADMIN, "CAP_MKNOD": unix.CAP_MKNOD,
		"CAP_SETFCAP": unix.CAP_SETFCAP, "CAP_SYSLOG": unix.CAP_SYSLOG, "CAP_AUDIT_READ": unix.CAP_AUDIT_READ,
		"CAP_PERFMON": unix.CAP_PERFMON, "CAP_BPF": unix.CAP_BPF, "CAP_CHECKPOINT_RESTORE": unix.CAP_CHECKPOINT_RESTORE,
	} {
		if set, err := Parse(name); err != nil || set != 1<<want {
			t.Errorf("%s: %#x (%v), want bit %d", name, uint64(set), err, want)
		}
		if got := Name(want); got != name {
			t.Errorf("capability %d is %s, want %s", want, got, name)
		}
	}
	if Count != unix.CAP_LAST_CAP+1 {
		t.Errorf("%d names, the header has %d", Count, unix.CAP_LAST_CAP+1)
	}
	if Name(-1) != "CAP_UNKNOWN" || Name(Count) != "CAP_UNKNOWN" {
		t.Error("a number beyond the names has one")
	}
}

func TestParseSpellings(t *testing.T) {
	for name, want := range map[string]Set{
		"NET_ADMIN": 1 << 12, "CAP_NET_ADMIN": 1 << 12, "net_admin": 1 << 12, "cap_Net_Admin": 1 << 12,
		"ALL": All, "all": All, "CAP_ALL": All,
	} {
		if got, err := Parse(name); err != nil || got != want {
			t.Errorf("%s: %#x, %v", name, uint64(got), err)
		}
	}
}

func TestParseUnknown(t *testing.T) {
	for name, want := range map[string]string{
		"NETADMIN": "NET_ADMIN", "cap_sysadmin": "SYS_ADMIN", "SYS_ADMN": "SYS_ADMIN", "ptrace": "SYS_PTRACE", "MKNODE": "MKNOD",
		"CHWON": "CHOWN", "": "", "x": "", "CAP_": "", "completely_else": "",
	} {
		_, err := Parse(name)
		var unknown *UnknownError
		if !errors.As(err, &unknown) || unknown.Name != name || unknown.Nearest != want {
			t.Errorf("%q: %v, want %q as the nearest", name, err, want)
			continue
		}
		if want != "" && !strings.Contains(err.Error(), "did you mean "+want+"?") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSets(t *testing.T) {
	// What Docker's manual lists as left to a container.
	const docker = "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP"
	if got := SetOf(strings.Fields(docker)); got != Default {
		t.Errorf("Docker's default set is %#x, Default %#x", uint64(got), uint64(Default))
	}
	for _, set := range []Set{0, 1, Default, All, 1 << 40} {
		if got := SetOf(set.Names()); got != set {
			t.Errorf("%#x becomes %#x through its names", uint64(set), uint64(got))
		}
	}
	for set, want := range map[Set]string{0: "none", All: "ALL", 1<<0 | 1<<5: "CAP_CHOWN,CAP_KILL"} {
		if set.String() != want {
			t.Errorf("%#x is written %s, want %s", uint64(set), set, want)
		}
	}
}

// TestMeanings: each capability is explained in one line, in both languages.
func TestMeanings(t *testing.T) {
	seen := map[string]bool{}
	for n := range Count {
		m := Explain(n)
		if m.EN == "" || m.ZH == "" || seen[m.EN] || seen[m.ZH] || strings.Contains(m.EN+m.ZH, "\n") {
			t.Errorf("%s: %q, %q", Name(n), m.EN, m.ZH)
		}
		if !strings.ContainsFunc(m.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: %q is not Chinese", Name(n), m.ZH)
		}
		seen[m.EN], seen[m.ZH] = true, true
	}
	if (Explain(Count) != Meaning{} || Explain(-1) != Meaning{}) {
		t.Error("a number beyond the names has a meaning")
	}
}
