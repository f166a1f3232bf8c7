package labs

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"sandbox/labs/course"
)

// The appendix has a table of the tutorial's nine commands, with labs. They are those that the commands themselves name.
func TestAppendixNamesTheLabs(t *testing.T) {
	root := wholeTree()
	row := regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|.*\\| ([0-9.]+) \\|$")
	for _, file := range []string{"a.en.md", "a.zh.md"} {
		text, err := fs.ReadFile(course.Lessons(), file)
		if err != nil {
			t.Fatal(err)
		}
		rows := row.FindAllStringSubmatch(string(text), -1)
		if len(rows) != 9 {
			t.Errorf("%s: %d rows, want 9", file, len(rows))
		}
		for _, r := range rows {
			cmd, _, err := root.Find([]string{r[1]})
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if got := Lab(cmd); got != r[2] {
				t.Errorf("%s: %s is in lab %s, the command says %s", file, r[1], r[2], got)
			}
		}
	}
}

// The appendix says of each command which lab teaches it. That lab has it, in both languages: in a step, an exercise, or a sentence.
func TestLabsNameTheirCommands(t *testing.T) {
	for _, cmd := range visible(wholeTree()) {
		name := strings.TrimPrefix(cmd.CommandPath(), "sandbox ")
		names := regexp.QuoteMeta(name)
		if group, rest, _ := strings.Cut(name, " "); isLongerName(group) && labOfEntry(shorter(group, rest)) != "" {
			names = "(" + names + "|" + regexp.QuoteMeta(shorter(group, rest)) + ")"
		}
		named := regexp.MustCompile("(`|sandbox )" + names + `($|[^\w-])`)
		for _, lang := range []string{"en", "zh"} {
			file := Lab(cmd) + "." + lang + ".md"
			if text, err := fs.ReadFile(course.Lessons(), file); err != nil {
				t.Errorf("%s: %v", name, err)
			} else if !named.Match(text) {
				t.Errorf("%s says nothing of %q", file, name)
			}
		}
	}
}
