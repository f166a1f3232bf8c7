package userland

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sandbox/image/builtin/shell"
)

// action reads what find does with a file.
func (p *findParser) action(word string) (findTest, error) {
	f := p.finder
	switch word {
	case "-print":
		return func(file *found) bool { fmt.Fprintln(f.out, file.path); return true }, nil
	case "-print0":
		return func(file *found) bool { fmt.Fprint(f.out, file.path, "\x00"); return true }, nil
	case "-printf":
		format := p.next()
		return func(file *found) bool { f.out.WriteString(findFormat(format, file)); return true }, nil
	case "-ls":
		users, groups := &accounts{file: "/etc/passwd"}, &accounts{file: "/etc/group"}
		return func(file *found) bool {
			fmt.Fprintf(f.out, "%9d %6d %s %3d %-8s %-8s %8d %s %s\n", file.stat.Ino, (file.stat.Blocks+1)/2, modeText(file.stat.Mode),
				file.stat.Nlink, users.name(int(file.stat.Uid)), groups.name(int(file.stat.Gid)), file.stat.Size,
				file.info.ModTime().Format("Jan _2 15:04"), file.path)
			return true
		}, nil
	case "-delete":
		f.depthFirst = true
		return func(file *found) bool {
			if file.path == "." {
				return true
			}
			if err := os.Remove(file.path); err != nil {
				f.fail("cannot delete '%s': %s", file.path, causeText(err))
				return false
			}
			return true
		}, nil
	}
	return p.execution(word)
}

// execution reads the words up to ; (one run for each file) or {} + (one run for many).
func (p *findParser) execution(word string) (findTest, error) {
	var argv []string
	for {
		if len(p.words) == 0 {
			return nil, fmt.Errorf("missing argument to '%s'", word)
		}
		arg := p.next()
		if arg == ";" {
			break
		}
		if arg == "+" && len(argv) > 0 && argv[len(argv)-1] == "{}" {
			batch := &findBatch{finder: p.finder, argv: argv[:len(argv)-1]}
			p.batches = append(p.batches, batch)
			return batch.add, nil
		}
		argv = append(argv, arg)
	}
	if len(argv) == 0 {
		return nil, fmt.Errorf("invalid argument ';' to '%s'", word)
	}
	f := p.finder
	return func(file *found) bool {
		path, dir := file.path, ""
		if word == "-execdir" {
			path, dir = "./"+file.base, filepath.Dir(file.path)
		}
		words := make([]string, len(argv))
		for i, arg := range argv {
			words[i] = strings.ReplaceAll(arg, "{}", path)
		}
		f.out.Flush()
		if word == "-ok" {
			fmt.Fprintf(f.p.Stderr, "< %s > ? ", strings.Join(words, " "))
			if !readYes(bufio.NewReader(f.p.Stdin)) {
				return false
			}
		}
		return f.p.runProgram(words, dir) == 0
	}, nil
}

// findBatch collects files for -exec … {} +.
type findBatch struct {
	*finder
	argv  []string
	files []string
	size  int
}

func (b *findBatch) add(file *found) bool {
	b.files = append(b.files, file.path)
	if b.size += len(file.path) + 9; b.size > argumentRoom {
		b.run()
	}
	return true
}

func (b *findBatch) run() {
	if len(b.files) == 0 {
		return
	}
	b.out.Flush()
	if b.p.runProgram(append(slices.Clone(b.argv), b.files...), "") != 0 {
		b.code = 1
	}
	b.files, b.size = nil, 0
}

// argumentRoom is how many bytes of arguments we hand to a program; Linux takes 2 MiB, environment included.
const argumentRoom = 128 << 10

// findFormat knows the directives of -printf that people use.
func findFormat(format string, f *found) string {
	users, groups := accounts{file: "/etc/passwd"}, accounts{file: "/etc/group"}
	unescaped, _ := shell.Unescape(format)
	return expandFormat(unescaped, func(letter string) (string, bool) {
		switch letter {
		case "p":
			return f.path, true
		case "f":
			return f.base, true
		case "h":
			return filepath.Dir(f.path), true
		case "P":
			return strings.TrimPrefix(strings.TrimPrefix(f.path, f.start), "/"), true
		case "s":
			return strconv.FormatInt(f.stat.Size, 10), true
		case "d":
			return strconv.Itoa(f.depth), true
		case "y":
			return strings.ReplaceAll(string(typeLetter(f.stat.Mode)), "-", "f"), true
		case "m":
			return strconv.FormatUint(uint64(f.stat.Mode&0o7777), 8), true
		case "M":
			return modeText(f.stat.Mode), true
		case "u":
			return users.name(int(f.stat.Uid)), true
		case "g":
			return groups.name(int(f.stat.Gid)), true
		case "U":
			return strconv.Itoa(int(f.stat.Uid)), true
		case "G":
			return strconv.Itoa(int(f.stat.Gid)), true
		case "i":
			return strconv.FormatUint(f.stat.Ino, 10), true
		case "n":
			return strconv.Itoa(int(f.stat.Nlink)), true
		case "l":
			target, _ := os.Readlink(f.path)
			return target, true
		case "t":
			return f.info.ModTime().Format("Mon Jan _2 15:04:05 2006"), true
		case "%":
			return "%", true
		}
		return "", false
	})
}
