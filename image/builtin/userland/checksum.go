package userland

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"strings"
)

// runChecksum is md5sum, sha1sum, sha256sum and sha512sum.
func runChecksum(p *Process) int {
	opts, names, err := p.options("cbtwsq", map[string]string{"check": "c", "binary": "b", "text": "t", "warn": "w",
		"status": "s", "quiet": "q"})
	if err != nil {
		return p.Fail("%v", err)
	}
	newHash := map[string]func() hash.Hash{"md5sum": md5.New, "sha1sum": sha1.New, "sha256sum": sha256.New,
		"sha512sum": sha512.New}[filepath.Base(p.Args[0])]
	if opts.has('c') {
		return p.checkSums(names, newHash, opts)
	}
	return p.eachInput(names, func(name string, in io.Reader) error {
		h := newHash()
		if _, err := io.Copy(h, in); err != nil {
			return err
		}
		mark := ' '
		if opts.has('b') {
			mark = '*'
		}
		fmt.Fprintf(p.Stdout, "%x %c%s\n", h.Sum(nil), mark, name)
		return nil
	})
}

// checkSums reads lists that this command has written, and compares.
func (p *Process) checkSums(lists []string, newHash func() hash.Hash, opts *options) int {
	lines, code := p.allLines(lists)
	wrong, unreadable, malformed := 0, 0, 0
	for _, line := range lines {
		wanted, name, ok := strings.Cut(line, " ")
		if !ok || len(name) < 2 || len(wanted) != 2*newHash().Size() {
			malformed++
			continue
		}
		name = name[1:]
		sum, err := p.checksum(name, newHash())
		verdict := "OK"
		switch {
		case err != nil:
			p.Fail("%s: %s", name, causeText(err))
			verdict = "FAILED open or read"
			unreadable++
		case sum != strings.ToLower(wanted):
			verdict = "FAILED"
			wrong++
		}
		if !opts.has('s') && !(opts.has('q') && verdict == "OK") {
			fmt.Fprintf(p.Stdout, "%s: %s\n", name, verdict)
		}
	}
	for _, trouble := range []struct {
		count     int
		one, many string
	}{
		{malformed, "1 line is improperly formatted", "%d lines are improperly formatted"},
		{unreadable, "1 listed file could not be read", "%d listed files could not be read"},
		{wrong, "1 computed checksum did NOT match", "%d computed checksums did NOT match"},
	} {
		switch {
		case trouble.count == 0:
			continue
		case trouble.count == 1 && !opts.has('s'):
			p.Fail("WARNING: %s", trouble.one)
		case !opts.has('s'):
			p.Fail("WARNING: "+trouble.many, trouble.count)
		}
	}
	if wrong+unreadable > 0 {
		code = 1
	}
	return code
}

func (p *Process) checksum(name string, h hash.Hash) (string, error) {
	in, err := p.openInput(name)
	if err != nil {
		return "", err
	}
	defer in.Close()
	_, err = io.Copy(h, in)
	return hex.EncodeToString(h.Sum(nil)), err
}
