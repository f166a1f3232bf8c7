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
with --explain it prints each system call, cgroup write and network change at the moment it happens.`,
		Example: "  sandbox run -it base           # a container with a shell, made from the program itself\n" +
			"  sandbox lab                    # the course, with your progress\n" +
			"  sandbox lab 3.5 --explain      # see a container being made, system call by system call\n" +
			"  sandbox doctor                 # what this kernel and this user can do",
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
	root.AddGroup(groups()...)
	for _, e := range needed(args) {
		cmd := e.make(env)
		cmd.GroupID = e.group
		annotate(cmd, e)
		root.AddCommand(cmd)
	}
	root.Version = "x" // cobra's flag --version; the text is the template's
	root.SetVersionTemplate(system.Line())
	if completion.Asked(args) {
		completion.Add(root, env)
	}
	root.SetHelpCommand(newHelp(env, root))
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		renameAll(root, command.Program())
		printHelp(env.Out, cmd)
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

// entry is a command of the first level, the heading of the help that it is under, and the lab that teaches it.
type entry struct {
	name, group, lab string
	make             func(*command.Env) *cobra.Command
}

var entries = []entry{
	{"completion", "1", "a", completion.New}, {"doctor", "1", "1.2", newDoctor}, {"info", "1", "1.2", system.NewInfo},
	{"lab", "1", "1.1", lab.New}, {"system", "1", "1.2", system.New}, {"version", "1", "1.2", system.NewVersion},

	{"build", "2", "2.4", chapter2.NewBuild}, {"commit", "2", "2.4", chapter2.NewCommit}, {"diff", "2", "2.3", chapter2.NewDiff},
	{"export", "2", "2.2", chapter2.NewExport}, {"history", "2", "2.3", chapter2.NewHistory}, {"image", "2", "2.5", chapter2.NewImage},
	{"images", "2", "2.1", chapter2.NewImages}, {"import", "2", "2.2", chapter2.NewImport}, {"load", "2", "2.1", chapter2.NewLoad},
	{"login", "2", "2.6", chapter2.NewLogin}, {"logout", "2", "2.6", chapter2.NewLogout}, {"pull", "2", "2.6", chapter2.NewPull},
	{"push", "2", "2.6", chapter2.NewPush}, {"registry", "2", "2.6", chapter2.NewRegistry}, {"rmi", "2", "2.5", chapter2.NewRmi},
	{"save", "2", "2.1", chapter2.NewSave}, {"search", "2", "2.6", chapter2.NewSearch}, {"tag", "2", "2.5", chapter2.NewTag},

	{"create", "3.1", "3.1", chapter3.NewCreate}, {"inspect", "3.1", "3.1", chapter3.NewInspect}, {"logs", "3.1", "3.1", chapter3.NewLogs},
	{"ps", "3.1", "3.1", chapter3.NewPs}, {"rename", "3.1", "3.1", chapter3.NewRename}, {"run", "3.1", "3.1", chapter3.NewRun},
	{"start", "3.1", "3.1", chapter3.NewStart}, {"wait", "3.1", "3.1", chapter3.NewWait},
	{"attach", "3.2", "3.2", chapter3.NewAttach}, {"events", "3.2", "3.2", chapter3.NewEvents}, {"exec", "3.2", "3.2", chapter3.NewExec},
	{"container", "3.3", "3.3", newContainer}, {"cp", "3.3", "3.3", chapter3.NewCp}, {"kill", "3.3", "3.3", chapter3.NewKill},
	{"pause", "3.3", "3.3", chapter3.NewPause}, {"restart", "3.3", "3.3", chapter3.NewRestart}, {"rm", "3.3", "3.3", chapter3.NewRm},
	{"stop", "3.3", "3.3", chapter3.NewStop}, {"unpause", "3.3", "3.3", chapter3.NewUnpause}, {"volume", "3.3", "2.5", chapter3.NewVolume},
	{"stats", "3.4", "3.4", chapter3.NewStats}, {"update", "3.4", "3.4", chapter3.NewUpdate},
	{"cgroup", "3.5", "3.5", chapter3.NewCgroup}, {"top", "3.5", "3.5", chapter3.NewTop},
	{"network", "3.6", "3.6", chapter3.NewNetwork}, {"port", "3.6", "3.6", chapter3.NewPort},
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
	group := &cobra.Command{
		Use: "container", Short: "Containers: the same commands under Docker's longer names, and prune",
		Example: "  sandbox container ls -a      # the same as: sandbox ps -a\n  sandbox container prune",
	}
	group.AddCommand(
		chapter3.NewCp(env),
		chapter3.NewRun(env), chapter3.NewCreate(env), chapter3.NewStart(env), chapter3.NewPs(env), chapter3.NewLogs(env),
		chapter3.NewExec(env), chapter3.NewStop(env), chapter3.NewKill(env), chapter3.NewRename(env), chapter3.NewUpdate(env), chapter3.NewRm(env), chapter3.NewWait(env), chapter3.NewContainerInspect(env),
		chapter3.NewAttach(env), chapter3.NewPause(env), chapter3.NewUnpause(env), chapter3.NewRestart(env), chapter3.NewTop(env),
		chapter3.NewStats(env), chapter3.NewPort(env), chapter3.NewContainerPrune(env), chapter2.NewCommit(env), chapter2.NewDiff(env), chapter2.NewExport(env),
	)
	return group
}
