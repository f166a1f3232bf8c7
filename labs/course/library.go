package course

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Library returns the labs of a directory, and those that are built in: one that is in both is the directory's, as a
// whole. An empty dir has none. from is what tells the directory from others in the learner's progress. Links that lead out of
// the directory are not followed: in a pocket host nothing would be at their end.
func Library(dir, from string) (fs.FS, error) {
	if dir == "" {
		return Lessons(), nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("read the labs: %w", err)
	}
	if _, err := fs.ReadDir(root.FS(), "."); err != nil {
		return nil, fmt.Errorf("read the labs: %w", err)
	}
	return shelf{own: root.FS(), from: from, others: Lessons()}, nil
}

// shelf has the labs of one file system before those of another.
type shelf struct {
	own    fs.FS
	from   string
	others fs.FS
}

// where is the one that has a lab's files, all of them: a built-in list of mistakes is none of a lab's that a teacher has
// written anew.
func (s shelf) where(name string) fs.FS {
	if number, _, ok := cutName(name); ok && slices.Contains(numbersIn(s.own), number) || name == "." {
		return s.own
	}
	return s.others
}

// Open is that of fs.FS; Stat and Lstat are for those that must not open what is no file.
func (s shelf) Open(name string) (fs.File, error)     { return s.where(name).Open(name) }
func (s shelf) Stat(name string) (fs.FileInfo, error) { return fs.Stat(s.where(name), name) }
func (s shelf) Lstat(name string) (fs.FileInfo, error) {
	return fs.Lstat(s.where(name), name)
}

// ReadLink goes with Lstat (fs.ReadLinkFS).
func (s shelf) ReadLink(name string) (string, error) { return fs.ReadLink(s.where(name), name) }

// isOwn says whether a lab is one of a directory.
func isOwn(labs fs.FS, number string) bool {
	s, ok := labs.(shelf)
	return ok && slices.Contains(numbersIn(s.own), number)
}

// progressKey is what a lab's progress is remembered by: its number, and the directory that it is from, if it is not built in.
func progressKey(labs fs.FS, number string) string {
	if !isOwn(labs, number) {
		return number
	}
	return path.Join(labs.(shelf).from, number)
}

// kinds are the last parts of the names of a lab's files.
var kinds = []string{".en.md", ".zh.md", ".mistakes.md"}

// NumberOf is the lab that a file is of, by the file's name.
func NumberOf(name string) (number string, ok bool) {
	number, _, ok = cutName(name)
	return number, ok
}

// cutName takes the name of a lab's file apart: 3.5 and .en.md. ok is false for every other file.
func cutName(name string) (number, kind string, ok bool) {
	for _, kind := range kinds {
		if number, ok := strings.CutSuffix(name, kind); ok && ValidNumber(number) {
			return number, kind, true
		}
	}
	return "", "", false
}

// ValidNumber says whether a lab can be called so: 3.5, or a word (small letters, digits and - after a letter).
func ValidNumber(number string) bool {
	if len(number) == 0 || len(number) > 40 {
		return false
	}
	if isWord(number) {
		return strings.Trim(number, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
	}
	chapter, lab, ok := strings.Cut(number, ".")
	return ok && isNumeral(chapter) && isNumeral(lab)
}

func isWord(number string) bool { return number != "" && number[0] >= 'a' && number[0] <= 'z' }

func isNumeral(text string) bool {
	return text != "" && len(text) <= 4 && strings.Trim(text, "0123456789") == "" && (text == "0" || text[0] != '0')
}

// LabOf is the lab that a number is of or in: 3.5 for 3.5.2, and intro for intro.2.
func LabOf(number string) string {
	if isWord(number) {
		word, _, _ := strings.Cut(number, ".")
		return word
	}
	parts := strings.SplitN(number, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// numbersIn lists the labs that have files in a directory.
func numbersIn(dir fs.FS) []string {
	entries, _ := fs.ReadDir(dir, ".")
	var list []string
	for _, e := range entries {
		if number, kind, ok := cutName(e.Name()); ok && kind != ".mistakes.md" && !slices.Contains(list, number) {
			list = append(list, number)
		}
	}
	return list
}

// Chapters are the labs of a library in order: the catalogue with those of a directory among them, words last. The titles
// of these come from their files.
func Chapters(labs fs.FS) []Chapter {
	list := Catalogue()
	s, ok := labs.(shelf)
	if !ok {
		return list
	}
	for _, number := range numbersIn(s.own) {
		c := Chapter{number, phrase{titleIn(s.own, number, English), titleIn(s.own, number, Chinese)}, true}
		if i := slices.IndexFunc(list, func(other Chapter) bool { return other.Number == number }); i >= 0 {
			list[i] = c
			continue
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b Chapter) int { return compareNumbers(a.Number, b.Number) })
	return list
}

// titleIn is a lab's title as its file has it, in the other language if this one is missing.
func titleIn(dir fs.FS, number string, lang Lang) string {
	for _, l := range []Lang{lang, English, Chinese} {
		source, err := readSource(dir, fileName(number, l))
		if err != nil {
			continue
		}
		for line := range strings.Lines(source) {
			if title, ok := strings.CutPrefix(line, "# "); ok {
				return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(title), number))
			}
		}
	}
	return ""
}

func compareNumbers(a, b string) int {
	if isWord(a) || isWord(b) {
		return strings.Compare(a, b) // digits come before letters
	}
	chapterA, labA, _ := strings.Cut(a, ".")
	chapterB, labB, _ := strings.Cut(b, ".")
	for _, pair := range [][2]string{{chapterA, chapterB}, {labA, labB}} {
		x, _ := strconv.Atoi(pair[0])
		y, _ := strconv.Atoi(pair[1])
		if x != y {
			return x - y
		}
	}
	return 0
}

// FindLab returns a lab of a library by its number.
func FindLab(labs fs.FS, number string) (Chapter, error) {
	var numbers []string
	for _, c := range Chapters(labs) {
		if c.Number == number {
			return c, nil
		}
		numbers = append(numbers, c.Number)
	}
	return Chapter{}, fmt.Errorf("no chapter %q in the course: there are %s", number, strings.Join(numbers, ", "))
}

func fileName(number string, lang Lang) string { return fmt.Sprintf("%s.%s.md", number, lang) }

// A file that is larger than anybody would read, or a line longer than anybody would write, is something else, or a mistake.
const (
	largest = 256 << 10
	longest = 4 << 10
)

// readSource reads a file of a lab, whatever it may be: a byte order mark is left out and lines end in \n, as editors on other
// systems do not have it. What no text can be is a Finding.
func readSource(dir fs.FS, name string) (string, error) {
	refuse := func(line int, format string, args ...any) (string, error) {
		return "", Finding{File: name, Line: line, Text: fmt.Sprintf(format, args...)}
	}
	info, err := fs.Stat(dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := fs.Lstat(dir, name); err == nil {
			return refuse(1, "this link leads to nothing: put the file itself here")
		}
		return "", err
	case err != nil && strings.Contains(err.Error(), "escapes"):
		return refuse(1, "this link leads out of its directory: put the file itself here, a pocket host sees nothing else")
	case err != nil:
		return refuse(1, "it cannot be read: %v", reason(err))
	case !info.Mode().IsRegular(): // opening a pipe would wait for somebody to write
		return refuse(1, "this is no file but a %s", kindOf(info.Mode()))
	}
	f, err := dir.Open(name)
	if err != nil {
		return refuse(1, "it cannot be read: %v", reason(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err != nil {
		return refuse(1, "it cannot be read: %v", reason(err))
	}
	if len(data) > largest {
		return refuse(1, "it is larger than 256 KiB: a lesson is read in ten minutes")
	}
	source := strings.ReplaceAll(strings.TrimPrefix(string(data), "\ufeff"), "\r\n", "\n")
	if strings.TrimSpace(source) == "" {
		return refuse(1, "it is empty")
	}
	line, begin := 1, 0
	for i, r := range source {
		if i-begin > longest {
			return refuse(line, "this line is longer than 4 KiB: break it")
		}
		if r == '\n' {
			line, begin = line+1, i+1
		}
		if r == utf8.RuneError && !strings.HasPrefix(source[i:], "\ufffd") {
			return refuse(line, "this is not UTF-8: save it in that encoding (iconv -f GB18030 -t UTF-8, if it is Chinese)")
		}
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return refuse(line, "a control character (%U), which could do anything to a terminal: take it out", r)
		}
	}
	return source, nil
}

// reason is an error without the file's name, which stands before it.
func reason(err error) error {
	var whole *fs.PathError
	if errors.As(err, &whole) {
		return whole.Err
	}
	return err
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}
