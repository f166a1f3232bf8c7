package labs

import (
	"io/fs"
	"regexp"
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
