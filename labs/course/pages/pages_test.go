package pages

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sandbox/labs/course"
)

var update = flag.Bool("update", false, "write the pages of testdata anew")

// A lesson of somebody else's, with all that a page must not do.
func TestPagesOfStrangeLesson(t *testing.T) {
	files, err := render(Options{Lessons: os.DirFS("testdata"), Lang: course.Chinese})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		check(t, f, files)
		golden := filepath.Join("testdata", f.name+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(f.content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != f.content {
			t.Errorf("%s differs; if it is meant to, run go test -update. Now:\n%s", golden, f.content)
		}
	}
	if files[0].name != "index.html" || !strings.Contains(files[0].content, `lang="zh-Hans"`) {
		t.Errorf("the first page is %s", files[0].name)
	}
}

// The end of a source line is white space between words, also beside punctuation and code, but not in Chinese text.
func TestEndsOfLines(t *testing.T) {
	w := newWriter()
	for source, want := range map[string]string{
		"a routing table:\nwhat is not": "a routing table:\nwhat is not",
		"hosts,\n`macvlan` puts":        "hosts,\n<code class=\"short\">macvlan</code> puts",
		"`cpu.weight`\nand":             "<code class=\"short\">cpu.weight</code>\nand",
		"of *one*\nand":                 "of <em>one</em>\nand",
		"很长的\n文字，\nword":                "很长的文字，word",
		"叫作\n`box` 的":                   "叫作\n<code class=\"short\">box</code> 的",
		"hard  \nbreak &amp; \\*":       "hard<br />\nbreak &amp; *",
		"`a\nb <c>`":                    "<code class=\"short\">a b &lt;c&gt;</code>",
	} {
		if got := w.title(source); got != want {
			t.Errorf("%q became %q, want %q", source, got, want)
		}
	}
}

// In a drawing, a browser is told which characters take two columns; a short code span is not broken.
func TestCode(t *testing.T) {
	w := newWriter()
	got := w.html("    │ 镜像（a）│\n", w.blocks) + w.title("`sandbox run --network none base true`")
	want := `<pre><code>│ <span class="wide">镜像（</span>a<span class="wide">）</span>│
</code></pre>
<code>sandbox run --network none base true</code>`
	if got != want {
		t.Errorf("got %s", got)
	}
	if got := unbroken("  sandbox run -d --name=box '<a>' | wc -l"); got != `  sandbox run <span class="short">-d</span> <span class="short">--name=box</span> '&lt;a&gt;' | wc <span class="short">-l</span>` {
		t.Errorf("got %s", got)
	}
}

// The whole course: every page is well-formed, loads nothing, and leads only to what is there.
func TestPagesOfCourse(t *testing.T) {
	files, err := render(Options{Lessons: course.Lessons(), Lang: course.English})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 25 {
		t.Errorf("only %d pages", len(files))
	}
	for _, f := range files {
		check(t, f, files)
	}
}

// check reads a page as a browser would.
func check(t *testing.T, f file, all []file) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(f.content))
	d.Entity = map[string]string{}
	var ids []string
	folded := 0 // how many <details> are open
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Errorf("%s: not well-formed: %v", f.name, err)
			return
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "details" {
				folded++
			}
			if slices.Contains([]string{"script", "img", "link", "iframe", "object", "embed", "form", "base"}, token.Name.Local) {
				t.Errorf("%s: <%s>", f.name, token.Name.Local)
			}
			for _, a := range token.Attr {
				switch name := a.Name.Local; {
				case strings.HasPrefix(name, "on") || name == "src" || name == "style":
					t.Errorf("%s: attribute %s", f.name, name)
				case name == "id":
					if slices.Contains(ids, a.Value) {
						t.Errorf("%s: two elements #%s", f.name, a.Value)
					}
					ids = append(ids, a.Value)
				case name == "href":
					leads(t, f, a.Value, all)
				}
			}
		case xml.EndElement:
			if token.Name.Local == "details" {
				folded--
			}
		case xml.CharData:
			if folded == 0 && strings.Contains(string(token), "untold") {
				t.Errorf("%s gives away: %s", f.name, token)
			}
		}
	}
	if !strings.Contains(f.content, "<html lang=") {
		t.Errorf("%s does not say its language", f.name)
	}
}

// leads: a link goes elsewhere by https, or to a page and a section that are there.
func leads(t *testing.T, from file, href string, all []file) {
	t.Helper()
	if strings.HasPrefix(href, "https://") || strings.HasPrefix(href, "http://") {
		return
	}
	page, id, _ := strings.Cut(href, "#")
	if page == "" {
		page = from.name
	}
	i := slices.IndexFunc(all, func(f file) bool { return f.name == page })
	if href == "" || i < 0 || id != "" && !strings.Contains(all[i].content, `id="`+id+`"`) {
		t.Errorf("%s leads to %q", from.name, href)
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "course")
	names, err := Write(dir, Options{Lessons: os.DirFS("testdata"), Lang: course.English})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := Write(filepath.Join(dir, "index.html"), Options{Lessons: os.DirFS("testdata"), Lang: course.English}); err == nil {
		t.Error("a file is taken for a directory")
	}
}
