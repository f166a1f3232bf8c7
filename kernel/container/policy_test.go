package container

import (
	"testing"
	"time"
)

func TestParseRestartPolicy(t *testing.T) {
	for in, want := range map[string]string{
		"": "no", "no": "no", "always": "always", "unless-stopped": "unless-stopped", "on-failure": "on-failure",
		"on-failure:3": "on-failure:3", "on-failure:0": "on-failure",
	} {
		p, err := ParseRestartPolicy(in)
		if err != nil || p.String() != want {
			t.Errorf("%q: %q, %v; want %q", in, p, err, want)
		}
	}
	for _, in := range []string{"sometimes", "always:3", "no:1", "on-failure:x", "on-failure:-1", "on-failure:", "Always"} {
		if p, err := ParseRestartPolicy(in); err == nil {
			t.Errorf("%q is taken for %q", in, p)
		}
	}
}

func TestPolicyAfterEnd(t *testing.T) {
	for _, c := range []struct {
		policy         string
		code, restarts int
		stopped        bool
		end, boot      bool
	}{
		{"no", 1, 0, false, false, false},
		{"always", 0, 100, false, true, true},
		{"always", 137, 0, true, false, true},
		{"unless-stopped", 0, 0, false, true, true},
		{"unless-stopped", 0, 0, true, false, false},
		{"on-failure", 0, 0, false, false, false},
		{"on-failure", 1, 99, false, true, false},
		{"on-failure", 1, 0, true, false, false},
		{"on-failure:2", 1, 1, false, true, false},
		{"on-failure:2", 1, 2, false, false, false},
	} {
		p, err := ParseRestartPolicy(c.policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.afterEnd(c.code, c.restarts, c.stopped); got != c.end {
			t.Errorf("%+v: comes again %v", c, got)
		}
		if got := p.atBoot(c.stopped); got != c.boot {
			t.Errorf("%+v: at boot %v", c, got)
		}
	}
}

func TestBackoff(t *testing.T) {
	var b backoff
	for i, want := range []int{100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000} {
		if got := b.next(time.Second); got != time.Duration(want)*time.Millisecond {
			t.Errorf("wait %d: %v, want %d ms", i, got, want)
		}
	}
	if got := b.next(10 * time.Second); got != firstWait {
		t.Errorf("after ten seconds: %v", got)
	}
}
