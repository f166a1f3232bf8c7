package labs

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"sandbox/labs/course"
)

var update = flag.Bool("update", false, "write the reference and the man pages anew, from the commands")

const referenceDir = "reference"

// The reference in this directory, in Markdown and as man pages, is what the commands say of themselves:
//
//	go test ./labs -run Reference -update
func TestReference(t *testing.T) {
	want := referencePages()
	if *update {
		if err := os.RemoveAll(referenceDir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(referenceDir, "man"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(referenceDir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var there []string
	for _, pattern := range []string{"*.md", "man/*"} {
		list, err := filepath.Glob(filepath.Join(referenceDir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		there = append(there, list...)
	}
	for _, path := range there {
		name, _ := filepath.Rel(referenceDir, path)
		if _, ok := want[name]; !ok {
			t.Errorf("%s describes no command; go test ./labs -run Reference -update", path)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		got, err := os.ReadFile(filepath.Join(referenceDir, name))
		if err != nil || string(got) != want[name] {
			t.Errorf("%s is not what the commands say (%v); go test ./labs -run Reference -update", name, err)
		}
	}
}

// The program does not carry the generators along.
func TestProgramWithoutGenerators(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "sandbox").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, heavy := range []string{"github.com/spf13/cobra/doc", "github.com/cpuguy83/go-md2man"} {
		if strings.Contains(string(out), heavy) {
			t.Errorf("the program imports %s", heavy)
		}
	}
}

// A line that begins with a dot, or has a backslash, must not become a command of roff.
func TestRoff(t *testing.T) {
	if got, want := roff(".a\\b\n'c -d"), "\\&.a\\eb\n\\(aqc \\-d"; got != want {
		t.Errorf("roff: %q, want %q", got, want)
	}
}

// referencePages are all files of the reference: an index, and for each command of the first level a page of Markdown and
// a man page, with the commands below it.
func referencePages() map[string]string {
	root := wholeTree()
	pages := map[string]string{"README.md": referenceIndex(root), "man/sandbox.1": manPage(root)}
	for _, cmd := range root.Commands() {
		if cmd.Hidden {
			continue
		}
		pages[cmd.Name()+".md"] = markdownPage(cmd)
		pages["man/sandbox-"+cmd.Name()+".1"] = manPage(cmd)
	}
	return pages
}

func referenceIndex(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# The commands of sandbox\n\nEach with the lab of the course that teaches it. As man pages they are in [man/](man): `man -l labs/reference/man/sandbox-run.1`.\n" +
		"All pages are made from what the commands say of themselves (`go test ./labs -run Reference -update`).\n")
	for _, group := range root.Groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| command | what it does | lab |\n|---|---|---|\n", strings.TrimSuffix(group.Title, ":"))
		for _, cmd := range root.Commands() {
			if !cmd.Hidden && cmd.GroupID == group.ID {
				fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s |\n", cmd.Name(), cmd.Name(), cmd.Short, Lab(cmd))
			}
		}
	}
	b.WriteString("\n## Flags of every command\n\n")
	markdownFlags(&b, flagTexts(root.PersistentFlags()))
	return b.String()
}

func markdownPage(cmd *cobra.Command) string {
	var b strings.Builder
	b.WriteString("[All commands](README.md)\n")
	each(cmd, func(cmd *cobra.Command) { markdownCommand(&b, cmd) })
	return b.String()
}

func markdownCommand(b *strings.Builder, cmd *cobra.Command) {
	level := "#"
	if cmd.Parent().HasParent() {
		level = "##"
	}
	fmt.Fprintf(b, "\n%s %s\n\n", level, cmd.CommandPath())
	if isLonger(cmd) {
		fmt.Fprintf(b, "The same as [sandbox %s](%s.md).\n", cmd.Name(), cmd.Name())
		return
	}
	for _, s := range stretches(cmp.Or(cmd.Long, cmd.Short)) {
		if s.table {
			fmt.Fprintf(b, "```\n%s\n```\n\n", s.text)
			continue
		}
		fmt.Fprintf(b, "%s\n\n", markdownText.Replace(s.text))
	}
	fmt.Fprintf(b, "    %s\n", usageLine(cmd))
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(b, "\nAlso called: %s\n", strings.Join(cmd.Aliases, ", "))
	}
	fmt.Fprintf(b, "\nFor example:\n\n```sh\n%s\n```\n", unindented(cmd.Example))
	flags := slices.DeleteFunc(flagTexts(cmd.LocalFlags()), func(f flagText) bool { return strings.HasSuffix(f.written, "--help") })
	if len(flags) > 0 {
		b.WriteString("\n")
		markdownFlags(b, flags)
	}
	if number := Lab(cmd); number != "" && number != Lab(cmd.Parent()) {
		chapter, _ := course.FindChapter(number)
		fmt.Fprintf(b, "\nLab %s, %s: `sandbox lab %s`\n", number, chapter.Title(course.English), number)
	}
}

func markdownFlags(b *strings.Builder, flags []flagText) {
	b.WriteString("| flag | |\n|---|---|\n")
	for _, f := range flags {
		fmt.Fprintf(b, "| `%s` | %s |\n", strings.TrimSpace(f.written), markdownText.Replace(f.use))
	}
}

// markdownText is text in which no character means anything else in Markdown.
var markdownText = strings.NewReplacer("|", "\\|", "*", "\\*", "_", "\\_", "<", "\\<", "[", "\\[")

func manPage(cmd *cobra.Command) string {
	var b strings.Builder
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"sandbox\" \"User Commands\"\n.SH NAME\n%s \\- %s\n", strings.ToUpper(name), roff(name), roff(cmd.Short))
	manCommand(&b, cmd)
	for _, sub := range cmd.Commands() {
		switch {
		case sub.Hidden || !cmd.HasParent():
		case isLonger(sub):
			fmt.Fprintf(&b, ".SH %s\nThe same as\n.BR sandbox\\-%s (1).\n", strings.ToUpper(sub.CommandPath()), roff(sub.Name()))
		default:
			fmt.Fprintf(&b, ".SH %s\n%s\n", strings.ToUpper(sub.CommandPath()), roff(sub.Short))
			manCommand(&b, sub)
		}
	}
	if !cmd.HasParent() {
		manList(&b, cmd)
	}
	fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", manSeeAlso(cmd))
	return b.String()
}

// manCommand is what there is to say of one command: with headings of its own if the page is its own, else without.
func manCommand(b *strings.Builder, cmd *cobra.Command) {
	own := !cmd.HasParent() || !cmd.Parent().HasParent()
	heading := func(title string) {
		if own {
			title = strings.ToUpper(title)
			fmt.Fprintf(b, ".SH %s\n", title)
			return
		}
		fmt.Fprintf(b, ".SS %s\n", title)
	}
	heading("Synopsis")
	fmt.Fprintf(b, ".nf\n%s\n.fi\n", roff(usageLine(cmd)))
	if cmd.Long != "" {
		heading("Description")
		for i, s := range stretches(cmd.Long) {
			switch {
			case s.table:
				fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(s.text))
			case i > 0:
				fmt.Fprintf(b, ".PP\n%s\n", roff(s.text))
			default:
				fmt.Fprintf(b, "%s\n", roff(s.text))
			}
		}
	}
	heading("Examples")
	fmt.Fprintf(b, ".nf\n%s\n.fi\n", roff(unindented(cmd.Example)))
	heading("Flags")
	for _, f := range flagTexts(cmd.LocalFlags()) {
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR\n%s\n", roff(strings.TrimSpace(f.written)), roff(f.use))
	}
	if number := Lab(cmd); number != "" && (own || number != Lab(cmd.Parent())) {
		chapter, _ := course.FindChapter(number)
		heading("Lab")
		fmt.Fprintf(b, "%s, %s: sandbox lab %s\n", number, roff(chapter.Title(course.English)), number)
	}
}

// manList is the list of all commands, on the program's own page.
func manList(b *strings.Builder, root *cobra.Command) {
	b.WriteString(".SH COMMANDS\n")
	for _, group := range root.Groups() {
		fmt.Fprintf(b, ".SS %s\n", roff(strings.TrimSuffix(group.Title, ":")))
		for _, cmd := range root.Commands() {
			if !cmd.Hidden && cmd.GroupID == group.ID {
				fmt.Fprintf(b, ".TP\n.BR sandbox\\-%s (1)\n%s\n", roff(cmd.Name()), roff(cmd.Short))
			}
		}
	}
}

// manSeeAlso are the other commands of the same lab.
func manSeeAlso(cmd *cobra.Command) string {
	list := ".BR sandbox (1)"
	if !cmd.HasParent() {
		return ".BR sandbox\\-lab (1)"
	}
	for _, other := range cmd.Parent().Commands() {
		if other != cmd && !other.Hidden && Lab(other) == Lab(cmd) {
			list += ",\n.BR sandbox\\-" + roff(other.Name()) + " (1)"
		}
	}
	return list
}

// roff is text in which no character means anything to roff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// stretch is a paragraph of a command's description, or a table in it: lines that are moved in.
type stretch struct {
	text  string
	table bool
}

func stretches(long string) (list []stretch) {
	for _, paragraph := range strings.Split(long, "\n\n") {
		var lines []string
		table := false
		flush := func() {
			if text := strings.Join(lines, "\n"); text != "" {
				list = append(list, stretch{text, table})
			}
			lines = nil
		}
		for _, line := range strings.Split(paragraph, "\n") {
			if in := strings.HasPrefix(line, " "); in != table {
				flush()
				table = in
			}
			lines = append(lines, line)
		}
		flush()
	}
	return list
}

func usageLine(cmd *cobra.Command) string {
	if !cmd.HasParent() || isGroup(cmd) {
		return cmd.CommandPath() + " COMMAND"
	}
	return cmd.UseLine()
}

func unindented(example string) string {
	lines := strings.Split(example, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}
