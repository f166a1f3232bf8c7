package labs

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"sandbox/labs/command"
	"sandbox/labs/course"
)

// wholeTree are all commands, as whoever asks for help sees them.
func wholeTree() *cobra.Command {
	root := newRoot(&command.Env{Out: io.Discard, Err: io.Discard}, nil)
	root.InitDefaultHelpCmd()
	each(root, func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		cmd.InitDefaultVersionFlag()
	})
	return root
}

// each goes through the commands that are not hidden, each before those below it.
func each(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			each(sub, do)
		}
	}
}

// Each command says what it is for, shows how it is called, and names the lab that teaches it.
func TestHelpIsWhole(t *testing.T) {
	each(wholeTree(), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.Short == "" {
			t.Errorf("%s: no Short", path)
		}
		if strings.TrimSpace(cmd.Example) == "" {
			t.Errorf("%s: no Example", path)
		}
		if cmd.HasParent() {
			if _, err := course.FindChapter(Lab(cmd)); err != nil {
				t.Errorf("%s: which lab teaches it? %v", path, err)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s says nothing of itself", path, f.Name)
			}
		})
	})
}

// Each line of an example is a command that could be typed: it exists, and so do its flags, and it takes so many arguments.
func TestExamplesCanBeTyped(t *testing.T) {
	each(wholeTree(), func(cmd *cobra.Command) {
		found := false
		for _, call := range callsOf(t, cmd) {
			named, err := typed(call)
			if err != nil {
				t.Errorf("%s: example %q: %v", cmd.CommandPath(), strings.Join(call, " "), err)
			}
			found = found || named == cmd.CommandPath() || strings.HasPrefix(named, cmd.CommandPath()+" ")
		}
		if !found {
			t.Errorf("%s: none of its examples is one", cmd.CommandPath())
		}
	})
}

// callsOf are the calls of sandbox in the examples of a command, word by word.
func callsOf(t *testing.T, cmd *cobra.Command) (calls [][]string) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(cmd.Example), "")
	if err != nil {
		t.Fatalf("%s: the example is no shell: %v", cmd.CommandPath(), err)
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 || call.Args[0].Lit() != "sandbox" {
			return true
		}
		words, err := expand.Fields(&expand.Config{CmdSubst: func(w io.Writer, s *syntax.CmdSubst) error {
			_, err := io.WriteString(w, "substituted")
			return err
		}}, call.Args...)
		if err != nil {
			t.Fatalf("%s: %v", cmd.CommandPath(), err)
		}
		calls = append(calls, words)
		return true
	})
	return calls
}

// typed says which command a call is for, or why it is none.
func typed(call []string) (string, error) {
	root := wholeTree()
	cmd, rest, err := root.Find(call[1:])
	if err != nil {
		return "", err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return "", err
	}
	if cmd.Args == nil {
		return cmd.CommandPath(), nil
	}
	args := cmd.Flags().Args()
	if isGroup(cmd) && len(args) > 0 {
		return "", unknownCommand(cmd, args[0])
	}
	return cmd.CommandPath(), cmd.Args(cmd, args)
}

func TestTypedNoticesMistakes(t *testing.T) {
	for _, line := range []string{"sandbox nosuch", "sandbox volume nosuch", "sandbox run --nosuch base", "sandbox tag one", "sandbox lab 3.5 3.6"} {
		if _, err := typed(strings.Fields(line)); err == nil {
			t.Errorf("%q would be taken", line)
		}
	}
}

// The longer names are taught where the shorter ones are, and every command of the first level is under a heading.
func TestLabsOfCommands(t *testing.T) {
	root := wholeTree()
	for path, want := range map[string]string{
		"run": "3.1", "container run": "3.1", "container exec": "3.2", "image build": "2.4", "image rm": "2.5", "volume create": "2.5",
		"system df": "2.2", "system events": "3.2", "system unit": "3.3", "network path": "3.6", "lab check": "1.1", "help": "a", "completion": "a",
	} {
		cmd, _, err := root.Find(strings.Fields(path))
		if err != nil {
			t.Fatal(err)
		}
		if got := Lab(cmd); got != want {
			t.Errorf("%s: lab %s, want %s", path, got, want)
		}
	}
	for _, cmd := range root.Commands() {
		if !slices.ContainsFunc(root.Groups(), func(g *cobra.Group) bool { return g.ID == cmd.GroupID }) {
			t.Errorf("%s is under no heading", cmd.Name())
		}
	}
	for path := range labsOfSubcommands {
		if cmd, _, err := root.Find(strings.Fields(path)); err != nil || !strings.HasSuffix(cmd.CommandPath(), path) {
			t.Errorf("labsOfSubcommands: there is no %s", path)
		}
	}
}

// Help that goes to a terminal fits into it; what is moved in, a table or an example, stays as it is.
func TestHelpFolds(t *testing.T) {
	var b bytes.Buffer
	root := wholeTree()
	cmd, _, err := root.Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	printUsage(&b, cmd, 80)
	_, flags, _ := strings.Cut(b.String(), "\nFlags:\n")
	for line := range strings.Lines(flags) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if got, want := fold("one two three\n  a table that stays", 7), "one two\nthree\n  a table that stays"; got != want {
		t.Errorf("fold: %q, want %q", got, want)
	}
}
