package columns

import "testing"

func TestCut(t *testing.T) {
	for _, c := range []struct {
		s      string
		width  int
		wanted string
	}{
		{"short", 10, "short"}, {"0123456789", 10, "0123456789"}, {"0123456789x", 10, "012345678…"}, {"镜像：正在下载", 20, "镜像：正在下载"}, {"镜像：正在下载", 10, "镜像：正…"},
		{"abcdef", 6, "abcdef"}, {"abcdefg", 6, "abcde…"}, {"内存上", 6, "内存上"}, {"内存上限", 6, "内存…"}, {"", 6, ""},
	} {
		if got := Cut(c.s, c.width); got != c.wanted || Of(got) > c.width {
			t.Errorf("%q in %d columns: %q", c.s, c.width, got)
		}
	}
}
