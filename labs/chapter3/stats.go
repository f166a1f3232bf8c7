package chapter3

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type statsOptions struct {
	all, noStream, noTrunc, bars bool
	format                       string
}

// NewStats makes `sandbox stats`.
func NewStats(env *command.Env) *cobra.Command {
	var opts statsOptions
	cmd := &cobra.Command{
		Use:     "stats [flags] [CONTAINER...]",
		Short:   "Show what containers use of the machine, and go on showing it",
		Example: "  sandbox stats\n  sandbox stats --no-stream web\n  sandbox stats --no-stream --format '{{.Name}} {{.MemUsage}}'\n  sandbox stats --bars one two        # who gets the processor",
		RunE:    func(cmd *cobra.Command, args []string) error { return runStats(env, opts, args) },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.all, "all", "a", false, "also containers that do not run")
	f.BoolVar(&opts.noStream, "no-stream", false, "print once, and end")
	f.BoolVar(&opts.noTrunc, "no-trunc", false, "whole ids")
	f.BoolVar(&opts.bars, "bars", false, "draw how much each uses of the processors")
	f.StringVar(&opts.format, "format", "", "table, a Go template (also after the word table), or json")
	return cmd
}

// How long between two looks: the share of the processors is what was used between them. Groups count it exactly; where the
// times of processes are added up, which go by hundredths of a second, it takes longer.
const (
	statsFirst = 300 * time.Millisecond
	addedFirst = 500 * time.Millisecond
	barsFirst  = 2 * time.Second // a proportion of two needs longer, the more so the busier the machine is
	statsEvery = time.Second
)

// sample is what a container had used when it was looked at.
type sample struct {
	at    time.Time
	usage container.Usage
}

func runStats(env *command.Env, opts statsOptions, names []string) error {
	if opts.bars && opts.format != "" {
		return kernel.Advise(errors.New("--bars is a format of its own, and takes no --format"), "leave out one of the two")
	}
	before := map[string]sample{}
	watched, err := lookAt(env, opts, names)
	if err != nil {
		return err
	}
	first := statsFirst
	for _, r := range watched {
		now := sample{time.Now(), env.Engine().CPUUsage(r)}
		if before[r.ID] = now; now.usage.Added {
			first = addedFirst
		}
	}
	if first == addedFirst {
		explainAdded(env)
	}
	if opts.bars {
		first = barsFirst
	}
	live := liveTerminal(env, opts)
	for pause := first; ; pause = statsEvery {
		time.Sleep(pause)
		if watched, err = lookAt(env, opts, names); err != nil {
			return err
		}
		var rows []*statsRow
		for i, r := range watched {
			now := sample{time.Now(), env.Engine().Usage(r)}
			row := makeStatsRow(r, before[r.ID], now, opts.noTrunc)
			if row.Container = row.ID; i < len(names) {
				row.Container = names[i]
			}
			rows, before[r.ID] = append(rows, row), now
		}
		var out bytes.Buffer
		if err := printStats(&out, opts, rows); err != nil {
			return err
		}
		if live {
			drawOver(env.Out, out.Bytes())
		} else if _, err := env.Out.Write(out.Bytes()); err != nil {
			return err
		}
		if opts.noStream {
			return nil
		}
	}
}

// lookAt finds the containers anew each time: without names also those that have been started meanwhile. One that was named
// and is removed leaves the others; after the last one it is an error.
func lookAt(env *command.Env, opts statsOptions, names []string) ([]*container.Record, error) {
	if len(names) == 0 {
		list, err := env.Engine().List()
		var shown []*container.Record
		for _, r := range list {
			if opts.all || r.State.Running {
				shown = append(shown, r)
			}
		}
		return shown, err
	}
	var shown []*container.Record
	for _, name := range names {
		r, err := env.Engine().Get(name)
		if err != nil {
			return nil, err
		}
		shown = append(shown, r)
	}
	return shown, nil
}

// explainAdded says where the numbers come from when there are no control groups.
func explainAdded(env *command.Env) {
	err := env.Engine().Groups.Unavailable()
	command.Report(env.Err, fmt.Errorf("the containers have no control group, so what their processes use now is added up: %w", orPlain(err)), 0)
}

func orPlain(err error) error {
	if err == nil || err.Error() == "" {
		return errors.New("they were started without")
	}
	return err
}

func printStats(w io.Writer, opts statsOptions, rows []*statsRow) error {
	if opts.bars {
		return printBars(w, rows)
	}
	return printFormatted(w, cmp.Or(opts.format, "table"), "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}", rows, &statsRow{
		Container: "CONTAINER", ID: "CONTAINER ID", Name: "NAME", CPUPerc: "CPU %", MemUsage: "MEM USAGE / LIMIT", MemPerc: "MEM %",
		NetIO: "NET I/O", BlockIO: "BLOCK I/O", PIDs: "PIDS",
	})
}

// liveTerminal tells whether there is a terminal to draw on.
func liveTerminal(env *command.Env, opts statsOptions) bool {
	file, ok := env.Out.(*os.File)
	return ok && !opts.noStream && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// drawOver draws from the upper left corner, each line over the one before, in one write: nothing flickers (ECMA-48: H moves
// the cursor there, K erases the rest of a line, J what is below).
func drawOver(w io.Writer, text []byte) {
	text = bytes.ReplaceAll(text, []byte("\n"), []byte("\x1b[K\n"))
	w.Write(append(append([]byte("\x1b[H"), text...), "\x1b[J"...))
}
