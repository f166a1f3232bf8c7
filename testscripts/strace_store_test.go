package testscripts

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// The image store's own files are the one thing that is changed and not explained, call by call: unpacking a layer is thousands of calls
// that say nothing but "it is unpacked". Rule: what a client does to files, and to nothing else, in the store's own directories; and
// taking over what a container has written.

// fileCalls are the calls on files that the store makes, with the places of their paths: of a directory's descriptor or a file's
// (-y gives its path) and, after it, of a name in it.
var fileCalls = map[string][][]int{
	"openat": {{0, 1}}, "mkdirat": {{0, 1}}, "unlinkat": {{0, 1}}, "mknodat": {{0, 1}}, "fchmodat": {{0, 1}}, "fchownat": {{0, 1}},
	"symlinkat": {{1, 2}}, "linkat": {{2, 3}}, "renameat": {{0, 1}, {2, 3}}, "renameat2": {{0, 1}, {2, 3}},
	"fchown": {{0}}, "fchmod": {{0}}, "fsetxattr": {{0}}, "ftruncate": {{0}},
}

// ofStore tells whether a call is the image store's own affair.
func (m *made) ofStore() bool {
	places, is := fileCalls[m.name]
	if !is || m.role != "client" {
		return false
	}
	return !slices.ContainsFunc(places, func(at []int) bool {
		where := pathOf(m.raw.args[at[0]])
		if len(at) > 1 {
			name := unquote(m.raw.args[at[1]])
			if path.IsAbs(name) {
				where = ""
			}
			where = path.Join(where, name)
		}
		return !inStore.MatchString(strings.TrimSuffix(where, "/"))
	})
}

var inStore = regexp.MustCompile(`^/var/lib/sandbox/(oci|layers|staging|compressed|build|builtin|reserve)(/|$)|^/var/lib/sandbox/containers/[0-9a-f]{64}/upper(/|$)`)
