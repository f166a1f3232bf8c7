package labs

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
	"sandbox/labs/course"
)

// labKey is where the lab that teaches a command stands in its annotations.
const labKey = "lab"

// labsOfSubcommands are those of commands of the second level whose lab is neither that of their group nor, as with
// `container stop`, that of the command of the first level with the same name.
var labsOfSubcommands = map[string]string{
	"container inspect": "3.1", "container prune": "3.3", "container commit": "2.4",
	"image inspect": "2.4", "image ls": "2.1", "image prune": "2.4", "image rm": "2.5",
	"system df": "2.2", "system prune": "3.3", "system unit": "3.3",
}

// Lab is the number of the lab that teaches a command, "3.2"; "" for one that is none's business, as the shells' completion.
func Lab(cmd *cobra.Command) string {
	for ; cmd != nil; cmd = cmd.Parent() {
		if number := cmd.Annotations[labKey]; number != "" {
			return number
		}
	}
	return ""
}

// annotate writes the labs of a command of the first level, and of those below it, into their annotations. Commands that have
// a longer name here have it in their examples, too.
func annotate(cmd *cobra.Command, e entry) {
	cmd.Annotations = map[string]string{labKey: e.lab}
	for _, sub := range cmd.Commands() {
		number := labsOfSubcommands[e.name+" "+sub.Name()]
		if isLongerName(e.name) {
			number = cmp.Or(number, labOfEntry(sub.Name()))
			sub.Example = strings.ReplaceAll(sub.Example, "sandbox "+shorter(e.name, sub.Name()), "sandbox "+e.name+" "+sub.Name())
		}
		if number != "" {
			sub.Annotations = map[string]string{labKey: number}
		}
	}
}

// isLongerName: the groups under which Docker has the commands of the first level once more.
func isLongerName(group string) bool {
	return group == "container" || group == "image" || group == "system"
}

// shorter is what a command with a longer name is called on the first level.
func shorter(group, name string) string {
	switch {
	case group == "image" && name == "ls":
		return "images"
	case group == "image" && name == "rm":
		return "rmi"
	}
	return name
}

func labOfEntry(name string) string {
	for _, e := range entries {
		if e.name == name {
			return e.lab
		}
	}
	return ""
}

// groups are the headings of the program's help: the chapters of the course, and of the third one the labs.
func groups() []*cobra.Group {
	list := []*cobra.Group{
		{ID: "1", Title: "The course, the program and this machine (chapter 1):"},
		{ID: "2", Title: "Images (chapter 2):"},
	}
	for _, chapter := range course.Catalogue() {
		if strings.HasPrefix(chapter.Number, "3.") {
			list = append(list, &cobra.Group{ID: chapter.Number, Title: fmt.Sprintf("%s (%s):", chapter.Title(course.English), chapter.Number)})
		}
	}
	return list
}

// newHelp makes `sandbox help`.
func newHelp(env *command.Env, root *cobra.Command) *cobra.Command {
	var byLab bool
	cmd := &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command, or all commands with the lab that teaches each", GroupID: "1",
		Annotations: map[string]string{labKey: "a"},
		Example:     "  sandbox help run\n  sandbox help network create\n  sandbox help --labs             # all commands, each with its lab\n  sandbox help --labs 3.2         # those of one lab",
		RunE: func(cmd *cobra.Command, args []string) error {
			if byLab {
				return printByLab(env.Out, root, args)
			}
			found, rest, _ := root.Find(args)
			if len(rest) > 0 && (found == root || isGroup(found)) {
				return unknownCommand(found, rest[0])
			}
			return found.Help()
		},
	}
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, begun string) (names []string, _ cobra.ShellCompDirective) {
		found, _, _ := root.Find(args)
		for _, sub := range found.Commands() {
			if sub.IsAvailableCommand() && strings.HasPrefix(sub.Name(), begun) {
				names = append(names, sub.Name())
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	cmd.Flags().BoolVar(&byLab, "labs", false, "list the commands with the lab that teaches each; of one lab only, if its number is given")
	return cmd
}

// printByLab lists all commands, those of each lab together.
func printByLab(w io.Writer, root *cobra.Command, args []string) error {
	chapters := course.Catalogue()
	if len(args) > 0 {
		chapter, err := course.FindChapter(args[0])
		if err != nil {
			return kernel.Advise(err, "sandbox help --labs   lists the commands of all")
		}
		chapters = []course.Chapter{chapter}
	}
	all := visible(root)
	widest := 0
	for _, cmd := range all {
		widest = max(widest, len(cmd.CommandPath()))
	}
	for _, chapter := range chapters {
		var lines []string
		for _, cmd := range all {
			if Lab(cmd) == chapter.Number {
				lines = append(lines, fmt.Sprintf("  %-*s  %s\n", widest, cmd.CommandPath(), cmd.Short))
			}
		}
		if len(lines) > 0 {
			fmt.Fprintf(w, "%s %s\n%s", chapter.Number, chapter.Title(course.English), strings.Join(lines, ""))
		}
	}
	return nil
}

// visible are all commands below one that are not hidden, no mere group of others, and not another one's longer name.
func visible(cmd *cobra.Command) (list []*cobra.Command) {
	for _, sub := range cmd.Commands() {
		if sub.Hidden {
			continue
		}
		if !isGroup(sub) && !isLonger(sub) {
			list = append(list, sub)
		}
		list = append(list, visible(sub)...)
	}
	return list
}

// isGroup: it does nothing itself. That teachUsage has made it runnable is for what is typed wrongly.
func isGroup(cmd *cobra.Command) bool { return cmd.HasSubCommands() && cmd.Name() != "lab" }

// isLonger: `container stop` is `stop`.
func isLonger(cmd *cobra.Command) bool {
	return cmd.HasParent() && isLongerName(cmd.Parent().Name()) && labOfEntry(cmd.Name()) != "" && labsOfSubcommands[cmd.Parent().Name()+" "+cmd.Name()] == ""
}

// printHelp is --help of every command.
func printHelp(w io.Writer, cmd *cobra.Command) {
	width := widthOf(w)
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(w, "%s\n\n", fold(text, width))
	printUsage(w, cmd, width)
}

// printUsage is the part of the help that follows from how a command is made.
func printUsage(w io.Writer, cmd *cobra.Command, width int) {
	fmt.Fprintf(w, "Usage:\n")
	if !cmd.HasParent() || isGroup(cmd) {
		fmt.Fprintf(w, "  %s COMMAND\n", cmd.CommandPath())
	} else {
		fmt.Fprintf(w, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() && cmd.Name() == "lab" {
		fmt.Fprintf(w, "  %s COMMAND\n", cmd.CommandPath())
	}
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(w, "\nAliases:\n  %s\n", cmd.NameAndAliases())
	}
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	printCommands(w, cmd)
	printFlags(w, "Flags", cmd.LocalFlags(), width)
	printFlags(w, "Global flags", cmd.InheritedFlags(), width)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n%s COMMAND --help tells more about a command.\n", cmd.CommandPath())
	}
	if number := Lab(cmd); number != "" {
		title := ""
		if chapter, err := course.FindChapter(number); err == nil {
			title = ", " + chapter.Title(course.English)
		}
		fmt.Fprintf(w, "\nLab %s%s:  %s lab %s\n", number, title, cmd.Root().Name(), number)
	}
}

// printCommands lists what is below a command, under the headings of its groups. Where those of several labs stand under
// one heading, each has the number of its own, and they follow each other as in the course.
func printCommands(w io.Writer, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	headings := cmd.Groups()
	if len(headings) == 0 {
		headings = []*cobra.Group{{ID: "", Title: "Commands:"}}
	}
	for _, group := range headings {
		var list []*cobra.Command
		for _, sub := range cmd.Commands() {
			if sub.GroupID == group.ID && (sub.IsAvailableCommand() || sub.Name() == "help") {
				list = append(list, sub)
			}
		}
		if len(group.ID) == 1 { // a whole chapter
			slices.SortStableFunc(list, func(a, b *cobra.Command) int { return strings.Compare(Lab(a), Lab(b)) })
		}
		fmt.Fprintf(w, "\n%s\n", group.Title)
		for _, sub := range list {
			note := ""
			if number := Lab(sub); number != group.ID && number != Lab(cmd) {
				note = " (" + number + ")"
			}
			fmt.Fprintf(w, "  %-*s %s%s\n", sub.NamePadding(), sub.Name(), sub.Short, note)
		}
	}
}
