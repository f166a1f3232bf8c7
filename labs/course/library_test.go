package course

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// labsDir makes a directory of labs.
func labsDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func mustLibrary(t *testing.T, dir string) fs.FS {
	t.Helper()
	labs, err := Library(dir, dir)
	if err != nil {
		t.Fatal(err)
	}
	return labs
}

func TestLibrary(t *testing.T) {
	labs := mustLibrary(t, labsDir(t, map[string]string{
		"3.10.en.md": "# 3.10 Ten\n", "4.1.zh.md": "# 4.1 四\n", "welcome.en.md": "# welcome Hello\n", "3.5.en.md": "# 3.5 Ours\n",
		"README.md": "no lab", "3.5.1.en.md": "nor this", "Big.en.md": "nor this", "9.9.mistakes.md": "no text of it",
	}))
	var numbers []string
	for _, c := range Chapters(labs) {
		numbers = append(numbers, c.Number)
	}
	const want = "1.1 1.2 2.1 2.2 2.3 2.4 2.5 2.6 3.1 3.2 3.3 3.4 3.5 3.6 3.10 4.1 a welcome"
	if got := strings.Join(numbers, " "); got != want {
		t.Errorf("labs %s, want %s", got, want)
	}
	for number, title := range map[string]string{"3.5": "Ours", "3.6": "Container networks", "4.1": "四", "welcome": "Hello"} {
		if c, err := FindLab(labs, number); err != nil || c.Title(English) != title {
			t.Errorf("lab %s: %q, %v; want %q", number, c.Title(English), err, title)
		}
	}
	if lesson, err := Load(labs, "3.5", English, ""); err != nil || lesson.Title != "Ours" {
		t.Errorf("3.5: %+v, %v", lesson, err)
	}
	// What has been written anew has nothing of the lab that is built in.
	if _, err := Load(labs, "3.5", Chinese, ""); err == nil || !strings.Contains(err.Error(), ErrNoLesson.Error()) {
		t.Errorf("the Chinese text of a lab that has none: %v", err)
	}
	if _, err := fs.Stat(labs, "3.5.mistakes.md"); err == nil {
		t.Error("the built-in mistakes stand beside a lab of a directory")
	}
	if _, err := Load(labs, "3.1", Chinese, ""); err != nil {
		t.Error(err)
	}
}

func TestLibraryThatIsNone(t *testing.T) {
	dir := labsDir(t, map[string]string{"file": "x"})
	for _, path := range []string{dir + "/nothing", dir + "/file"} {
		if _, err := Library(path, ""); err == nil {
			t.Errorf("%s is a library", path)
		}
	}
	if os.Geteuid() != 0 { // root may read everything
		os.Chmod(dir, 0)
		defer os.Chmod(dir, 0o700)
		if _, err := Library(dir, ""); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("a directory that cannot be read: %v", err)
		}
	}
}

func TestNumbers(t *testing.T) {
	for number, want := range map[string]string{
		"3.5": "3.5", "12.10": "12.10", "welcome": "welcome", "lab-2": "lab-2",
		"": "", "3": "", "3.5.2": "", "3.": "", ".5": "", "03.5": "", "3.x": "", "Welcome": "", "-x": "", "a/b": "", "..": "", "a.b": "", "99999.1": "", "ü": "",
		strings.Repeat("a", 41): "",
	} {
		if got := ValidNumber(number); got != (want != "") {
			t.Errorf("ValidNumber(%q) = %v", number, got)
		}
	}
	for number, want := range map[string]string{"3.5": "3.5", "3.5.2": "3.5", "welcome": "welcome", "welcome.2": "welcome", "": "", "3": "3"} {
		if got := LabOf(number); got != want {
			t.Errorf("LabOf(%q) = %q, want %q", number, got, want)
		}
	}
}

// Files that are no text, or no files.
func TestReadSource(t *testing.T) {
	outside := filepath.Join(labsDir(t, map[string]string{"secret": "x"}), "secret")
	dir := labsDir(t, map[string]string{
		"7.1.en.md": "", "7.2.en.md": " \r\n\n", "7.3.en.md": "# 7.3 x\n\xff\n", "7.4.en.md": "# 7.4 x\x1b[2J\n", "7.5.en.md": strings.Repeat("x\n", largest/2+1), "8.1.en.md": "# 8.1 x\n" + strings.Repeat(">", longest+1) + "\n",
		"7.8.en.md": "\ufeff# 7.8 x\r\n## 7.8.1 y\r\n",
	})
	for link, target := range map[string]string{"7.6.en.md": outside, "7.7.en.md": "nothing", "7.9.en.md": "7.8.en.md"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	labs := mustLibrary(t, dir)
	for number, want := range map[string]string{
		"7.1": "7.1.en.md:1: it is empty", "7.2": "7.2.en.md:1: it is empty", "7.3": "7.3.en.md:2: this is not UTF-8", "7.4": "7.4.en.md:1: a control character (U+001B)",
		"7.5": "7.5.en.md:1: it is larger than 256 KiB", "8.1": "8.1.en.md:2: this line is longer than 4 KiB", "7.6": "7.6.en.md:1: this link leads out of its directory", "7.7": "7.7.en.md:1: this link leads to nothing",
	} {
		if _, err := Load(labs, number, English, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", number, err, want)
		}
		found, err := Inspect(labs, number)
		if err != nil || len(found) == 0 || !strings.HasPrefix(found[0].Error(), want) {
			t.Errorf("%s: found %v, %v; want %q", number, found, err, want)
		}
	}
	// As other systems' editors write.
	lesson, err := Load(labs, "7.8", English, "")
	if err != nil || lesson.Title != "x" || lesson.Sections[0].Title != "y" {
		t.Errorf("with a byte order mark and other ends of lines: %+v, %v", lesson, err)
	}
	if _, err := readSource(labs, "7.9.en.md"); err != nil {
		t.Errorf("a link within the directory: %v", err)
	}
}

// A lab that cannot be read does not keep the others from being listed.
func TestListWithABrokenLab(t *testing.T) {
	w := newWorld(t, English)
	w.Lessons = mustLibrary(t, labsDir(t, map[string]string{"7.1.en.md": "# 7.1 Ours\n```\n", "7.2.zh.md": "# 7.2 我们的\n"}))
	if err := w.List(); err != nil {
		t.Fatal(err)
	}
	mustContain(t, w.out.String(), "! 7.1  Ours  ", "7.1.en.md:2: this block is never closed", "· 7.2  我们的  ", "not in English: --lang zh", "  3.5  What containers are made of")
}

// What `lab dev new` writes keeps all rules, whatever it is called.
func TestNewLab(t *testing.T) {
	for _, number := range []string{"7.1", "10.20", "welcome", "a"} {
		files, err := NewLab(number, "A lab, of `ours`", "我们的实验")
		if err != nil {
			t.Fatal(err)
		}
		labs := fstest.MapFS{}
		for _, f := range files {
			labs[f.Name] = &fstest.MapFile{Data: []byte(f.Data)}
		}
		found, err := Inspect(labs, number)
		if err != nil || len(found) > 0 || len(files) != 3 {
			t.Errorf("%s: %v, %v", number, found, err)
		}
		for _, lang := range []Lang{English, Chinese} {
			lesson, err := Load(labs, number, lang, "somebody's")
			if err != nil {
				t.Fatal(err)
			}
			if attempts, err := lesson.Attempts(labs); err != nil || len(attempts) < 8 {
				t.Errorf("%s: attempts %v, %v", number, attempts, err)
			}
		}
	}
	for _, title := range []string{"", " ", "two\nlines", "\xff"} {
		if _, err := NewLab("7.1", title, "好"); err == nil {
			t.Errorf("the title %q is taken", title)
		}
	}
	if _, err := NewLab("../x", "a", "b"); err == nil {
		t.Error("a number that leads elsewhere is taken")
	}
}

// What is done in a lab is remembered apart for the built-in one and for each directory's that stands for it.
func TestProgressOfEachDirectory(t *testing.T) {
	w := newWorld(t, English)
	w.Seed = "enigma"
	lesson := map[string]string{"3.1.en.md": "# 3.1 T\n" + exercise}
	one, two := mustLibrary(t, labsDir(t, lesson)), mustLibrary(t, labsDir(t, lesson))
	solved := func(labs fs.FS) bool {
		t.Helper()
		w.Lessons = labs
		lab, err := w.recallLab("3.1")
		if err != nil {
			t.Fatal(err)
		}
		return lab.solved(1)
	}
	w.do(t, "touch $WORLD/made")
	w.Lessons = one
	check(t, w, 1)
	if !solved(one) || solved(two) || solved(Lessons()) {
		t.Error("solved in one directory, it is to be solved there and nowhere else")
	}
	w.Lessons = one
	r := handIn(t, w, "ada")
	if len(r.Labs) != 1 || !r.Labs[0].Own {
		t.Errorf("the report of a lab of a directory: %+v", r.Labs)
	}
	for _, c := range []struct {
		labs fs.FS
		own  bool
		want string
	}{{one, true, ""}, {Lessons(), true, "3.1 is not the built-in one but one of a directory"}, {two, false, "3.1 is the built-in one, not that of --labs"}, {Lessons(), false, ""}} {
		r.Labs[0].Own, r.Signature = c.own, ""
		r.Signature, _ = r.sign()
		if grades, _ := GradeAll([]*Report{r}, nil, c.labs); grades[0].Note != c.want {
			t.Errorf("note %q, want %q", grades[0].Note, c.want)
		}
	}
	w.Lessons = Lessons()
	if r := handIn(t, w, "ada"); len(r.Labs) != 0 {
		t.Errorf("the report of the built-in labs: %+v", r.Labs)
	}
	if err := w.Forget("3.1"); err != nil || !solved(one) {
		t.Errorf("%v; forgetting the built-in lab is to leave the directory's", err)
	}
	if err := w.ForgetAll(); err != nil || solved(one) {
		t.Errorf("%v; all is to be forgotten", err)
	}
}
