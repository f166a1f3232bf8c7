package userland

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// withArgument reads the conditions that have one.
func (p *findParser) withArgument(word, value string) (findTest, error) {
	always := func(*found) bool { return true }
	var err error
	switch word {
	case "-maxdepth":
		p.max, err = strconv.Atoi(value)
		return always, wrapFind(word, value, err)
	case "-mindepth":
		p.min, err = strconv.Atoi(value)
		return always, wrapFind(word, value, err)
	case "-name":
		return func(f *found) bool { return fnmatch(value, f.base) }, nil
	case "-iname":
		value = strings.ToLower(value)
		return func(f *found) bool { return fnmatch(value, strings.ToLower(f.base)) }, nil
	case "-path", "-wholename":
		return func(f *found) bool { return fnmatch(value, f.path) }, nil
	case "-ipath":
		value = strings.ToLower(value)
		return func(f *found) bool { return fnmatch(value, strings.ToLower(f.path)) }, nil
	case "-lname":
		return func(f *found) bool {
			target, err := os.Readlink(f.path)
			return err == nil && fnmatch(value, target)
		}, nil
	case "-regex", "-iregex":
		re, err := compilePattern("^("+value+")$", true, word == "-iregex")
		if err != nil {
			return nil, err
		}
		return func(f *found) bool { return re.MatchString(f.path) }, nil
	case "-regextype":
		return always, nil
	case "-type":
		return func(f *found) bool {
			letter := string(typeLetter(f.stat.Mode))
			return slices.Contains(strings.Split(strings.ReplaceAll(value, "f", "-"), ","), letter)
		}, nil
	case "-user", "-uid", "-group", "-gid":
		return p.owned(word, value)
	case "-perm":
		return permTest(value)
	case "-newer", "-samefile":
		return p.relatedTo(word, value)
	}
	return p.numeric(word, value)
}

func wrapFind(word, value string, err error) error {
	if err != nil {
		return fmt.Errorf("invalid argument '%s' to '%s'", value, word)
	}
	return nil
}

func (p *findParser) owned(word, value string) (findTest, error) {
	file, ofUser := "/etc/group", word == "-user" || word == "-uid"
	if ofUser {
		file = "/etc/passwd"
	}
	id, ok := (&accounts{file: file}).id(value)
	if !ok {
		return nil, fmt.Errorf("invalid argument '%s' to '%s'", value, word)
	}
	return func(f *found) bool {
		if ofUser {
			return int(f.stat.Uid) == id
		}
		return int(f.stat.Gid) == id
	}, nil
}

// permTest reads 644 (exactly), -644 (all of these) and /644 (any of these).
func permTest(value string) (findTest, error) {
	how := byte(0)
	if value != "" && (value[0] == '-' || value[0] == '/') {
		how, value = value[0], value[1:]
	}
	change, err := parseMode(value)
	if err != nil {
		return nil, err
	}
	wanted := change(0, false)
	return func(f *found) bool {
		mode := f.stat.Mode & 0o7777
		switch how {
		case '-':
			return mode&wanted == wanted
		case '/':
			return mode&wanted != 0 || wanted == 0
		}
		return mode == wanted
	}, nil
}

func (p *findParser) relatedTo(word, value string) (findTest, error) {
	info, err := os.Stat(value)
	if err != nil {
		return nil, fmt.Errorf("'%s': %s", value, causeText(err))
	}
	if word == "-samefile" {
		return func(f *found) bool { return idOf(f.info) == idOf(info) }, nil
	}
	return func(f *found) bool { return f.info.ModTime().After(info.ModTime()) }, nil
}

// numeric reads the conditions with +N, -N and N: more than, less than, exactly.
func (p *findParser) numeric(word, value string) (findTest, error) {
	sign, digits := byte(0), value
	if value[0] == '+' || value[0] == '-' {
		sign, digits = value[0], value[1:]
	}
	unit := int64(512)
	if word == "-size" && digits != "" {
		if i := strings.IndexByte("cwbkMG", digits[len(digits)-1]); i >= 0 {
			unit = []int64{1, 2, 512, 1 << 10, 1 << 20, 1 << 30}[i]
			digits = digits[:len(digits)-1]
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("invalid argument '%s' to '%s'", value, word)
	}
	measure := p.measure(word, unit)
	if measure == nil {
		return nil, fmt.Errorf("unknown predicate '%s'", word)
	}
	return func(f *found) bool {
		switch value := measure(f); sign {
		case '+':
			return value > n
		case '-':
			return value < n
		default:
			return value == n
		}
	}, nil
}

func (p *findParser) measure(word string, unit int64) func(f *found) int64 {
	age := func(at syscall.Timespec, unit time.Duration) int64 {
		return int64(p.now.Sub(time.Unix(at.Unix())) / unit)
	}
	switch word {
	case "-size":
		return func(f *found) int64 { return (f.stat.Size + unit - 1) / unit }
	case "-links":
		return func(f *found) int64 { return int64(f.stat.Nlink) }
	case "-inum":
		return func(f *found) int64 { return int64(f.stat.Ino) }
	case "-mtime":
		return func(f *found) int64 { return age(f.stat.Mtim, 24*time.Hour) }
	case "-mmin":
		return func(f *found) int64 { return age(f.stat.Mtim, time.Minute) }
	case "-ctime":
		return func(f *found) int64 { return age(f.stat.Ctim, 24*time.Hour) }
	case "-cmin":
		return func(f *found) int64 { return age(f.stat.Ctim, time.Minute) }
	case "-atime":
		return func(f *found) int64 { return age(f.stat.Atim, 24*time.Hour) }
	case "-amin":
		return func(f *found) int64 { return age(f.stat.Atim, time.Minute) }
	}
	return nil
}
