package chapter3

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type attachOptions struct {
	noStdin, sigProxy bool
	detachKeys        string
}

// NewAttach makes `sandbox attach`.
func NewAttach(env *command.Env) *cobra.Command {
	var opts attachOptions
	cmd := &cobra.Command{
		Use:     "attach [flags] CONTAINER",
		Short:   "Watch a running container and type to it",
		Example: "  sandbox attach web                      # Ctrl-P Ctrl-Q leaves a terminal, and it goes on\n  sandbox attach --sig-proxy=false web    # … and so does Ctrl-C here",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runAttach(env, opts, args[0]) },
	}
	cmd.Flags().BoolVar(&opts.noStdin, "no-stdin", false, "only watch")
	cmd.Flags().BoolVar(&opts.sigProxy, "sig-proxy", true, "pass signals on to the container")
	addDetachKeys(cmd.Flags(), &opts.detachKeys)
	return cmd
}

func addDetachKeys(f *pflag.FlagSet, keys *string) {
	f.StringVar(keys, "detach-keys", "", "what is typed to leave it and let it run (default "+container.DefaultDetachKeys+")")
}

func parseDetachKeys(keys string) ([]byte, error) {
	if keys == "" {
		keys = container.DefaultDetachKeys
	}
	return container.ParseDetachKeys(keys)
}

func runAttach(env *command.Env, opts attachOptions, ref string) error {
	keys, err := parseDetachKeys(opts.detachKeys)
	if err != nil {
		return err
	}
	engine := env.Engine()
	r, err := engine.Get(ref)
	if err != nil {
		return err
	}
	s := streams(env, r, r.Config.OpenStdin && !opts.noStdin, opts.sigProxy)
	s.DetachKeys = keys
	if s.TTY && s.In != nil && r.State.Running && !term.IsTerminal(int(s.In.Fd())) {
		return errNoTerminal("run it in a terminal, or only watch: --no-stdin")
	}
	monitor, err := engine.Connect(r)
	if err != nil {
		return err
	}
	s.Begun = func() { // not before: Ctrl-C would end only us
		engine.Event(r.Event("attach"))
		sayHowToLeave(env, r, s, opts.detachKeys)
	}
	return attend(env, r, monitor, s)
}

// sayHowToLeave says so to a person: many a container has been ended by a Ctrl-C that was meant for the watcher.
func sayHowToLeave(env *command.Env, r *container.Record, s container.Streams, keys string) {
	if !isTerminal(env.Err) {
		return
	}
	if keys == "" {
		keys = container.DefaultDetachKeys
	}
	how := "Ctrl-C leaves it running"
	switch {
	case s.TTY && s.In != nil:
		how = "to leave it running, type " + keys
	case s.Proxy:
		how = "Ctrl-C goes to the container; with --sig-proxy=false it only leaves"
	}
	fmt.Fprintf(env.Err, "%s: attached to %s; %s\r\n", command.Program(), r.PlainName(), how)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// attend carries input and output until the container ends or the user leaves it, and ends with the container's exit code.
func attend(env *command.Env, r *container.Record, monitor *container.Monitor, s container.Streams) error {
	code, err := monitor.Attach(s, env.Tell())
	switch {
	case errors.Is(err, container.ErrDetached):
		sayDetached(env, r, err)
		return nil
	case errors.Is(err, container.ErrInterrupted):
		sayDetached(env, r, err)
		return command.ExitCode(130)
	case err == nil && code != 0:
		command.Remark(env.Err, monitor.End.Advice())
		return command.ExitCode(code)
	}
	return err
}

// sayDetached follows the user's typing, which was not echoed.
func sayDetached(env *command.Env, r *container.Record, how error) {
	fmt.Fprintf(env.Err, "\n%s: %v: %s goes on\n  → %[1]s attach %[3]s   comes back\n", command.Program(), how, r.PlainName())
}
