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
	detachKeys                      string
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
	addDetachKeys(cmd.Flags(), &opts.detachKeys)
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
	keys, err := parseDetachKeys(opts.detachKeys)
	if err != nil {
		return err
	}
	engine := env.Engine()
	r, err := engine.Find(ref)
	if err != nil {
		return err
	}
	attached := opts.attach || opts.interactive
	if r.State.Paused {
		return kernel.Advise(errors.New("cannot start a paused container, try unpause instead"), "sandbox unpause %s", ref)
	}
	if r.State.Running && !attached {
		fmt.Fprintln(env.Out, ref)
		return nil
	}
	monitor, err := startOrConnect(env, r)
	if err != nil {
		return err
	}
	if !attached {
		if err := monitor.Ready(env.Tell()); err != nil {
			return err
		}
		fmt.Fprintln(env.Out, ref)
		return nil
	}
	s := streams(env, r, opts.interactive, opts.attach)
	s.Begun = func() { engine.Event(r.Event("attach")) }
	s.DetachKeys = keys
	return attend(env, r, monitor, s)
}

// startOrConnect starts a container, or attaches to one that runs already.
func startOrConnect(env *command.Env, r *container.Record) (*container.Monitor, error) {
	if r.State.Running {
		return env.Engine().Connect(r)
	}
	return startAgain(env, r, container.SizeOf(env.In))
}

// startAgain starts a container that is there. size is that of its terminal.
func startAgain(env *command.Env, r *container.Record, size container.Window) (*container.Monitor, error) {
	engine := env.Engine()
	r.RestartCount = 0
	lock, err := engine.Lock(r)
	if err != nil {
		return nil, err
	}
	monitor, err := engine.SpawnMonitor()
	if err != nil {
		lock.Close()
		return nil, err
	}
	if err := engine.Start(monitor, r, lock, size); err != nil {
		monitor.Abandon()
		return nil, err
	}
	return monitor, nil
}
