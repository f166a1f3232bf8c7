package course

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// The built-in lessons keep the rules that other authors' are held to.
func TestLessonsKeepTheRules(t *testing.T) {
	for _, number := range written(t) {
		found, err := Inspect(Lessons(), number)
		if err != nil {
			t.Error(err)
		}
		for _, f := range found {
			t.Error(f)
		}
	}
}

// whole is a lab with nothing wrong, to be spoilt by the tests.
func whole(t *testing.T) map[string]string {
	t.Helper()
	files, err := NewLab("7.1", "Ours", "我们的")
	if err != nil {
		t.Fatal(err)
	}
	lab := map[string]string{}
	for _, f := range files {
		lab[f.Name] = f.Data
	}
	return lab
}

// Each rule is noticed when it is broken, in the file and line where it is.
func TestInspect(t *testing.T) {
	const en, zh, mistakes = "7.1.en.md", "7.1.zh.md", "7.1.mistakes.md"
	for _, c := range []struct{ name, file, old, new, want string }{
		{"nothing", en, "", "", ""},
		{"steps part", zh, "start -a pad", "start -ai pad", "7.1.zh.md:30: the languages differ: here is step again that ends with 0: $ sandbox start -ai pad\nin 7.1.en.md:33 is"},
		{"a section too many", zh, "## 7.1.2", "## 7.1.2 多\n\n字\n\n## 7.1.3", "7.1.zh.md:142: the languages differ: here is section 7.1.3\nin 7.1.en.md:156 is the end"},
		{"a section missing", zh, "## 7.1.2 ", "没有 ", `7.1.zh.md:85: the last section is to be`},
		{"cleanups part", zh, "sandbox rm -f finder", "sandbox rm finder", "the languages differ: here is cleanup of it: $ sandbox rm finder"},
		{"options part", zh, "- 一行也没有：结束了的容器不能再启动\n", "", "here is question again with 2 options"},
		{"hints part", zh, "failed=there", "failed=note", "7.1.zh.md:54: the languages differ: here is hint none of level 1, failed=note"},
		{"parameters part", zh, "name: fridge", "name: freezer", `here is parameter name: ["freezer"`},
		{"question without text in one", zh, "在镜像的各层之上，容器还有自己的一层。写入的内容都放在这一层，直到容器被**删除**。\n", "", "a reason not given"},
		{"no hint of level 3", en, "```hint level=3\n`sandbox run", "```hint level=2\n`sandbox run", "7.1.en.md:37: exercise 1 has no hint of level 3"},
		{"a nameless hint", en, "hint name=words", "hint", "7.1.en.md:66: a hint of level 1 wants name="},
		{"no seed", en, "```seed\nname: fridge board pocket\nthing: bread apples honey tea\n```", "", "7.1.en.md:37: exercise 1 has no seed block"},
		{"an unknown parameter", en, "Leave a container named `@name@`", "Leave a container named `@nam@`", "7.1.en.md:44: @nam@ is not drawn"},
		{"a parameter in a heading", en, "## Exercise 1: a", "## Exercise 1: @thing@", "7.1.en.md:37: @thing@ stands in a heading"},
		{"a parameter of the other exercise", mistakes, "hint=wrong\nsandbox create --name finder", "hint=wrong\nsandbox create --name @thing@", "7.1.mistakes.md:35: @thing@ is not drawn"},
		{"a hint that nothing leads to", mistakes, "hint=words", "hint=none", "7.1.en.md:66: no mistake in 7.1.mistakes.md leads to the hint words"},
		{"a mistake without its hint", mistakes, "hint=words", "hint=world", "7.1.mistakes.md:18: exercise 1 has no hint of level 1 with name=world"},
		{"a hint of another level", mistakes, "exercise=1 hint=words", "exercise=3 hint=words", "7.1.mistakes.md:18: exercise=3: the lesson has exercises 1 to 2"},
		{"an open block", mistakes, "-h $word base true\n```", "-h $word base true", "7.1.mistakes.md:39: this block is never closed"},
		{"another last section", en, "What has changed, and", "What is new, and", "7.1.en.md:145: the last section is to be"},
		{"no table", en, "|---|---|", "", "7.1.en.md:145: the last section has no table"},
		{"half a table", en, "|---|---|", "", "7.1.en.md:151: this is no table: its second line"},
		{"a table in a text", en, "same with:\n", "same with:", "this is no table: the row of dashes is to stand in the second line"},
		{"a short row", en, "| one of its files |", "| one of its files", "7.1.en.md:154: this row of the table has 1 cells, its heading has 2"},
		{"a bar in code", en, "`docker cp CONTAINER:/note -`", "`docker cp CONTAINER:/note - | tar -t`", "7.1.en.md:154: this row of the table has 3 cells"},
		{"a link to nowhere", en, "not to use `--rm` too early.", "not to use [--rm](the-flag) too early.", `7.1.en.md:143: the link to "the-flag" leads nowhere`},
		{"a link in a hint", en, "Ask all three.", "Ask [all](x:y).", `7.1.en.md:125: the link to "x:y" leads nowhere`},
		{"half a link", en, "not to use `--rm` too early.", "not to use [--rm](https://a b) too early.", "7.1.en.md:142: this paragraph has a link that is none"},
		{"half a link by reference", en, "not to use `--rm` too early.", "not to use [--rm][flags] too early.", "7.1.en.md:142: this paragraph has a link that is none"},
		{"a picture", en, "not to use `--rm` too early.", "not to use ![--rm](https://a/b.png) too early.", "7.1.en.md:143: a terminal shows no pictures"},
		{"a link that is one", en, "not to use `--rm` too early.", "not to use [--rm](https://example.com/a?b#c) too early, <https://example.com>.", ""},
		{"brackets in code", en, "not to use `--rm` too early.", "not to use `[a](b c)` too early.", ""},
		{"a section's number", zh, "## 7.1.1 ", "## 7.1.2 ", "7.1.zh.md:7: this heading is to begin with 7.1.1"},
		{"a title's number", en, "# 7.1 ", "# 7.2 ", "7.1.en.md:1: the title is to begin with the lab's number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lab := whole(t)
			if !strings.Contains(lab[c.file], c.old) {
				t.Fatalf("%s has no %q", c.file, c.old)
			}
			lab[c.file] = strings.Replace(lab[c.file], c.old, c.new, 1)
			found, err := Inspect(mustLibrary(t, labsDir(t, lab)), "7.1")
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, f := range found {
				all = append(all, f.Error())
			}
			text := strings.Join(all, "\n")
			if (c.want == "") != (text == "") || !strings.Contains(text, c.want) {
				t.Errorf("found\n%s\nwant\n%s", text, c.want)
			}
		})
	}
}

func TestInspectMissingFiles(t *testing.T) {
	for missing, want := range map[string]string{
		"7.1.en.md": "7.1.en.md:1: there is no such file", "7.1.zh.md": "7.1.zh.md:1: there is no such file", "7.1.mistakes.md": "7.1.mistakes.md:1: there is no such file",
	} {
		lab := whole(t)
		delete(lab, missing)
		found, err := Inspect(mustLibrary(t, labsDir(t, lab)), "7.1")
		if err != nil || len(found) != 1 || !strings.HasPrefix(found[0].Error(), want) {
			t.Errorf("without %s: %v, %v", missing, found, err)
		}
	}
	found, err := Inspect(fstest.MapFS{"7.1.en.md": {Data: []byte("# 7.1 T\n" + exercise)}}, "7.1")
	if err != nil || !slices.Contains(found, Finding{"7.1.en.md", 1, "a lab has 2 exercises at least, this one has 1"}) {
		t.Errorf("one exercise: %v, %v", found, err)
	}
	if _, err := Inspect(Lessons(), "9.9"); !errors.Is(err, ErrNoLesson) {
		t.Errorf("no file at all: %v", err)
	}
}

// Whatever a file holds, it is read to its end, and findings have a line of it.
func FuzzInspect(f *testing.F) {
	for _, name := range []string{"template/en.md", "template/mistakes.md"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.ReplaceAll(string(data), "NUMBER", "7.1"), "```mistake exercise=1 hint=none\n```\n")
	}
	f.Add("# 7.1 T\n## Exercise\n```seed\nx: a b c\n```\n@x@ @y@\n"+exercise, "```way exercise=1\n@x@\n```\n")
	f.Add("# 7.1 T\n## 7.1.1 S\n```predict name=q\nright: true\nWhat?\n- a\n+ b\n```\n```console step=s tty=yes\n$ cat\n< ctrl-p,ctrl-q\n```\n", "```\n")
	f.Add("# 7.1 T\r\n\ufeff## x\n~~~~hint level=2\n````\n~~~~\n|a|\n|-|\n[x](y)![z](<\n", "``` `\n")
	f.Add("```need name=n\ntest: x\ntext\n```\n```cleanup\n```\n", "~~~way\n~~~")
	f.Fuzz(func(t *testing.T, lesson, mistakes string) {
		labs := fstest.MapFS{
			"7.1.en.md": {Data: []byte(lesson)}, "7.1.zh.md": {Data: []byte(mistakes + lesson)}, "7.1.mistakes.md": {Data: []byte(mistakes)},
		}
		found, err := Inspect(labs, "7.1")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if lines := 1 + strings.Count(lesson+mistakes, "\n"); f.Line < 1 || f.Line > lines || f.File == "" || f.Text == "" {
				t.Errorf("%+v in a file of %d lines", f, lines)
			}
		}
		for _, seed := range []string{PlainSeed, "other"} {
			l, err := Load(labs, "7.1", English, seed)
			if err == nil {
				newRenderer(80, true).render(l.Intro)
				l.Attempts(labs)
			}
		}
	})
}
