// Package labs is the command line: one command for each thing that a person does, grouped by the chapters of the
// tutorial, and the course itself.
package labs

import (
	"github.com/spf13/cobra"

	"sandbox/kernel"
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
	root := newRoot(env)
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

func newRoot(env *command.Env) *cobra.Command {
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
	course := lab.New(env)
	course.GroupID = "course"
	root.AddCommand(course)
	root.AddGroup(&cobra.Group{ID: "2", Title: "Images (chapter 2):"})
	for _, cmd := range append(chapter2.Commands(env), chapter2.NewImage(env)) {
		cmd.GroupID = "2"
		root.AddCommand(cmd)
	}
	root.AddGroup(&cobra.Group{ID: "3", Title: "Containers (chapter 3):"})
	for _, cmd := range []*cobra.Command{
		chapter3.NewVolume(env), chapter3.NewCp(env),
		chapter3.NewRun(env), chapter3.NewCreate(env), chapter3.NewStart(env), chapter3.NewPs(env), chapter3.NewLogs(env),
		chapter3.NewExec(env), chapter3.NewStop(env), chapter3.NewKill(env), chapter3.NewRename(env), chapter3.NewUpdate(env), chapter3.NewRm(env), chapter3.NewWait(env), chapter3.NewInspect(env),
		chapter3.NewStats(env), chapter3.NewPort(env), chapter3.NewEvents(env),
		chapter3.NewAttach(env), chapter3.NewPause(env), chapter3.NewUnpause(env), chapter3.NewRestart(env), chapter3.NewTop(env),
	} {
		cmd.GroupID = "3"
		root.AddCommand(cmd)
	}
	root.AddCommand(newContainer(env), system.New(env), system.NewInfo(env), system.NewVersion(env), newDoctor(env))
	root.Version = "x" // cobra's flag --version; the text is the template's
	root.SetVersionTemplate(system.Line())
	completion.Add(root, env)
	renameAll(root, command.Program())
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &kernel.Advice{Cause: err, Cure: cmd.CommandPath() + " --help", Code: command.Failed}
	})
	return root
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
