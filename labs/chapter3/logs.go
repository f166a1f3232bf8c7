package chapter3

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type logsOptions struct {
	follow, timestamps, details bool
	tail, since, until          string
}

// NewLogs makes `sandbox logs`.
func NewLogs(env *command.Env) *cobra.Command {
	var opts logsOptions
	cmd := &cobra.Command{
		Use:     "logs [flags] CONTAINER",
		Short:   "Show what a container has printed",
		Example: "  sandbox logs web\n  sandbox logs -f --tail 10 web",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runLogs(env, opts, args[0]) },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.follow, "follow", "f", false, "go on as more comes")
	f.BoolVarP(&opts.timestamps, "timestamps", "t", false, "with the time of each line")
	f.BoolVar(&opts.details, "details", false, "with the labels and variables that --log-opt labels= and env= have chosen")
	f.StringVarP(&opts.tail, "tail", "n", "all", "only the last N lines")
	f.StringVar(&opts.since, "since", "", "after a time (2026-01-02T15:04:05) or a while ago (10m)")
	f.StringVar(&opts.until, "until", "", "before a time or a while ago")
	return cmd
}

func runLogs(env *command.Env, opts logsOptions, ref string) error {
	o := container.LogOptions{Tail: -1, Follow: opts.follow, Timestamps: opts.timestamps, Details: opts.details}
	if opts.tail != "all" {
		n, err := strconv.Atoi(opts.tail)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid --tail: %q", opts.tail), "a number, or all")
		}
		o.Tail = max(n, -1) // as with Docker, a negative number is all
	}
	var err error
	if o.Since, err = parseTime(opts.since); err != nil {
		return err
	}
	if o.Until, err = parseTime(opts.until); err != nil {
		return err
	}
	r, err := env.Engine().Get(ref)
	if err != nil {
		return err
	}
	return env.Engine().Logs(r, o, env.Out, env.Err)
}

// parseTime reads a point in time, a number of seconds since 1970, or a duration before now.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return time.Now().Add(-d), nil
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return time.Unix(0, int64(seconds*1e9)), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, kernel.Advise(fmt.Errorf("invalid time: %q", s), "2026-01-02T15:04:05, seconds since 1970, or 10m for ten minutes ago")
}
