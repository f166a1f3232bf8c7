package chapter3

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type startOptions struct {
	attach, interactive, allRestart bool
}

// NewStart makes `sandbox start`.
func NewStart(env *command.Env) *cobra.Command {
	var opts startOptions
	cmd := &cobra.Command{
		Use:     "start [flags] CONTAINER...",
		Short:   "Start containers that are not running",
		Example: "  sandbox start web\n  sandbox start -ai myos\n  sandbox start --all-restart",
		Args: func(cmd *cobra.Command, args []string) error {
			if opts.allRestart {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.allRestart {
				return runAllRestart(env)
			}
			if !opts.attach && !opts.interactive {
				return env.Each(args, func(ref string) error { return runStart(env, opts, ref) })
			}
			if len(args) > 1 {
				return kernel.Advise(errors.New("cannot attach to more than one container"), "start them one by one, or without -a and -i")
			}
			return runStart(env, opts, args[0])
		},
	}
	cmd.Flags().BoolVarP(&opts.attach, "attach", "a", false, "show its output and pass signals on")
	cmd.Flags().BoolVarP(&opts.interactive, "interactive", "i", false, "pass standard input on")
	cmd.Flags().BoolVar(&opts.allRestart, "all-restart", false, "all that their restart policy wants up at boot; sandbox system unit calls it")
	return cmd
}

// runAllRestart does what Docker's daemon does when it starts.
func runAllRestart(env *command.Env) error {
	failed := false
	err := env.Engine().AtBoot(func(r *container.Record, err error) {
		if err != nil {
			command.Report(env.Err, fmt.Errorf("%s: %w", r.PlainName(), err), 1)
			failed = true
			return
		}
		fmt.Fprintln(env.Out, r.PlainName())
	})
	if err == nil && failed {
		err = command.ExitCode(1)
	}
	return err
}

func runStart(env *command.Env, opts startOptions, ref string) error {
	engine := env.Engine()
	r, err := engine.Find(ref)
	if err != nil {
		return err
	}
	if r.State.Running {
		fmt.Fprintln(env.Out, ref)
		return nil
	}
	r.RestartCount = 0
	lock, err := engine.Lock(r)
	if err != nil {
		return err
	}
	monitor, err := engine.SpawnMonitor()
	if err != nil {
		lock.Close()
		return err
	}
	if err := engine.Start(monitor, r, lock, container.SizeOf(env.In)); err != nil {
		monitor.Abandon()
		return err
	}
	if !opts.attach && !opts.interactive {
		if err := monitor.Ready(env.Tell()); err != nil {
			return err
		}
		fmt.Fprintln(env.Out, ref)
		return nil
	}
	code, err := monitor.Attach(streams(env, r, opts.interactive, opts.attach), env.Tell())
	if err == nil && code != 0 {
		command.Remark(env.Err, monitor.End.Advice())
		return command.ExitCode(code)
	}
	return err
}
