package userland

import (
	"strings"
	"unicode/utf8"
)

// fnmatch matches a name against a shell pattern: * ? [a-z] [!a-z] and \ before a character meant as such. Unlike
// filepath.Match it lets * run across a slash, as find -path and tar --exclude do.
func fnmatch(pattern, name string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			rest := strings.TrimLeft(pattern, "*")
			for i := 0; i <= len(name); i++ {
				if fnmatch(rest, name[i:]) {
					return true
				}
			}
			return false
		case '?':
			_, size := utf8.DecodeRuneInString(name)
			if size == 0 {
				return false
			}
			pattern, name = pattern[1:], name[size:]
		case '[':
			r, size := utf8.DecodeRuneInString(name)
			matched, rest, ok := matchSet(pattern[1:], r)
			if size == 0 || !ok || !matched {
				return !ok && name != "" && name[0] == '[' && fnmatch(pattern[1:], name[1:])
			}
			pattern, name = rest, name[size:]
		default:
			if pattern[0] == '\\' && len(pattern) > 1 {
				pattern = pattern[1:]
			}
			if name == "" || name[0] != pattern[0] {
				return false
			}
			pattern, name = pattern[1:], name[1:]
		}
	}
	return name == ""
}

// matchSet reads a set up to its closing bracket; ok is false if there is none.
func matchSet(set string, r rune) (matched bool, rest string, ok bool) {
	negated := false
	if set != "" && (set[0] == '!' || set[0] == '^') {
		negated, set = true, set[1:]
	}
	for first := true; set != ""; first = false {
		low, size := utf8.DecodeRuneInString(set)
		if low == ']' && !first {
			return matched != negated, set[1:], true
		}
		set = set[size:]
		high := low
		if len(set) > 1 && set[0] == '-' && set[1] != ']' {
			high, size = utf8.DecodeRuneInString(set[1:])
			set = set[1+size:]
		}
		matched = matched || low <= r && r <= high
	}
	return false, "", false
}
