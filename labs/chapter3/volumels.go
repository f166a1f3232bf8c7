package chapter3

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type volumeLsOptions struct {
	filters []string
	format  string
	quiet   bool
}

func newVolumeLs(env *command.Env) *cobra.Command {
	var opts volumeLsOptions
	cmd := &cobra.Command{
		Use:     "ls [flags]",
		Aliases: []string{"list"},
		Short:   "List volumes",
		Example: "  sandbox volume ls -f dangling=true\n  sandbox volume ls --format '{{.Name}}: {{.Mountpoint}}'",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runVolumeLs(env, opts) },
	}
	f := cmd.Flags()
	f.StringArrayVarP(&opts.filters, "filter", "f", nil, "dangling=true|false, driver=…, label=NAME[=VALUE], name=PART")
	f.StringVar(&opts.format, "format", "", "table, json, or a Go template")
	f.BoolVarP(&opts.quiet, "quiet", "q", false, "only names")
	return cmd
}

// volumeRow is what templates see, under Docker's names.
type volumeRow struct {
	Name, Driver, Scope, Mountpoint, Labels, Links, Size, Availability, Group, Status string

	labels map[string]string
}

// Label is the value of one label.
func (r volumeRow) Label(name string) string { return r.labels[name] }

func runVolumeLs(env *command.Env, opts volumeLsOptions) error {
	match, err := volumeFilter(env, opts.filters)
	if err != nil {
		return err
	}
	list, err := env.Engine().Volumes()
	if err != nil {
		return err
	}
	rows := []volumeRow{}
	for _, v := range list {
		if match(v) {
			rows = append(rows, makeVolumeRow(v))
		}
	}
	switch opts.format {
	case "json":
		for _, row := range rows {
			data, err := json.Marshal(row)
			if err != nil {
				return err
			}
			fmt.Fprintln(env.Out, string(data))
		}
		return nil
	case "", "table":
		opts.format = "table {{.Driver}}\t{{.Name}}"
	}
	if opts.quiet {
		opts.format = "{{.Name}}"
	}
	return command.PrintRows(env.Out, opts.format, rows, volumeRow{
		Name: "VOLUME NAME", Driver: "DRIVER", Scope: "SCOPE", Mountpoint: "MOUNTPOINT", Labels: "LABELS", Links: "LINKS", Size: "SIZE",
		Availability: "AVAILABILITY", Group: "GROUP", Status: "STATUS",
	})
}

func makeVolumeRow(v *container.Volume) volumeRow {
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(v.Labels)) {
		labels = append(labels, name+"="+v.Labels[name])
	}
	return volumeRow{
		Name: v.Name, Driver: v.Driver, Scope: v.Scope, Mountpoint: v.Mountpoint, Labels: strings.Join(labels, ","),
		Links: "N/A", Size: "N/A", Availability: "N/A", Group: "N/A", Status: "N/A", labels: v.Labels,
	}
}

// volumeFilter turns --filter flags into one condition. As with Docker, of several filters of one kind one must hold, but
// all labels.
func volumeFilter(env *command.Env, filters []string) (func(*container.Volume) bool, error) {
	kinds := map[string][]func(*container.Volume) bool{}
	var all []func(*container.Volume) bool
	for _, f := range filters {
		key, value, ok := strings.Cut(f, "=")
		if !ok {
			return nil, badVolumeFilter(f)
		}
		switch key {
		case "name":
			kinds[key] = append(kinds[key], func(v *container.Volume) bool { return strings.Contains(v.Name, value) })
		case "driver":
			kinds[key] = append(kinds[key], func(v *container.Volume) bool { return v.Driver == value })
		case "label", "label!":
			all = append(all, labelCondition(value, key == "label"))
		case "dangling":
			want := value == "true" || value == "1"
			if !want && value != "false" && value != "0" {
				return nil, kernel.Advise(fmt.Errorf("invalid filter: dangling=%s", value), "dangling=true or dangling=false")
			}
			users, err := env.Engine().VolumeUsers()
			if err != nil {
				return nil, err
			}
			all = append(all, func(v *container.Volume) bool { return (len(users[v.Name]) == 0) == want })
		default:
			return nil, badVolumeFilter(f)
		}
	}
	for _, one := range kinds {
		all = append(all, func(v *container.Volume) bool {
			return slices.ContainsFunc(one, func(c func(*container.Volume) bool) bool { return c(v) })
		})
	}
	return func(v *container.Volume) bool {
		return !slices.ContainsFunc(all, func(c func(*container.Volume) bool) bool { return !c(v) })
	}, nil
}

func badVolumeFilter(f string) error {
	return kernel.Advise(fmt.Errorf("invalid filter: %q", f), "dangling=true, driver=local, label=NAME[=VALUE] or name=PART")
}

func labelCondition(value string, want bool) func(*container.Volume) bool {
	name, text, hasValue := strings.Cut(value, "=")
	return func(v *container.Volume) bool {
		have, found := v.Labels[name]
		return (found && (!hasValue || have == text)) == want
	}
}
