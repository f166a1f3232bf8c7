package image

import (
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0f", 32)
	for s, want := range map[string]Name{
		"ubuntu":                          {Registry: "docker.io", Repository: "library/ubuntu", Tag: "latest"},
		"ubuntu:22.04":                    {Registry: "docker.io", Repository: "library/ubuntu", Tag: "22.04"},
		"team/app":                        {Registry: "docker.io", Repository: "team/app", Tag: "latest"},
		"docker.io/ubuntu":                {Registry: "docker.io", Repository: "library/ubuntu", Tag: "latest"},
		"index.docker.io/team/app":        {Registry: "docker.io", Repository: "team/app", Tag: "latest"},
		"localhost/app":                   {Registry: "localhost", Repository: "app", Tag: "latest"},
		"localhost:5000/app:1":            {Registry: "localhost:5000", Repository: "app", Tag: "1"},
		"quay.io/a/b/c":                   {Registry: "quay.io", Repository: "a/b/c", Tag: "latest"},
		"MyHost/app":                      {Registry: "MyHost", Repository: "app", Tag: "latest"},
		"[2001:db8::1]:5000/app":          {Registry: "[2001:db8::1]:5000", Repository: "app", Tag: "latest"},
		"[::1]/app":                       {Registry: "[::1]", Repository: "app", Tag: "latest"},
		"ubuntu@" + digest:                {Registry: "docker.io", Repository: "library/ubuntu", Digest: digest},
		"ubuntu:1@" + digest:              {Registry: "docker.io", Repository: "library/ubuntu", Tag: "1", Digest: digest},
		"a.b_c__d-e--f:" + "A.b-c_D":      {Registry: "docker.io", Repository: "library/a.b_c__d-e--f", Tag: "A.b-c_D"},
		"app:" + strings.Repeat("t", 128): {Registry: "docker.io", Repository: "library/app", Tag: strings.Repeat("t", 128)},
	} {
		if got, err := ParseName(s); err != nil || got != want {
			t.Errorf("ParseName(%q) = %+v, %v", s, got, err)
		}
	}
}

func TestParseNameRefuses(t *testing.T) {
	for _, s := range []string{
		"", ":", "/", "Ubuntu", "team/App", "a//b", "/a", "a/", "a:", "a:b:c", "a: b", "a b", "-a", "a-", ".a", "a..b", "a___b", "a._b", "a-.b", "ä",
		"a:-b", "a:.b", "a:b/c", "a@", "a@sha256:12", "a@md5:" + strings.Repeat("0", 64), "a@sha256:" + strings.Repeat("A", 64),
		"host:port/a", "host:/a", "-host.com/a", "host-.com/a", "a..b/c", "[::1/a", "[]/a", "[::g]/a", "[::1]x/a", "../a", "a/../b",
		strings.Repeat("f", 64), strings.Repeat("x", 256), "a:" + strings.Repeat("t", 129), "a\x00b", "a\nb",
	} {
		if got, err := ParseName(s); err == nil {
			t.Errorf("ParseName(%q) = %+v", s, got)
		}
	}
}

func TestFamiliar(t *testing.T) {
	for s, want := range map[string]string{
		"docker.io/library/ubuntu:22.04": "ubuntu:22.04", "docker.io/team/app": "team/app:latest",
		"quay.io/library/app": "quay.io/library/app:latest", "localhost:5000/app:1": "localhost:5000/app:1",
	} {
		if n, err := ParseName(s); err != nil || n.Familiar() != want {
			t.Errorf("%q: %q, %v; want %q", s, n.Familiar(), err, want)
		}
	}
	if got := (Name{Repository: "base", Tag: "latest"}).Familiar(); got != "base:latest" {
		t.Errorf("built-in image: %q", got)
	}
}

// FuzzParseName: whatever is accepted means the same when it is written in full or in short and read again.
func FuzzParseName(f *testing.F) {
	for _, s := range []string{"ubuntu", "a/b:1", "localhost:5000/x@sha256:" + strings.Repeat("1", 64), "[::1]:5/a", "docker.io/library/x", "A/b", "library/library/a", "docker.io/docker.io/a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseName(s)
		if err != nil {
			return
		}
		for _, written := range []string{n.String(), n.Familiar()} {
			if again, err := ParseName(written); err != nil || again != n {
				t.Errorf("%q is %+v, written as %q, which is %+v, %v", s, n, written, again, err)
			}
		}
		if strings.Contains(n.String(), "..") || strings.ContainsAny(n.String(), "\x00 \n\\") {
			t.Errorf("%q was accepted", s)
		}
	})
}
