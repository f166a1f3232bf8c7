package chapter3

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type execOptions struct {
	req           container.ExecRequest
	env, envFiles []string
	detachKeys    string
}

// NewExec makes `sandbox exec`.
func NewExec(env *command.Env) *cobra.Command {
	var opts execOptions
	cmd := &cobra.Command{
		Use:     "exec [flags] CONTAINER COMMAND [ARG...]",
		Short:   "Run another command in a running container",
		Example: "  sandbox exec -it web sh\n  sandbox exec web ps -ef",
		Args:    cobra.MinimumNArgs(2),
		RunE:    func(cmd *cobra.Command, args []string) error { return runExec(env, opts, args) },
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.BoolVarP(&opts.req.Detach, "detach", "d", false, "run it in the background")
	f.BoolVarP(&opts.req.Stdin, "interactive", "i", false, "keep standard input open")
	f.BoolVarP(&opts.req.TTY, "tty", "t", false, "give it a terminal")
	f.BoolVar(&opts.req.Privileged, "privileged", false, "all capabilities")
	f.StringVarP(&opts.req.User, "user", "u", "", "who it runs as: name or uid, [:group]")
	f.StringVarP(&opts.req.WorkingDir, "workdir", "w", "", "the directory it starts in")
	addDetachKeys(f, &opts.detachKeys)
	f.StringArrayVarP(&opts.env, "env", "e", nil, "a variable: NAME=VALUE, or NAME alone for its value here")
	f.StringArrayVar(&opts.envFiles, "env-file", nil, "a file of such variables, one a line")
	return cmd
}

func runExec(env *command.Env, opts execOptions, args []string) error {
	r, err := env.Engine().Get(args[0])
	if err != nil {
		return err
	}
	if opts.req.TTY && opts.req.Stdin && !opts.req.Detach && !term.IsTerminal(int(env.In.Fd())) {
		return errNoTerminal("leave -t out, or run it in a terminal")
	}
	if opts.req.Env, err = readEnv(opts.envFiles, opts.env); err != nil {
		return err
	}
	if opts.req.DetachKeys, err = parseDetachKeys(opts.detachKeys); err != nil {
		return err
	}
	opts.req.Args = args[1:]
	code, err := env.Engine().Exec(r, opts.req)
	switch {
	case errors.Is(err, container.ErrDetached):
		fmt.Fprintf(env.Err, "\n%s: %v: %s goes on in %s\n", command.Program(), err, opts.req.Args[0], r.PlainName())
		return nil
	case err == nil && code != 0:
		return command.ExitCode(code)
	}
	return err
}
