package transcripts

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Layers travel side by side: which is done first, and in what order the registry is asked, is chance. So the lines that
// tell of layers are sorted, and of a command's HTTP requests each kind is shown once.
var (
	layerLine = regexp.MustCompile(`^  [0-9a-f]{12}(: (Pushed|Pull complete|Layer already exists|Already exists|Mounted from .*))$`)
	masked    = rules(
		`\blayer [0-9a-f]{12} to `, `layer <layer> to `,
		`\$2[aby]\$\d\d\$\S{53}`, `<hash>`,
		`^(  ┆ .*)\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`, `$1<upload>`,
		`^(  ┆   [A-Z]+ http.*)sha256:[0-9a-f]{12}…`, `$1<digest>`,
	)
	request = regexp.MustCompile(`^(  ┆   (?:GET|HEAD|POST|PATCH|PUT) http\S+ → \d+)([^#]*?)(   # .*)?$`)
	givenUp = regexp.MustCompile(`^  ┆ .* → given up`) // because another one was refused, or not quick enough for that
	folded  = regexp.MustCompile(`^  ┆ +(…+ ?<n> |\[2\.6\])`)
)

// layersSorted masks the names of layers where they come in any order.
func layersSorted(lines []string) []string {
	var out []string
	first := -1 // of the lines in a row that tell of layers
	for _, line := range lines {
		if givenUp.MatchString(line) {
			continue
		}
		for _, r := range masked {
			line = r.pattern.ReplaceAllString(line, r.by)
		}
		if !layerLine.MatchString(line) {
			first = -1
		} else if first < 0 {
			first = len(out)
		}
		out = append(out, layerLine.ReplaceAllString(line, "  <layer>$1"))
		if first >= 0 {
			slices.Sort(out[first:])
		}
	}
	return out
}

// requestsSorted does that for each explanation in which there are requests.
func requestsSorted(lines []string) []string {
	var out []string
	for len(lines) > 0 {
		n := 0
		for n < len(lines) && strings.HasPrefix(lines[n], "  ┆") {
			n++
		}
		if n == 0 {
			out, lines = append(out, lines[0]), lines[1:]
			continue
		}
		out, lines = append(out, oneExplanation(lines[:n])...), lines[n:]
	}
	return out
}

func oneExplanation(lines []string) []string {
	first := slices.IndexFunc(lines, request.MatchString)
	if first < 0 {
		return lines
	}
	last := first
	whys := map[string][]string{} // of each kind of request, "" too
	for i, line := range lines {
		if m := request.FindStringSubmatch(line); m != nil {
			last = i
			whys[m[1]] = append(whys[m[1]], m[3])
		}
	}
	var requests []string
	for kind, list := range whys {
		slices.Sort(list)
		list = slices.Compact(list)
		if len(list) > 1 && list[0] == "" {
			list = list[1:]
		}
		for _, why := range list {
			requests = append(requests, kind+why)
		}
	}
	slices.Sort(requests)
	var rest []string // what is between requests and is neither one nor a count
	for _, line := range lines[first : last+1] {
		if !request.MatchString(line) && !folded.MatchString(line) {
			rest = append(rest, line)
		}
	}
	return slices.Concat(lines[:first], requests, rest, lines[last+1:])
}

func TestRequestsSorted(t *testing.T) {
	const one = `  $ x
  ┆ [2.6] registry
  ┆   HEAD http://x/v2/a/blobs/sha256:aaaaaaaaaaaa… → 404   # is it there?
  ┆   HEAD http://x/v2/a/blobs/sha256:bbbbbbbbbbbb… → 404
  ┆   … 2 steps as before
  ┆   GET http://x/v2/ → 200, 3 bytes in 4 ms   # who?
  aaaaaaaaaaaa: Pushed
  bbbbbbbbbbbb: Layer already exists`
	const other = `  $ x
  ┆ [2.6] registry
  ┆   GET http://x/v2/ → 200, 3 bytes in 5 ms   # who?
  bbbbbbbbbbbb: Layer already exists
  aaaaaaaaaaaa: Pushed
  ┆   HEAD http://x/v2/a/blobs/sha256:bbbbbbbbbbbb… → 404   # is it there?
  ┆   HEAD http://x/v2/a/blobs/sha256:aaaaaaaaaaaa… → given up   # is it there?`
	const want = `  $ x
  ┆ [2.6] registry
  ┆   GET http://x/v2/ → 200   # who?
  ┆   HEAD http://x/v2/a/blobs/<digest> → 404   # is it there?
  <layer>: Layer already exists
  <layer>: Pushed`
	for _, text := range []string{one, other} {
		if got := mask(text); got != want {
			t.Errorf("mask:\n%s\nwant:\n%s", got, want)
		}
	}
}
