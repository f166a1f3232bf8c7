package userland

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// causeText is what lies at the bottom of an error. The kernel's errors are put into the C library's words, which begin with
// a capital letter: No such file or directory.
func causeText(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		text := errno.Error()
		return strings.ToUpper(text[:1]) + text[1:]
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}

// causedBy adds which file it was: "open /proc/1/ns/net: Permission denied".
func causedBy(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Op + " " + at.Path + ": " + causeText(at.Err)
	}
	return causeText(err)
}
