package chapter3

import (
	"errors"
	"time"

	"github.com/spf13/pflag"

	"sandbox/kernel"
	"sandbox/kernel/container"
)

// healthOptions are the flags about health checks, under Docker's names.
type healthOptions struct {
	command                                       string
	interval, timeout, startPeriod, startInterval time.Duration
	retries                                       int
	none                                          bool
}

func (o *healthOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.command, "health-cmd", "", "a shell command that says whether the container does its work (0: it does)")
	f.DurationVar(&o.interval, "health-interval", 0, "how long between two checks (default 30s)")
	f.DurationVar(&o.timeout, "health-timeout", 0, "how long one check may take (default 30s)")
	f.IntVar(&o.retries, "health-retries", 0, "failures in a row that make it unhealthy (default 3)")
	f.DurationVar(&o.startPeriod, "health-start-period", 0, "how long failures do not count at the beginning (default 0s)")
	f.DurationVar(&o.startInterval, "health-start-interval", 0, "how long between two checks in the start period (default 5s)")
	f.BoolVar(&o.none, "no-healthcheck", false, "not even the image's HEALTHCHECK")
}

// healthcheck is what the flags ask for; nil if nothing.
func (o *healthOptions) healthcheck() (*container.Healthcheck, error) {
	h := container.Healthcheck{
		Interval: o.interval, Timeout: o.timeout, StartPeriod: o.startPeriod, StartInterval: o.startInterval, Retries: o.retries,
	}
	given := o.command != "" || o.interval != 0 || o.timeout != 0 || o.startPeriod != 0 || o.startInterval != 0 || o.retries != 0
	switch {
	case o.none && given:
		return nil, kernel.Advise(errors.New("--no-healthcheck conflicts with --health-* options"), "leave one of them out")
	case o.none:
		return &container.Healthcheck{Test: []string{"NONE"}}, nil
	case !given:
		return nil, nil
	case o.command != "":
		h.Test = []string{"CMD-SHELL", o.command}
	}
	return &h, h.Check()
}
