package chapter3

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sandbox/cgroup"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type cgroupOptions struct {
	noStream, watch bool
	format          string
}

// NewCgroup makes `sandbox cgroup`, which Docker does not have.
func NewCgroup(env *command.Env) *cobra.Command {
	var opts cgroupOptions
	cmd := &cobra.Command{
		Use:   "cgroup [flags] [CONTAINER]",
		Short: "Show a container's control group: its files, what they hold, who set them, what they mean",
		Long: `Show a running container's control group: each file that matters, its value, the flag that set it and what it means. On a
terminal it goes on showing it; q or Ctrl-C ends that. Without a container: the groups of all of them.`,
		Example: "  sandbox cgroup web\n  sandbox cgroup --no-stream web\n  sandbox cgroup --format '{{.Path}} {{.Value}}' web\n  sandbox cgroup",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runCgroup(env, opts, args) },
	}
	f := cmd.Flags()
	f.BoolVar(&opts.noStream, "no-stream", false, "print once, and end")
	f.BoolVar(&opts.watch, "watch", false, "go on showing it, also where it is not a terminal")
	f.StringVar(&opts.format, "format", "", "table, a Go template (also after the word table), or json")
	cmd.MarkFlagsMutuallyExclusive("no-stream", "watch")
	return cmd
}

func runCgroup(env *command.Env, opts cgroupOptions, args []string) error {
	show := func(w io.Writer, width, height int) error { return showTree(env, w, opts) }
	if len(args) == 1 {
		v := &groupView{env: env, ref: args[0]}
		show = func(w io.Writer, width, height int) error { return v.show(w, opts, width, height) }
	}
	live := opts.format == "" && liveTerminal(env, statsOptions{noStream: opts.noStream})
	if live {
		return redraw(env, statsEvery, func(width, height int) (string, error) {
			var b strings.Builder
			err := show(&b, width, height)
			return b.String(), err
		})
	}
	for {
		if err := show(env.Out, 0, 0); err != nil || !opts.watch {
			return err
		}
		time.Sleep(statsEvery)
	}
}

// groupView shows one container's group, again and again.
type groupView struct {
	env  *command.Env
	ref  string
	last sample
}

func (v *groupView) show(w io.Writer, opts cgroupOptions, width, height int) error {
	engine := v.env.Engine()
	r, err := engine.Get(v.ref)
	if err != nil {
		return err
	}
	files, err := engine.GroupFiles(r)
	if err != nil {
		return err
	}
	var rows []*cgroupRow
	for _, f := range files {
		rows = append(rows, makeCgroupRow(r, f, v.env.Language()))
	}
	if opts.format != "" {
		return printFormatted(w, opts.format, "{{.File}}\t{{.Value}}\t{{.SetBy}}\t{{.Path}}", rows, &cgroupRow{
			Container: "CONTAINER", Controller: "CONTROLLER", File: "FILE", Path: "PATH", Value: "VALUE", Plain: "PLAIN", SetBy: "SET BY", Meaning: "MEANING",
		})
	}
	now := sample{time.Now(), engine.Usage(r)}
	d := groupDrawing{language: v.env.Language(), width: width, mode: engine.Groups.Mode}
	_, err = io.WriteString(w, d.group(r, files, rows, v.last, now, height))
	v.last = now
	return err
}

// groupRow is a container's group in the tree, for templates.
type groupRow struct {
	ID, Name, Path, MemUsage, CPU, PIDs string
}

// showTree shows the groups of all containers, and those that they have made inside.
func showTree(env *command.Env, w io.Writer, opts cgroupOptions) error {
	list, err := env.Engine().List()
	if err != nil {
		return err
	}
	trees, err := env.Engine().GroupTrees(list)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, r := range list {
		names[r.ID] = r.PlainName()
	}
	var rows []*groupRow
	for _, t := range trees {
		for _, n := range t.Nodes {
			rows = append(rows, &groupRow{
				ID: n.ID, Name: names[n.ID], Path: n.Path, MemUsage: ofLimit(n.Usage),
				CPU: n.Usage.CPU.Round(time.Millisecond).String(), PIDs: fmt.Sprint(n.Usage.PIDs),
			})
		}
	}
	if opts.format != "" {
		return printFormatted(w, opts.format, "{{.ID}}\t{{.Name}}\t{{.MemUsage}}\t{{.CPU}}\t{{.PIDs}}\t{{.Path}}", rows,
			&groupRow{ID: "CONTAINER ID", Name: "NAME", Path: "PATH", MemUsage: "MEM USAGE / LIMIT", CPU: "CPU TIME", PIDs: "PIDS"})
	}
	for _, t := range trees {
		if len(t.Nodes) == 0 && len(trees) > 1 {
			continue
		}
		if _, err = io.WriteString(w, drawTree(t.Parent, t.Nodes, names, env.Engine().Groups.Mode, env.Language())); err != nil {
			return err
		}
	}
	return nil
}

// printFormatted prints rows as --format wants them: "table" alone is the usual columns.
func printFormatted[T any](w io.Writer, format, usual string, rows []T, heading T) error {
	switch format {
	case "json":
		return command.PrintJSON(w, rows)
	case "table":
		format = "table " + usual
	}
	return command.PrintRows(w, format, rows, heading)
}

func ofLimit(u cgroup.Usage) string {
	limit := "max"
	if u.MemoryLimit > 0 {
		limit = command.BinarySize(u.MemoryLimit)
	}
	return command.BinarySize(u.Memory) + " / " + limit
}

// cgroupRow is what templates see of one file.
type cgroupRow struct {
	Container, Controller, File, Path, Value, Plain, SetBy, Meaning string
}

func makeCgroupRow(r *container.Record, f cgroup.File, language string) *cgroupRow {
	return &cgroupRow{
		Container: r.PlainName(), Controller: f.Controller, File: f.Name, Path: f.Path, Value: f.Value, Plain: plainValue(f, language),
		SetBy: setBy(r, f, language), Meaning: f.Meaning.In(language),
	}
}
