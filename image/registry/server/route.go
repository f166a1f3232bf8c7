package server

import (
	"net/http"
	"strings"
)

// kind is what a URL means.
type kind int

const (
	nothing   kind = iota
	base           // /v2/
	catalog        // /v2/_catalog
	manifest       // /v2/NAME/manifests/REFERENCE
	blob           // /v2/NAME/blobs/DIGEST
	uploads        // /v2/NAME/blobs/uploads/
	upload         // /v2/NAME/blobs/uploads/ID
	tagList        // /v2/NAME/tags/list
	referrers      // /v2/NAME/referrers/DIGEST
)

// target is a URL taken apart.
type target struct {
	kind      kind
	name      string // the repository
	reference string // tag or digest, or the upload's id
}

// parsePath takes a path apart from its end: a repository's name may consist of several parts, and any of them may be called
// "blobs" or "tags". What it finds is not valid yet.
func parsePath(path string) target {
	rest, ok := strings.CutPrefix(path, "/v2/")
	switch {
	case path == "/v2" || path == "/v2/":
		return target{kind: base}
	case !ok:
		return target{}
	case rest == "_catalog":
		return target{kind: catalog}
	}
	if name, ok := strings.CutSuffix(strings.TrimSuffix(rest, "/"), "/blobs/uploads"); ok {
		return target{uploads, name, ""}
	}
	rest, reference, _ := cutLast(rest)
	name, verb, found := cutLast(rest)
	if !found || reference == "" {
		return target{}
	}
	switch {
	case verb == "tags" && reference == "list":
		return target{tagList, name, ""}
	case verb == "manifests":
		return target{manifest, name, reference}
	case verb == "referrers":
		return target{referrers, name, reference}
	case verb == "blobs":
		return target{blob, name, reference}
	}
	if name, ok := strings.CutSuffix(name+"/"+verb, "/blobs/uploads"); ok {
		return target{upload, name, reference}
	}
	return target{}
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// maxName is how long a repository's name may be: a part of it then fits into a directory's name, and clients can put
// a host name in front of it.
const maxName = 255

// validName: parts of lower-case letters and digits, with single separators (".", "_", "__", any number of "-") inside.
func validName(name string) bool {
	if len(name) > maxName {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if !validPart(part) {
			return false
		}
	}
	return true
}

func validPart(part string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	for {
		rest := strings.TrimLeft(part, letters)
		if rest == part {
			return false // a separator, or nothing, where letters are due
		}
		part = strings.TrimLeft(rest, "._-")
		switch separator := rest[:len(rest)-len(part)]; {
		case rest == "":
			return true
		case separator != "." && separator != "_" && separator != "__" && (separator == "" || strings.Trim(separator, "-") != ""):
			return false
		}
	}
}

// validTag: at most 128 letters, digits, "_", "." and "-", the last two not in front.
func validTag(tag string) bool {
	return tag != "" && len(tag) <= 128 && tag[0] != '.' && tag[0] != '-' && strings.Trim(tag, alphanumeric+"_.-") == ""
}

// validUpload: an id in the form that newID gives it.
func validUpload(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i, c := range id {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdef", c) {
			return false
		}
	}
	return true
}

// check refuses a name that no repository can have. Who reads is told that there is no such thing, who writes that there
// cannot be.
func (t target) check(method string) error {
	if t.kind <= catalog || validName(t.name) {
		return nil
	}
	status := http.StatusBadRequest
	if method == http.MethodGet || method == http.MethodHead {
		status = http.StatusNotFound
	}
	return fail(status, codeNameInvalid, "invalid repository name").about("name", t.name)
}
