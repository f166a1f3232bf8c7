package chapter3

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// NewVolume makes `sandbox volume`.
func NewVolume(env *command.Env) *cobra.Command {
	group := &cobra.Command{
		Use: "volume", Short: "Volumes: directories that outlive containers",
		Example: "  sandbox volume create data && sandbox run -v data:/data base\n  sandbox volume ls",
	}
	group.AddCommand(newVolumeCreate(env), newVolumeLs(env), newVolumeInspect(env), newVolumeRm(env), newVolumePrune(env))
	return group
}

type volumeCreateOptions struct {
	name, driver    string
	labels, options []string
}

func newVolumeCreate(env *command.Env) *cobra.Command {
	var opts volumeCreateOptions
	cmd := &cobra.Command{
		Use:   "create [flags] [VOLUME]",
		Short: "Create a volume",
		Long: `Create a volume: a directory that containers can share and that stays when they are removed.

With -o it is something that already exists, as mount(8) would mount it:
  -o type=none -o o=bind -o device=/DIR     a directory of the host
  -o type=ext4 -o device=/dev/sdb1          a disk; nfs: -o type=nfs -o o=addr=…  -o device=:/path`,
		Example: "  sandbox volume create data\n  sandbox run -v data:/data base",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if opts.name != "" && opts.name != args[0] {
					return kernel.Advise(errors.New("conflicting options: cannot specify a volume-name through both --name and as a positional arg"), "leave --name out")
				}
				opts.name = args[0]
			}
			return runVolumeCreate(env, opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.name, "name", "", "its name")
	f.MarkHidden("name")
	f.StringVarP(&opts.driver, "driver", "d", "local", "the driver; there is only local")
	f.StringArrayVar(&opts.labels, "label", nil, "a label NAME=VALUE")
	f.StringArrayVarP(&opts.options, "opt", "o", nil, "what it is: type=…, device=…, o=…")
	return cmd
}

func runVolumeCreate(env *command.Env, opts volumeCreateOptions) error {
	if opts.driver != "local" {
		return noDriver(opts.driver)
	}
	v, err := env.Engine().CreateVolume(opts.name, pairs(opts.labels), pairs(opts.options))
	if err != nil {
		return err
	}
	fmt.Fprintln(env.Out, v.Name)
	return nil
}

// pairs reads NAME=VALUE lines.
func pairs(list []string) (all map[string]string) {
	for _, s := range list {
		name, value, _ := strings.Cut(s, "=")
		all = withPair(all, name, value)
	}
	return all
}

func newVolumeInspect(env *command.Env) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "inspect [flags] VOLUME...",
		Short:   "Show all that is known of volumes, as JSON",
		Example: "  sandbox volume inspect -f '{{.Mountpoint}}' data",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.Inspect(format, args, func(name string) (any, error) {
				v, err := env.Engine().Volume(name)
				return v, adviseVolume(err)
			})
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", "a Go template, or json")
	return cmd
}

func newVolumeRm(env *command.Env) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:     "rm [flags] VOLUME...",
		Aliases: []string{"remove"},
		Short:   "Remove volumes, with what is in them",
		Example: "  sandbox volume rm data",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.Each(args, func(name string) error { return runVolumeRm(env, force, name) })
		},
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "one that does not exist is no error")
	return cmd
}

func runVolumeRm(env *command.Env, force bool, name string) error {
	err := env.Engine().RemoveVolume(name)
	var missing *container.NoVolumeError
	if err != nil && !(force && errors.As(err, &missing)) {
		return adviseVolume(err)
	}
	fmt.Fprintln(env.Out, name)
	return nil
}

// adviseVolume adds what can be done about an error.
func adviseVolume(err error) error {
	var missing *container.NoVolumeError
	var inUse *container.VolumeInUseError
	switch {
	case errors.As(err, &missing):
		return kernel.Advise(err, "sandbox volume ls   lists the volumes")
	case errors.As(err, &inUse):
		return kernel.Advise(err, "sandbox rm %s   first: it stays as long as a container has it, running or not", shortIDs(inUse.Users))
	}
	return err
}

func shortIDs(ids []string) string {
	var short []string
	for _, id := range ids {
		short = append(short, id[:min(12, len(id))])
	}
	return strings.Join(short, " ")
}
