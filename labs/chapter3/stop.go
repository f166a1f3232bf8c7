package chapter3

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type stopOptions struct {
	seconds    int
	given      bool
	signal     string
	allRestart bool
}

// defaultStopSeconds is how long a container may take to end, as Docker has it.
const defaultStopSeconds = 10

func (o *stopOptions) addFlags(f *pflag.FlagSet) {
	f.IntVarP(&o.seconds, "timeout", "t", defaultStopSeconds, "seconds until they are killed; -1: never")
	f.IntVar(&o.seconds, "time", defaultStopSeconds, "the same as --timeout")
	f.StringVarP(&o.signal, "signal", "s", "", "the signal that asks (default SIGTERM)")
	f.MarkHidden("time")
}

// NewStop makes `sandbox stop`.
func NewStop(env *command.Env) *cobra.Command {
	var opts stopOptions
	cmd := &cobra.Command{
		Use:     "stop [flags] CONTAINER...",
		Short:   "Ask containers to end, and kill them if they do not",
		Example: "  sandbox stop web\n  sandbox stop -t 2 web db cache",
		Args: func(cmd *cobra.Command, args []string) error {
			if opts.allRestart {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.given = cmd.Flags().Changed("timeout") || cmd.Flags().Changed("time")
			if opts.allRestart {
				return stopAllRestart(env, opts)
			}
			return env.EachAtOnce(args, func(ref string) error {
				r, err := env.Engine().Find(ref)
				if err == nil {
					err = stop(env, opts, "stop", r)
				}
				return err
			})
		},
	}
	opts.addFlags(cmd.Flags())
	cmd.Flags().BoolVar(&opts.allRestart, "all-restart", false, "all that start --all-restart would bring back, as when the machine goes down")
	return cmd
}

// stopAllRestart ends what has a restart policy, not as a person would: it shall come again.
func stopAllRestart(env *command.Env, opts stopOptions) error {
	list, err := env.Engine().List()
	if err != nil {
		return err
	}
	byName := map[string]*container.Record{}
	var names []string
	for _, r := range list {
		if r.State.Running && r.HostConfig.RestartPolicy.Asks() {
			byName[r.PlainName()] = r
			names = append(names, r.PlainName())
		}
	}
	return env.EachAtOnce(names, func(name string) error { return stop(env, opts, "shutdown", byName[name]) })
}

// stop stops one container, for a command, with the signal and in the time that the flags name, or its own.
func stop(env *command.Env, opts stopOptions, asked string, r *container.Record) error {
	name := opts.signal
	if name == "" {
		name = r.Config.StopSignal
	}
	s := unix.SIGTERM
	if name != "" {
		var err error
		if s, err = container.ParseSignal(name); err != nil {
			return err
		}
	}
	seconds := opts.seconds
	if !opts.given && r.Config.StopTimeout != nil {
		seconds = *r.Config.StopTimeout
	}
	result, err := env.Engine().Stop(r, asked, s, time.Duration(seconds)*time.Second)
	if err == nil && result.Killed && result.Unhandled {
		command.Remark(env.Err, kernel.Advise(fmt.Errorf("%s was killed after %d s: its PID 1 has no handler for %s, and the kernel keeps signals without one from a PID 1",
			r.PlainName(), seconds, unix.SignalName(s)), "run it with --init, or let the program handle the signal"))
	}
	return err
}

// NewKill makes `sandbox kill`.
func NewKill(env *command.Env) *cobra.Command {
	var signal string
	cmd := &cobra.Command{
		Use:     "kill [flags] CONTAINER...",
		Short:   "Send a signal to containers (SIGKILL)",
		Example: "  sandbox kill web\n  sandbox kill -s HUP web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := container.ParseSignal(signal)
			if err != nil {
				return err
			}
			return env.Each(args, func(ref string) error { return runKill(env, s, ref) })
		},
	}
	cmd.Flags().StringVarP(&signal, "signal", "s", "KILL", "the signal")
	return cmd
}

func runKill(env *command.Env, s unix.Signal, ref string) error {
	r, err := env.Engine().Find(ref)
	if err != nil {
		return err
	}
	if err := env.Engine().Kill(r, "kill", s); err != nil {
		return err
	}
	fmt.Fprintln(env.Out, ref)
	return nil
}

// NewWait makes `sandbox wait`.
func NewWait(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "wait CONTAINER...",
		Short:   "Wait until containers have ended and print their exit codes",
		Example: "  sandbox wait web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.Each(args, func(ref string) error {
				r, err := env.Engine().Get(ref)
				if err != nil {
					return err
				}
				end, err := env.Engine().Wait(r)
				if err != nil {
					return err
				}
				command.Remark(env.Err, end.Advice())
				fmt.Fprintln(env.Out, end.ExitCode)
				return nil
			})
		},
	}
}

type rmOptions struct{ force, volumes bool }

// NewRm makes `sandbox rm`.
func NewRm(env *command.Env) *cobra.Command {
	var opts rmOptions
	cmd := &cobra.Command{
		Use:     "rm [flags] CONTAINER...",
		Aliases: []string{"remove"},
		Short:   "Remove containers",
		Example: "  sandbox rm web\n  sandbox rm -f web\n  sandbox rm -v $(sandbox ps -aq -f status=exited)",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.Each(args, func(ref string) error { return runRm(env, opts, ref) })
		},
	}
	cmd.Flags().BoolVarP(&opts.force, "force", "f", false, "also those that run: they are killed")
	cmd.Flags().BoolVarP(&opts.volumes, "volumes", "v", false, "with their anonymous volumes")
	return cmd
}

func runRm(env *command.Env, opts rmOptions, ref string) error {
	r, err := env.Engine().FindAny(ref)
	var missing *container.ErrNotFound
	if opts.force && errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := env.Engine().Remove(r, opts.force, opts.volumes); err != nil {
		return err
	}
	fmt.Fprintln(env.Out, ref)
	return nil
}
