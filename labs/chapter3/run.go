// Package chapter3 holds the commands of the tutorial's chapter 3: containers, run, entered, stopped, removed.
// A file is a command: its constructor, its options, and the function that runs it.
package chapter3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sandbox/image"
	"sandbox/image/builtin"
	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/chapter2"
	"sandbox/labs/command"
)

type runOptions struct {
	createOptions
	sigProxy   bool
	detachKeys string
}

// NewRun makes `sandbox run`.
func NewRun(env *command.Env) *cobra.Command {
	var opts runOptions
	cmd := &cobra.Command{
		Use:     "run [flags] IMAGE [COMMAND] [ARG...]",
		Short:   "Create a container from an image and run a command in it",
		Example: "  sandbox run -it base\n  sandbox run --rm base echo hello\n  sandbox run --name myos -d base sh -c \"while true; do sleep 1; done\"",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRun(env, &opts, args)
		},
	}
	opts.addFlags(cmd.Flags())
	cmd.Flags().BoolVarP(&opts.detach, "detach", "d", false, "run in the background and print the id")
	cmd.Flags().BoolVar(&opts.sigProxy, "sig-proxy", true, "pass signals on to the container")
	addDetachKeys(cmd.Flags(), &opts.detachKeys)
	return cmd
}

func runRun(env *command.Env, opts *runOptions, args []string) error {
	if err := checkTerminal(env, &opts.createOptions); err != nil {
		return err
	}
	keys, err := parseDetachKeys(opts.detachKeys)
	if err != nil {
		return err
	}
	engine := env.Engine()
	monitor, err := engine.SpawnMonitor() // it gets ready while we prepare
	if err != nil {
		return err
	}
	r, lock, err := create(env, &opts.createOptions, args)
	if err != nil {
		monitor.Abandon()
		return err
	}
	if err := engine.Start(monitor, r, lock, container.SizeOf(env.In)); err != nil {
		monitor.Abandon()
		engine.Discard(r)
		if opts.cidfile != "" {
			engine.Door.Do(kernel.Step{Effect: kernel.Remove{Path: opts.cidfile}, Section: "3.1", Optional: true})
		}
		return err
	}
	if opts.detach {
		if err := monitor.Ready(env.Tell()); err != nil {
			return err
		}
		fmt.Fprintln(env.Out, r.ID)
		return nil
	}
	s := streams(env, r, opts.interactive, opts.sigProxy)
	s.DetachKeys = keys
	return attend(env, r, monitor, s)
}

// create makes the container that the flags describe.
func create(env *command.Env, opts *createOptions, args []string) (*container.Record, *os.File, error) {
	engine := env.Engine()
	img, err := findImage(env, args[0], opts.pull, opts.quiet)
	if err != nil {
		return nil, nil, err
	}
	req, err := opts.request(img, args[0], args[1:])
	if err != nil {
		return nil, nil, err
	}
	req.Warn = warner(env)
	if opts.cidfile != "" {
		if _, err := os.Lstat(opts.cidfile); err == nil {
			return nil, nil, kernel.Advise(fmt.Errorf("the file %s exists: it may hold another container's id", opts.cidfile), "rm %s", opts.cidfile)
		}
	}
	r, lock, err := engine.Create(req)
	if err != nil {
		return nil, nil, err
	}
	if opts.cidfile != "" {
		err := engine.Door.Do(kernel.Step{
			Effect: kernel.CreateFile{Path: opts.cidfile, Data: r.ID, Mode: 0o644}, Section: "3.1",
			Why: kernel.Why{EN: "--cidfile: the id, for scripts", ZH: "--cidfile：把 ID 写给脚本用"},
		})
		if err != nil {
			lock.Close()
			engine.Discard(r)
			return nil, nil, err
		}
	}
	return r, lock, nil
}

// findImage takes a built-in image, made when it is first asked for, or one of the store, or fetches it from its registry:
// by --pull, when it is missing, never or always.
func findImage(env *command.Env, ref, pull string, quiet bool) (*image.Image, error) {
	if !slices.Contains([]string{"missing", "never", "always"}, pull) {
		return nil, kernel.Advise(fmt.Errorf("invalid --pull: %q", pull), "missing, never or always")
	}
	ours, err := builtin.Ensure(env.Engine().Images, ref)
	if err != nil {
		return nil, err
	}
	img, err := env.Engine().Images.Find(ref)
	var missing *image.NotFoundError
	absent := errors.As(err, &missing)
	name, nameErr := image.ParseName(ref)
	switch {
	case nameErr != nil || err != nil && !absent:
		return img, err
	case pull == "never" && absent:
		return nil, kernel.Advise(err, "sandbox images   lists what is here; without --pull=never a registry is asked")
	case ours || pull != "always" && !absent:
		return img, err
	}
	if quiet {
		silent := *env
		silent.Err = io.Discard
		env = &silent
	}
	if absent {
		fmt.Fprintf(env.Err, "Unable to find image '%s' locally\n", name.Familiar())
	}
	img, pullErr := chapter2.Pull(context.Background(), env, name, nil)
	if pullErr != nil {
		if absent && len(missing.Near) > 0 {
			pullErr = fmt.Errorf("%w; and %w", err, pullErr)
		}
		return nil, kernel.Advise(pullErr, "the built-in images need no network: sandbox run %s", substitute(name))
	}
	return img, nil
}

// substitute is the built-in image that is most like one that cannot be had: stress for progrium/stress, base for busybox.
func substitute(name image.Name) string {
	if short := path.Base(name.Repository); short != "base" && slices.Contains(builtin.Names(), short) {
		return short
	}
	return "-it base"
}

// checkTerminal refuses -t where there is no terminal to give, as Docker does.
func checkTerminal(env *command.Env, opts *createOptions) error {
	if opts.tty && opts.interactive && !opts.detach && !term.IsTerminal(int(env.In.Fd())) {
		return errNoTerminal("leave -t out, or run it in a terminal")
	}
	return nil
}

func errNoTerminal(cure string) error {
	return kernel.Advise(errors.New("the input device is not a TTY"), "%s", cure)
}

// streams are what of our own streams goes to a container.
func streams(env *command.Env, r *container.Record, interactive, proxy bool) container.Streams {
	s := container.Streams{Out: env.Out, Err: env.Err, TTY: r.Config.Tty, Proxy: proxy}
	if interactive {
		s.In = env.In
	}
	return s
}
