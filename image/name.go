package image

import (
	"fmt"
	"strings"
)

// Name is what an image is called by, taken apart as Docker does:
//
//	[registry/]repository[:tag][@sha256:digest]
//
// "ubuntu" is short for docker.io/library/ubuntu:latest. The images that sandbox makes itself have no registry at all,
// so that they are never taken for somebody else's.
type Name struct {
	Registry   string // "docker.io", "localhost:5000"; "" for a built-in image
	Repository string // "library/ubuntu"
	Tag        string // "latest"; "" if there is only a digest
	Digest     string // "sha256:…", or ""
}

const (
	hub         = "docker.io"
	hubLibrary  = "library/"
	maxNameSize = 255 // of registry and repository together
	maxTagSize  = 128
)

// ParseName takes a name apart and fills in what Docker fills in.
func ParseName(s string) (Name, error) {
	rest, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest && !isDigest(digest) {
		return Name{}, fmt.Errorf("invalid image name %q: after @ comes sha256: and 64 hexadecimal digits", s)
	}
	tag := ""
	if colon := strings.LastIndexByte(rest, ':'); colon > strings.LastIndexByte(rest, '/') {
		rest, tag = rest[:colon], rest[colon+1:]
		if !isTag(tag) {
			return Name{}, fmt.Errorf("invalid image name %q: a tag has up to %d letters, digits and _.- , and does not begin with . or -", s, maxTagSize)
		}
	} else if !hasDigest {
		tag = "latest"
	}
	n := Name{Registry: hub, Repository: rest, Tag: tag, Digest: digest}
	if first, path, found := strings.Cut(rest, "/"); found && looksLikeHost(first) {
		n.Registry, n.Repository = first, path
	}
	if n.Registry == "index.docker.io" {
		n.Registry = hub
	}
	if err := n.check(s); err != nil {
		return Name{}, err
	}
	if n.Registry == hub && !strings.Contains(n.Repository, "/") {
		n.Repository = hubLibrary + n.Repository
	}
	return n, nil
}

func (n Name) check(s string) error {
	switch {
	case !isHost(n.Registry):
		return fmt.Errorf("invalid image name %q: %q is no registry's name", s, n.Registry)
	case n.Repository != strings.ToLower(n.Repository):
		return fmt.Errorf("invalid image name %q: it must be lower case", s)
	case len(n.Registry)+1+len(n.Repository) > maxNameSize:
		return fmt.Errorf("invalid image name %q: longer than %d bytes", s, maxNameSize)
	case len(n.Repository) == 64 && isHex(n.Repository):
		return fmt.Errorf("invalid image name %q: it would be taken for an image ID", s)
	}
	for part := range strings.SplitSeq(n.Repository, "/") {
		if !isPathPart(part) {
			return fmt.Errorf("invalid image name %q: %q should be lower-case letters and digits, with single . or _, __ or - between them", s, part)
		}
	}
	return nil
}

// String writes the name in full, as it stands in the store.
func (n Name) String() string {
	s := n.Repository
	if n.Registry != "" {
		s = n.Registry + "/" + s
	}
	if n.Tag != "" {
		s += ":" + n.Tag
	}
	if n.Digest != "" {
		s += "@" + n.Digest
	}
	return s
}

// Familiar writes the name as people do: without what goes without saying, but with the tag.
func (n Name) Familiar() string { return familiar(n.String()) }

func familiar(full string) string {
	short, found := strings.CutPrefix(full, hub+"/")
	if !found {
		return full
	}
	if name, found := strings.CutPrefix(short, hubLibrary); found && !strings.Contains(name, "/") {
		return name
	}
	if first, _, _ := strings.Cut(short, "/"); looksLikeHost(first) {
		return full // docker.io/localhost/x is not localhost/x
	}
	return short
}

// Builtin is the name without a registry that a built-in image of this repository and tag has.
func (n Name) Builtin() Name {
	return Name{Repository: strings.TrimPrefix(n.Repository, hubLibrary), Tag: n.Tag}
}

// looksLikeHost tells a registry from a user on Docker Hub: only a host has a dot, a port or an upper-case letter.
func looksLikeHost(s string) bool {
	return s == "localhost" || strings.ContainsAny(s, ".:") || s != strings.ToLower(s)
}

// isHost accepts a DNS name, an IPv4 address, or an IPv6 address in brackets; each may have a port.
func isHost(s string) bool {
	host := s
	if strings.HasPrefix(s, "[") {
		address, after, closed := strings.Cut(s[1:], "]")
		if !closed || address == "" || after != "" && after[0] != ':' || strings.Trim(address, "0123456789abcdefABCDEF:") != "" {
			return false
		}
		host = "v6" + after
	}
	host, port, hasPort := strings.Cut(host, ":")
	if hasPort && (port == "" || strings.Trim(port, "0123456789") != "") {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if !consistsOf(label, "-") || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

// isPathPart accepts runs of lower-case letters and digits, separated by one '.', one or two '_', or any number of '-'.
func isPathPart(s string) bool {
	separator := ""
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			separator = ""
			continue
		case i == 0 || !strings.ContainsRune("._-", rune(c)):
			return false
		}
		separator += string(c)
		if separator != "." && separator != "_" && separator != "__" && strings.Trim(separator, "-") != "" {
			return false
		}
	}
	return s != "" && separator == ""
}

func isTag(s string) bool {
	return len(s) <= maxTagSize && consistsOf(s, "_.-") && s[0] != '.' && s[0] != '-'
}

// consistsOf reports whether s has nothing but ASCII letters, digits and the given others, and at least one of them.
func consistsOf(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return s != ""
}

func isDigest(s string) bool {
	hex, found := strings.CutPrefix(s, "sha256:")
	return found && len(hex) == 64 && isHex(hex)
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}
