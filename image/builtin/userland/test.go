package userland

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// runTest is test and [ as programs: 0 for true, 1 for false, 2 for what makes no sense.
func runTest(p *Process) int {
	words := p.Args[1:]
	if filepath.Base(p.Args[0]) == "[" {
		if len(words) == 0 || words[len(words)-1] != "]" {
			p.Fail("missing ']'")
			return 2
		}
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return 1
	}
	t := &tester{words: words}
	result := t.or()
	if t.err == nil && len(t.words) > 0 {
		t.err = fmt.Errorf("extra argument '%s'", t.words[0])
	}
	if t.err != nil {
		p.Fail("%v", t.err)
		return 2
	}
	if result {
		return 0
	}
	return 1
}

type tester struct {
	words []string
	err   error
}

func (t *tester) or() bool {
	result := t.and()
	for len(t.words) > 0 && t.words[0] == "-o" {
		t.words = t.words[1:]
		right := t.and()
		result = result || right
	}
	return result
}

func (t *tester) and() bool {
	result := t.not()
	for len(t.words) > 0 && t.words[0] == "-a" {
		t.words = t.words[1:]
		right := t.not()
		result = result && right
	}
	return result
}

func (t *tester) not() bool {
	// Three words with an operator in the middle are a comparison, whatever the first one looks like: [ ! = x ].
	if len(t.words) > 1 && t.words[0] == "!" && !(len(t.words) >= 3 && isComparison(t.words[1])) {
		t.words = t.words[1:]
		return !t.not()
	}
	return t.primary()
}

func (t *tester) primary() bool {
	words := t.words
	switch {
	case len(words) == 0:
		t.err = errors.New("argument expected")
		return false
	case len(words) >= 3 && isComparison(words[1]):
		t.words = words[3:]
		return t.compare(words[0], words[1], words[2])
	case words[0] == "(" && len(words) > 1:
		t.words = words[1:]
		result := t.or()
		if len(t.words) == 0 || t.words[0] != ")" {
			t.err = errors.New("')' expected")
			return false
		}
		t.words = t.words[1:]
		return result
	case len(words) >= 2 && len(words[0]) == 2 && words[0][0] == '-':
		t.words = words[2:]
		return t.unary(words[0], words[1])
	}
	t.words = words[1:]
	return words[0] != ""
}

func isComparison(word string) bool {
	switch word {
	case "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef":
		return true
	}
	return false
}

func (t *tester) compare(a, operator, b string) bool {
	switch operator {
	case "=", "==":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case ">":
		return a > b
	case "-ef":
		return sameFile(a, b)
	case "-nt", "-ot":
		if operator == "-ot" {
			a, b = b, a
		}
		infoA, errA := os.Stat(a)
		infoB, errB := os.Stat(b)
		return errA == nil && (errB != nil || infoA.ModTime().After(infoB.ModTime()))
	}
	order := cmp.Compare(t.integer(a), t.integer(b))
	switch operator {
	case "-eq":
		return order == 0
	case "-ne":
		return order != 0
	case "-lt":
		return order < 0
	case "-le":
		return order <= 0
	case "-gt":
		return order > 0
	}
	return order >= 0
}

func (t *tester) integer(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		t.err = fmt.Errorf("invalid integer '%s'", text)
	}
	return n
}

func (t *tester) unary(operator, value string) bool {
	switch operator {
	case "-n":
		return value != ""
	case "-z":
		return value == ""
	case "-t":
		fd, err := strconv.Atoi(value)
		return err == nil && term.IsTerminal(fd)
	case "-r":
		return unix.Access(value, unix.R_OK) == nil
	case "-w":
		return unix.Access(value, unix.W_OK) == nil
	case "-x":
		return unix.Access(value, unix.X_OK) == nil
	case "-h", "-L":
		info, err := os.Lstat(value)
		return err == nil && info.Mode()&os.ModeSymlink != 0
	}
	info, err := os.Stat(value)
	return t.ofFile(operator, info, err)
}

func (t *tester) ofFile(operator string, info os.FileInfo, err error) bool {
	has := func(mode os.FileMode) bool { return err == nil && info.Mode()&mode != 0 }
	switch operator {
	case "-e", "-a":
		return err == nil
	case "-f":
		return err == nil && info.Mode().IsRegular()
	case "-d":
		return has(os.ModeDir)
	case "-s":
		return err == nil && info.Size() > 0
	case "-b":
		return has(os.ModeDevice) && !has(os.ModeCharDevice)
	case "-c":
		return has(os.ModeCharDevice)
	case "-p":
		return has(os.ModeNamedPipe)
	case "-S":
		return has(os.ModeSocket)
	case "-u":
		return has(os.ModeSetuid)
	case "-g":
		return has(os.ModeSetgid)
	case "-k":
		return has(os.ModeSticky)
	case "-O":
		return err == nil && int(info.Sys().(*syscall.Stat_t).Uid) == os.Geteuid()
	case "-G":
		return err == nil && int(info.Sys().(*syscall.Stat_t).Gid) == os.Getegid()
	}
	t.err = fmt.Errorf("'%s': unary operator expected", operator)
	return false
}
