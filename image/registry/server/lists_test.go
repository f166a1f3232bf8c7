package server

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func sorted(list ...string) []string {
	slices.Sort(list)
	return list
}

// nextOf is the path of the next page.
func nextOf(a answer) string {
	path, found := strings.CutSuffix(a.Header.Get("Link"), `>; rel="next"`)
	if !found {
		return ""
	}
	return strings.TrimPrefix(path, "<")
}

// TestListingTags is the section "Listing Tags" (end-8a, 8b).
func TestListingTags(t *testing.T) {
	w := start(t, Options{})
	for _, tag := range []string{"b", "a", "C", "1.0", "_x"} {
		w.pushImage("x/y", tag, "", "{}")
	}
	w.pushBlob("untagged", "{}")
	if err := os.MkdirAll(filepath.Dir(store{w.dir}.repository("x/y").indexLink("half", sum(""))), 0o755); err != nil {
		t.Fatal(err) // a tag that was not finished
	}
	const path = "/v2/x/y/tags/list"
	for _, c := range []struct{ query, tags, link string }{
		{"", `"1.0","_x","a","b","C"`, ""}, // "lexical order (i.e. case-insensitive alphanumeric order)"
		{"?n=2", `"1.0","_x"`, "<" + path + `?last=_x&n=2>; rel="next"`},
		{"?n=2&last=_x", `"a","b"`, "<" + path + `?last=b&n=2>; rel="next"`},
		{"?n=2&last=b", `"C"`, ""},
		{"?n=1&last=b", `"C"`, ""},
		{"?n=5", `"1.0","_x","a","b","C"`, ""},
		{"?n=100", `"1.0","_x","a","b","C"`, ""},
		{"?n=0", ``, ""},
		{"?last=C", ``, ""},
		{"?last=Ab", `"b","C"`, ""}, // one that is not there
		{"?last=zzz", ``, ""},
	} {
		got := w.ask("GET", path+c.query, "").want(t, 200, "", "Content-Type: application/json", "Link: "+c.link)
		if want := `{"name":"x/y","tags":[` + c.tags + `]}`; got.body != want {
			t.Errorf("%s: got %s, want %s", c.query, got.body, want)
		}
	}
	w.ask("GET", path+"?n=-1", "").want(t, 400, codeUnsupported)
	w.ask("GET", path+"?n=x", "").want(t, 400, codeUnsupported)
	w.ask("GET", "/v2/none/tags/list", "").want(t, 404, codeNameUnknown)
	if got := w.ask("GET", "/v2/untagged/tags/list", "").want(t, 200, ""); got.body != `{"name":"untagged","tags":[]}` {
		t.Errorf("got %s", got.body)
	}
}

func TestCatalog(t *testing.T) {
	w := start(t, Options{})
	if got := w.ask("GET", "/v2/_catalog", "").want(t, 200, ""); got.body != `{"repositories":[]}` {
		t.Errorf("got %s", got.body)
	}
	names := []string{"a", "a-b", "a/b", "a/b/c", "z"}
	for _, name := range names {
		w.pushImage(name, "v1", "", "{}")
	}
	w.upload("begun/only")
	var found []string
	for path := "/v2/_catalog?n=2"; path != ""; {
		got := w.ask("GET", path, "").want(t, 200, "")
		list := strings.TrimSuffix(strings.TrimPrefix(got.body, `{"repositories":["`), `"]}`)
		found = append(found, strings.Split(list, `","`)...)
		path = nextOf(got)
	}
	if !slices.Equal(found, names) {
		t.Errorf("found %v", found)
	}
}
