package shell

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// completion is what may stand where the cursor is.
type completion struct {
	start int      // the word's first character in the line
	words []string // whole words, quoted as the shell needs them; directories end in /
}

// tab completes as far as there is no doubt. A second Tab lists what there is.
func (e *editor) tab() {
	c := e.complete(e.line[:e.pos])
	if len(c.words) == 0 {
		return
	}
	common := c.words[0]
	for _, word := range c.words[1:] {
		for !strings.HasPrefix(word, common) {
			common = common[:len(common)-1]
		}
	}
	typed := string(e.line[c.start:e.pos])
	if len(c.words) == 1 && !strings.HasSuffix(common, "/") {
		common += " "
	}
	if common != typed && len(common) >= len(typed) {
		e.remove(c.start, e.pos)
		e.insert([]rune(strings.ToValidUTF8(common, ""))...)
		return
	}
	if e.lastTab {
		e.list(c.words)
	}
}

// list shows the possibilities below the line, and leaves room to draw the line again.
func (e *editor) list(words []string) {
	names := make([]string, len(words))
	column := 0
	for i, word := range words {
		names[i] = word
		if slash := strings.LastIndexByte(strings.TrimSuffix(word, "/"), '/'); slash >= 0 {
			names[i] = word[slash+1:]
		}
		column = max(column, Columns(names[i])+2)
	}
	perRow := max(e.width()/column, 1)
	rows := (len(names) + perRow - 1) / perRow
	fmt.Fprint(e.out, "\r\n")
	for row := range rows {
		for i := row; i < len(names); i += rows {
			fmt.Fprint(e.out, names[i], strings.Repeat(" ", column-Columns(names[i])))
		}
		fmt.Fprint(e.out, "\r\n")
	}
	e.row = 0
}

// complete finds what the word before the cursor may become: a command where one is due, otherwise a path.
func (s *Shell) complete(before []rune) completion {
	start := len(before)
	for start > 0 && (!strings.ContainsRune(" \t;|&<>()'\"=`", before[start-1]) || start > 1 && before[start-2] == '\\') {
		start--
	}
	word := strings.ReplaceAll(string(before[start:]), `\`, "")
	c := completion{start: start}
	if !strings.Contains(word, "/") && commandIsDue(string(before[:start])) {
		c.words = s.commandsFrom(word)
	} else {
		c.words = s.pathsFrom(word)
	}
	slices.Sort(c.words)
	c.words = slices.Compact(c.words)
	return c
}

func commandIsDue(before string) bool {
	before = strings.TrimRight(before, " \t")
	if before == "" || strings.ContainsRune(";|&(`", rune(before[len(before)-1])) {
		return true
	}
	words := strings.Fields(before)
	switch words[len(words)-1] {
	case "do", "then", "else", "!", "{", "exec", "time", "nohup", "env", "command", "which", "type", "xargs", "watch":
		return true
	}
	return false
}

func (s *Shell) commandsFrom(beginning string) []string {
	found := []string{}
	add := func(name string) {
		if strings.HasPrefix(name, beginning) {
			found = append(found, name)
		}
	}
	for _, name := range strings.Fields(`alias cd command echo eval exec exit export fg history jobs kill printf pwd read
		return set shift source test trap type ulimit umask unalias unset wait if for while until case do done then fi`) {
		add(name)
	}
	for name := range s.runner.Funcs {
		add(name)
	}
	path := s.runner.Vars["PATH"]
	if !path.IsSet() {
		path = s.runner.Env.Get("PATH")
	}
	for _, dir := range filepath.SplitList(path.String()) {
		entries, _ := os.ReadDir(dir)
		for _, entry := range entries {
			add(entry.Name())
		}
	}
	return found
}

func (s *Shell) pathsFrom(beginning string) []string {
	dir, base := filepath.Split(beginning)
	look := dir
	if rest, ok := strings.CutPrefix(dir, "~/"); ok {
		look = filepath.Join(os.Getenv("HOME"), rest)
	}
	if !filepath.IsAbs(look) {
		look = filepath.Join(s.runner.Dir, look)
	}
	entries, _ := os.ReadDir(look)
	var found []string
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, base) || name[0] == '.' && !strings.HasPrefix(base, ".") {
			continue
		}
		word := escapeWord(dir + name)
		if info, err := os.Stat(filepath.Join(look, name)); err == nil && info.IsDir() {
			word += "/"
		}
		found = append(found, word)
	}
	return found
}

// escapeWord puts a backslash before what the shell would take for itself.
func escapeWord(text string) string {
	var out strings.Builder
	for i, r := range text {
		if strings.ContainsRune(" \t\\'\"`$&|;<>()*?[]{}!#", r) && !(i == 0 && r == '~') {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}
