// Package labs is the command line: one command for each thing that a person does, grouped by the chapters of the
// tutorial, and the course itself.
package labs

import (
	"strings"

	"github.com/spf13/cobra"

	"sandbox/labs/chapter2"
	"sandbox/labs/chapter3"
	"sandbox/labs/command"
	"sandbox/labs/completion"
	"sandbox/labs/lab"
	"sandbox/labs/system"
)

// Main runs the command line and returns the program's exit code.
func Main(args []string) int {
	env := command.NewEnv()
	root := newRoot(env, args)
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	usual := 1
	parent := cmd.Parent()
	ofContainers := parent == nil || !parent.HasParent() || parent.Name() == "container" // and not `volume create`
	if name := cmd.Name(); ofContainers && (name == "run" || name == "create") {
		usual = command.Failed
	}
	return command.Report(env.Err, err, usual)
}

func newRoot(env *command.Env, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   command.Program(),
		Short: "A container runtime that explains itself, and a course",
		Long: `sandbox runs containers, with Docker's commands; it teaches how they work, chapter by chapter; and
with --explain it prints each system call, cgroup write and network change at the moment it happens.

Begin with:  sandbox lab 3.5 --explain`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error { return env.CheckExplain() },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&env.Root, "root", env.Root, "where images and containers are kept ($SANDBOX_ROOT)")
	flags.StringVar(&env.Explain, "explain", env.Explain, "print each step as it happens: text or json")
	flags.Lookup("explain").NoOptDefVal = "text"
	flags.StringVar(&env.Lang, "lang", env.Lang, "language of lessons and explanations: zh or en ($LANG)")
	root.AddGroup(&cobra.Group{ID: "course", Title: "The course:"})
	root.AddGroup(&cobra.Group{ID: "2", Title: "Images (chapter 2):"})
	root.AddGroup(&cobra.Group{ID: "3", Title: "Containers (chapter 3):"})
	for _, e := range needed(args) {
		cmd := e.make(env)
		cmd.GroupID = e.group
		root.AddCommand(cmd)
	}
	root.Version = "x" // cobra's flag --version; the text is the template's
	root.SetVersionTemplate(system.Line())
	if completion.Asked(args) {
		completion.Add(root, env)
	}
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		renameAll(root, command.Program())
		help(cmd, args)
	})
	teachUsage(root)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd == root && !strings.HasPrefix(args[0], "-") { // it is not the flag that is wrong
			return unknownCommand(root, args[0])
		}
		return wrongFlag(cmd, err)
	})
	return root
}

// entry is a command of the first level, and the heading of the help that it is under.
type entry struct {
	name, group string
	make        func(*command.Env) *cobra.Command
}

var entries = []entry{
	{"lab", "course", lab.New},

	{"build", "2", chapter2.NewBuild}, {"commit", "2", chapter2.NewCommit}, {"diff", "2", chapter2.NewDiff}, {"export", "2", chapter2.NewExport},
	{"history", "2", chapter2.NewHistory}, {"image", "2", chapter2.NewImage}, {"images", "2", chapter2.NewImages}, {"import", "2", chapter2.NewImport},
	{"load", "2", chapter2.NewLoad}, {"login", "2", chapter2.NewLogin}, {"logout", "2", chapter2.NewLogout}, {"pull", "2", chapter2.NewPull},
	{"push", "2", chapter2.NewPush}, {"registry", "2", chapter2.NewRegistry}, {"rmi", "2", chapter2.NewRmi}, {"save", "2", chapter2.NewSave},
	{"search", "2", chapter2.NewSearch}, {"tag", "2", chapter2.NewTag},

	{"attach", "3", chapter3.NewAttach}, {"cgroup", "3", chapter3.NewCgroup}, {"cp", "3", chapter3.NewCp}, {"create", "3", chapter3.NewCreate}, {"events", "3", chapter3.NewEvents},
	{"exec", "3", chapter3.NewExec}, {"inspect", "3", chapter3.NewInspect}, {"kill", "3", chapter3.NewKill}, {"logs", "3", chapter3.NewLogs},
	{"network", "3", chapter3.NewNetwork}, {"pause", "3", chapter3.NewPause}, {"port", "3", chapter3.NewPort}, {"ps", "3", chapter3.NewPs}, {"rename", "3", chapter3.NewRename},
	{"restart", "3", chapter3.NewRestart}, {"rm", "3", chapter3.NewRm}, {"run", "3", chapter3.NewRun}, {"start", "3", chapter3.NewStart},
	{"stats", "3", chapter3.NewStats}, {"stop", "3", chapter3.NewStop}, {"top", "3", chapter3.NewTop}, {"unpause", "3", chapter3.NewUnpause},
	{"update", "3", chapter3.NewUpdate}, {"volume", "3", chapter3.NewVolume}, {"wait", "3", chapter3.NewWait},

	{"completion", "", completion.New}, {"container", "", newContainer}, {"doctor", "", newDoctor}, {"info", "", system.NewInfo},
	{"system", "", system.New}, {"version", "", system.NewVersion},
}

// needed is the one command that the command line begins with. All of them are made for whoever wants to see them, or
// has typed something else: with their hundreds of flags that takes longer than many a command has to do.
func needed(args []string) []entry {
	for i, e := range entries {
		if len(args) > 0 && args[0] == e.name && e.name != "completion" {
			return entries[i : i+1]
		}
	}
	return entries
}

// renameAll lets help speak of the program by the name that it was called by.
func renameAll(cmd *cobra.Command, program string) {
	if program == "sandbox" {
		return
	}
	cmd.Long, cmd.Example = command.Renamed(cmd.Long, program), command.Renamed(cmd.Example, program)
	for _, sub := range cmd.Commands() {
		renameAll(sub, program)
	}
}

// newContainer makes `sandbox container`, under which Docker has the same commands.
func newContainer(env *command.Env) *cobra.Command {
	group := &cobra.Command{Use: "container", Short: "The same commands under Docker's longer names"}
	group.AddCommand(
		chapter3.NewCp(env),
		chapter3.NewRun(env), chapter3.NewCreate(env), chapter3.NewStart(env), chapter3.NewPs(env), chapter3.NewLogs(env),
		chapter3.NewExec(env), chapter3.NewStop(env), chapter3.NewKill(env), chapter3.NewRename(env), chapter3.NewUpdate(env), chapter3.NewRm(env), chapter3.NewWait(env), chapter3.NewContainerInspect(env),
		chapter3.NewAttach(env), chapter3.NewPause(env), chapter3.NewUnpause(env), chapter3.NewRestart(env), chapter3.NewTop(env),
		chapter3.NewStats(env), chapter3.NewPort(env), chapter3.NewContainerPrune(env), chapter2.NewCommit(env), chapter2.NewDiff(env), chapter2.NewExport(env),
	)
	return group
}
