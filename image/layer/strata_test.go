package layer

import (
	"fmt"
	"strings"
	"testing"

	"sandbox/image/layer/tartest"
)

// Three layers, the lowest first: files that stay, are changed, deleted, made anew, and hidden with their directory.
func threeLayers(t *testing.T) []string {
	base := unpacked(t, tartest.File("etc/motd", "old"), tartest.File("etc/hosts", "h"), tartest.File("lib/a", "a"), tartest.File("lib/b", "b"),
		tartest.File("opt/in/x", "x"), tartest.File("back", "1"), tartest.Dir("var"))
	middle := unpacked(t, tartest.File("etc/motd", "newer"), tartest.File(".wh.lib", ""), tartest.File(".wh.back", ""), tartest.File("hello", "hi"), tartest.Dir("empty"))
	upper := unpacked(t, tartest.File("etc/motd", "newest!"), tartest.File(".wh.hello", ""), tartest.File("back", "two"), tartest.File("opt/in", "a file now"))
	return []string{upper, middle, base}
}

func TestStrata(t *testing.T) {
	dirs := threeLayers(t)
	list, err := Strata(dirs)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, s := range list {
		got = append(got, fmt.Sprintf("%d: %d files, %d seen", i, s.Files, s.Seen))
		for _, tr := range s.Traces {
			line := fmt.Sprintf("%c %s covers %d hidden %d", tr.Kind, tr.Path, tr.Covers, tr.Hidden)
			if tr.Gone {
				line += " gone"
			}
			got = append(got, line)
		}
	}
	want := `0: 3 files, 3 seen
A /back covers -1 hidden -1
C /etc/motd covers 1 hidden -1
D /hello covers 1 hidden -1
C /opt/in covers 2 hidden -1
1: 2 files, 0 seen
D /back covers 2 hidden -1
A /empty covers -1 hidden -1
C /etc/motd covers 2 hidden 0
A /hello covers -1 hidden 0 gone
D /lib covers 2 hidden -1
2: 6 files, 1 seen
A /back covers -1 hidden 1 gone
A /etc/hosts covers -1 hidden -1
A /etc/motd covers -1 hidden 1
A /lib/a covers -1 hidden 1 gone
A /lib/b covers -1 hidden 1 gone
A /opt/in/x covers -1 hidden 0 gone
A /var covers -1 hidden -1`
	if strings.Join(got, "\n") != want {
		t.Errorf("got:\n%s", strings.Join(got, "\n"))
	}
}

// What Strata calls hidden is what overlayfs does not show from that layer, and nothing else.
func TestStrataAgreeWithTheUnion(t *testing.T) {
	dirs := threeLayers(t)
	list, err := Strata(dirs)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range list {
		for _, tr := range s.Traces {
			if tr.Kind == 'D' {
				continue
			}
			info, err := Lstat(dirs, tr.Path)
			if shown := err == nil && info.Layer == i; shown != (tr.Hidden < 0) {
				t.Errorf("layer %d: %s is shown: %v, hidden by %d (%v)", i, tr.Path, shown, tr.Hidden, err)
			}
		}
	}
	if list, err := Strata(nil); err != nil || len(list) > 0 {
		t.Errorf("an image without layers: %v, %v", list, err)
	}
	if _, err := Strata([]string{"/nosuchlayer"}); err == nil {
		t.Error("a layer that is not there")
	}
}
