package container

import (
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/kernel"
)

// Healthcheck is a command that says, when it is run in the container from time to time, whether the container does what it is for:
// HEALTHCHECK in the image, or --health-…. Zero durations and numbers mean Docker's defaults.
type Healthcheck struct {
	Test          []string      // ["CMD", PROGRAM, ARG…], ["CMD-SHELL", LINE], ["NONE"]; empty: the image's
	Interval      time.Duration `json:",omitempty"` // between the end of one check and the beginning of the next
	Timeout       time.Duration `json:",omitempty"` // for one check
	StartPeriod   time.Duration `json:",omitempty"` // in which failures do not count, until the first success
	StartInterval time.Duration `json:",omitempty"` // instead of Interval, in the start period
	Retries       int           `json:",omitempty"` // so many failures in a row are too many
}

// Docker's defaults.
const (
	healthInterval      = 30 * time.Second
	healthTimeout       = 30 * time.Second
	healthStartInterval = 5 * time.Second
	healthRetries       = 3
	healthLog           = 5    // so many results are kept
	healthOutput        = 4096 // so many bytes of each one's output
)

// Health is what the checks have found: State.Health of inspect.
type Health struct {
	Status        string // starting, healthy, unhealthy
	FailingStreak int
	Log           []HealthResult // the last ones, the oldest first
}

// Statuses of a Health.
const (
	HealthStarting  = "starting"
	HealthHealthy   = "healthy"
	HealthUnhealthy = "unhealthy"
)

// HealthResult is one check.
type HealthResult struct {
	Start, End Moment
	ExitCode   int // 0: healthy; -1: it could not be run, or took too long
	Output     string
}

// Check refuses what makes no sense.
func (h *Healthcheck) Check() error {
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{{"interval", h.Interval}, {"timeout", h.Timeout}, {"start-period", h.StartPeriod}, {"start-interval", h.StartInterval}} {
		if d.value < 0 || d.value > 0 && d.value < time.Millisecond {
			return kernel.Advise(fmt.Errorf("--health-%s cannot be less than 1 ms: %v", d.flag, d.value), "--health-%s 10s, or 0 for the default", d.flag)
		}
	}
	if h.Retries < 0 {
		return kernel.Advise(errors.New("--health-retries cannot be negative"), "--health-retries 3")
	}
	return nil
}

// mergeHealth is what was asked for, and for the rest what the image has.
func mergeHealth(h *Healthcheck, from *v1.HealthConfig) *Healthcheck {
	if from == nil {
		return h
	}
	if h == nil {
		h = &Healthcheck{}
	}
	merged := *h
	if len(merged.Test) == 0 {
		merged.Test = from.Test
	}
	for _, d := range []struct {
		to   *time.Duration
		from time.Duration
	}{{&merged.Interval, from.Interval}, {&merged.Timeout, from.Timeout}, {&merged.StartPeriod, from.StartPeriod}} {
		if *d.to == 0 {
			*d.to = d.from
		}
	}
	if merged.Retries == 0 {
		merged.Retries = from.Retries
	}
	return &merged
}

// inImage is it as an image's configuration has it: StartInterval has no place there.
func (h *Healthcheck) inImage() *v1.HealthConfig {
	if h == nil {
		return nil
	}
	return &v1.HealthConfig{Test: h.Test, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, Retries: h.Retries}
}

// command is the program to run, or nil if there is nothing to check.
func (h *Healthcheck) command(shell []string) []string {
	if h == nil || len(h.Test) < 2 {
		return nil
	}
	switch h.Test[0] {
	case "CMD":
		return h.Test[1:]
	case "CMD-SHELL":
		if len(shell) == 0 {
			shell = []string{"/bin/sh", "-c"}
		}
		return append(append([]string{}, shell...), h.Test[1:]...)
	}
	return nil
}

// timeout of one check.
func (h *Healthcheck) timeout() time.Duration { return orDefault(h.Timeout, healthTimeout) }

// pause is how long to wait until the next check of a container that has been up for so long.
func (h *Healthcheck) pause(status string, up time.Duration) time.Duration {
	if status == HealthStarting && up < h.StartPeriod {
		return orDefault(h.StartInterval, healthStartInterval)
	}
	return orDefault(h.Interval, healthInterval)
}

func orDefault(d, usual time.Duration) time.Duration {
	if d == 0 {
		return usual
	}
	return d
}

// after is the health after another result, which began when the container had been up for so long.
func (h Health) after(result HealthResult, check *Healthcheck, up time.Duration) *Health {
	retries := check.Retries
	if retries == 0 {
		retries = healthRetries
	}
	if from := len(h.Log) + 1 - healthLog; from > 0 {
		h.Log = h.Log[from:]
	}
	h.Log = append(append([]HealthResult{}, h.Log...), result)
	switch {
	case result.ExitCode == 0:
		h.Status, h.FailingStreak = HealthHealthy, 0
	case h.Status == HealthStarting && up < check.StartPeriod: // it does not count yet
	default:
		if h.FailingStreak++; h.FailingStreak >= retries {
			h.Status = HealthUnhealthy
		}
	}
	return &h
}

// over is what is left of it when the container has ended: nobody vouches for it any more, says Docker.
func (h *Health) over() *Health {
	if h == nil {
		return nil
	}
	last := *h
	last.Status = HealthUnhealthy
	return &last
}

// Brief is the status as ps shows it after "Up 5 minutes"; "" without checks.
func (h *Health) Brief() string {
	switch {
	case h == nil || h.Status == "":
		return ""
	case h.Status == HealthStarting:
		return "health: starting"
	}
	return h.Status
}
