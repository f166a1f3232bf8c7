package userland

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

type findParser struct {
	*finder
	words []string
}

func (p *findParser) next() string {
	if len(p.words) == 0 {
		return ""
	}
	word := p.words[0]
	p.words = p.words[1:]
	return word
}

func (p *findParser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *findParser) parse() (findTest, error) {
	if len(p.words) == 0 {
		return func(*found) bool { return true }, nil
	}
	test, err := p.or()
	if err == nil && len(p.words) > 0 {
		err = fmt.Errorf("paths must precede expression: '%s'", p.words[0])
	}
	return test, err
}

func (p *findParser) or() (findTest, error) {
	left, err := p.and()
	for err == nil && (p.peek() == "-o" || p.peek() == "-or") {
		p.next()
		var right findTest
		if right, err = p.and(); err == nil {
			a := left
			left = func(f *found) bool { return a(f) || right(f) }
		}
	}
	return left, err
}

func (p *findParser) and() (findTest, error) {
	left, err := p.not()
	for err == nil && len(p.words) > 0 && p.peek() != "-o" && p.peek() != "-or" && p.peek() != ")" {
		if p.peek() == "-a" || p.peek() == "-and" {
			p.next()
		}
		var right findTest
		if right, err = p.not(); err == nil {
			a := left
			left = func(f *found) bool { return a(f) && right(f) }
		}
	}
	return left, err
}

func (p *findParser) not() (findTest, error) {
	switch word := p.next(); word {
	case "!", "-not":
		test, err := p.not()
		return func(f *found) bool { return !test(f) }, err
	case "(":
		test, err := p.or()
		if err == nil && p.next() != ")" {
			err = errors.New("missing ')'")
		}
		return test, err
	case "":
		return nil, errors.New("expected an expression")
	default:
		return p.primary(word)
	}
}

// primary reads what needs no argument, and leaves the rest to others.
func (p *findParser) primary(word string) (findTest, error) {
	always := func(*found) bool { return true }
	switch word {
	case "-true":
		return always, nil
	case "-false":
		return func(*found) bool { return false }, nil
	case "-depth", "-d":
		p.depthFirst = true
		return always, nil
	case "-xdev", "-mount":
		p.oneDevice = true
		return always, nil
	case "-follow":
		p.follow = true
		return always, nil
	case "-prune":
		return func(f *found) bool { f.prune = true; return true }, nil
	case "-quit":
		p.acts = true
		return func(*found) bool { p.stop = true; return true }, nil
	case "-empty":
		return isEmpty, nil
	case "-nouser", "-nogroup":
		return p.unowned(word == "-nouser"), nil
	case "-readable", "-writable", "-executable":
		mode := map[string]uint32{"-readable": unix.R_OK, "-writable": unix.W_OK, "-executable": unix.X_OK}[word]
		return func(f *found) bool { return unix.Access(f.path, mode) == nil }, nil
	case "-print", "-print0", "-ls", "-delete", "-exec", "-execdir", "-ok", "-printf":
		p.acts = true
		return p.action(word)
	}
	if !strings.HasPrefix(word, "-") {
		return nil, fmt.Errorf("paths must precede expression: '%s'", word)
	}
	if len(p.words) == 0 {
		return nil, fmt.Errorf("missing argument to '%s'", word)
	}
	return p.withArgument(word, p.next())
}

func isEmpty(f *found) bool {
	if f.info.IsDir() {
		names, err := readNames(f.path)
		return err == nil && len(names) == 0
	}
	return f.info.Mode().IsRegular() && f.info.Size() == 0
}

func (p *findParser) unowned(user bool) findTest {
	users, groups := accounts{file: "/etc/passwd"}, accounts{file: "/etc/group"}
	return func(f *found) bool {
		if user {
			return users.name(int(f.stat.Uid)) == strconv.Itoa(int(f.stat.Uid))
		}
		return groups.name(int(f.stat.Gid)) == strconv.Itoa(int(f.stat.Gid))
	}
}
