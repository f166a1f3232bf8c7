package course

import (
	"errors"
	"fmt"
	"strings"
)

// fence is one fenced code block of a lesson's file.
type fence struct {
	kind  string            // the info string's first word: console, check, hint, …
	attrs map[string]string // its other words: step=name
	body  []string
	line  int // of the opening fence, from 1
}

// directives lists the kinds of fenced blocks that mean something to the course, with the words that may follow.
// A console block is a directive only with step=; without, it is code to look at.
var directives = []struct {
	kind  string
	words string // separated by spaces
}{
	{"console", "step expect need tty"},
	{"setup", ""},
	{"cleanup", ""},
	{"need", "name"},
	{"check", "name need"},
	{"hint", "name level failed"},
	{"predict", "name"},
	{"seed", ""},
	{"solution", ""},
}

// openFence looks whether a line opens a fenced block and returns its fence (```) and info string. Only fences that
// stand at the line's beginning count: an indented one belongs to a list, and is prose.
func openFence(line string) (mark, info string, ok bool) {
	for _, c := range []string{"`", "~"} {
		n := len(line) - len(strings.TrimLeft(line, c))
		if n >= 3 && !strings.Contains(line[n:], c) {
			return line[:n], strings.TrimSpace(line[n:]), true
		}
	}
	return "", "", false
}

// closesFence: at least as many of the same character, and nothing else.
func closesFence(line, mark string) bool {
	line = strings.TrimRight(line, " \t")
	return strings.HasPrefix(line, mark) && strings.Trim(line, mark[:1]) == ""
}

// parseInfo reads "check name=running need=cgroup". isDirective is false for blocks that are just code.
func parseInfo(info string) (f fence, isDirective bool, err error) {
	words := strings.Fields(info)
	if len(words) == 0 {
		return f, false, nil
	}
	f.kind = words[0]
	f.attrs = map[string]string{}
	allowed, known := "", false
	for _, d := range directives {
		if d.kind == f.kind {
			allowed, known = d.words, true
		}
	}
	if !known {
		return f, false, nil
	}
	for _, word := range words[1:] {
		key, value, ok := strings.Cut(word, "=")
		if !ok || value == "" {
			return f, true, fmt.Errorf("%q is not of the form word=value", word)
		}
		if !containsWord(allowed, key) {
			return f, true, fmt.Errorf("a %s block knows no %q (it knows: %s)", f.kind, key, allowed)
		}
		f.attrs[key] = value
	}
	if f.kind == "console" && f.attrs["step"] == "" {
		if len(f.attrs) > 0 {
			return f, true, errors.New("a console block that is to be run wants step=NAME")
		}
		return f, false, nil
	}
	return f, true, nil
}

func containsWord(words, word string) bool {
	for _, w := range strings.Fields(words) {
		if w == word {
			return true
		}
	}
	return false
}

// commands reads the body of a block that holds shell. A line that begins with "$ " begins a command, the lines after
// it belong to it. A body without any such line is one command as a whole.
func (f fence) commands() ([]string, error) {
	body := strings.TrimSpace(strings.Join(f.body, "\n"))
	if body == "" {
		return nil, fmt.Errorf("the %s block is empty", f.kind)
	}
	if !strings.HasPrefix(body, "$ ") {
		if f.kind == "console" {
			return nil, fmt.Errorf("a step's command begins with \"$ \"")
		}
		return []string{body}, nil
	}
	var list []string
	for _, line := range strings.Split(body, "\n") {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			list = append(list, command)
			continue
		}
		list[len(list)-1] += "\n" + line
	}
	return list, nil
}

// fields reads a body that begins with "key: value" lines, of the keys given, and goes on with text. A field's value
// goes on in the lines after it that begin with a space.
func (f fence) fields(keys string) (values map[string]string, text string, err error) {
	values = map[string]string{}
	last, i := "", 0
	for ; i < len(f.body); i++ {
		line := f.body[i]
		if last != "" && strings.HasPrefix(line, " ") {
			values[last] += "\n" + strings.TrimSpace(line)
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		if !ok || !containsWord(keys, key) {
			break
		}
		if _, twice := values[key]; twice {
			return nil, "", fmt.Errorf("%q stands twice in this %s block", key, f.kind)
		}
		values[key], last = strings.TrimSpace(value), key
	}
	text = strings.TrimSpace(strings.Join(f.body[i:], "\n"))
	if text == "" {
		return nil, "", fmt.Errorf("the %s block has no text for the learner after its fields (%s)", f.kind, keys)
	}
	return values, text, nil
}
