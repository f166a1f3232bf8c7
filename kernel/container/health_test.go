package container

import (
	"slices"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestHealthAfter(t *testing.T) {
	check := &Healthcheck{Test: []string{"CMD", "true"}, Retries: 2, StartPeriod: 10 * time.Second}
	h := &Health{Status: HealthStarting}
	for i, step := range []struct {
		code   int
		up     time.Duration
		status string
		streak int
	}{
		{1, time.Second, HealthStarting, 0},
		{-1, 9 * time.Second, HealthStarting, 0},
		{1, 11 * time.Second, HealthStarting, 1},
		{0, 12 * time.Second, HealthHealthy, 0},
		{1, 13 * time.Second, HealthHealthy, 1},
		{7, 14 * time.Second, HealthUnhealthy, 2},
		{0, 15 * time.Second, HealthHealthy, 0},
		{1, 5 * time.Second, HealthHealthy, 1}, // the start period ends with the first success
	} {
		h = h.after(HealthResult{ExitCode: step.code}, check, step.up)
		if h.Status != step.status || h.FailingStreak != step.streak {
			t.Errorf("step %d: %s, %d in a row; want %s, %d", i, h.Status, h.FailingStreak, step.status, step.streak)
		}
	}
	var codes []int
	for _, r := range h.Log {
		codes = append(codes, r.ExitCode)
	}
	if want := []int{0, 1, 7, 0, 1}; !slices.Equal(codes, want) {
		t.Errorf("the log has %v, want the last five: %v", codes, want)
	}
}

func TestHealthPause(t *testing.T) {
	check := &Healthcheck{StartPeriod: time.Minute, StartInterval: time.Second, Interval: 7 * time.Second}
	for _, c := range []struct {
		status string
		up     time.Duration
		want   time.Duration
	}{{HealthStarting, 0, time.Second}, {HealthStarting, time.Hour, 7 * time.Second}, {HealthHealthy, 0, 7 * time.Second}} {
		if got := check.pause(c.status, c.up); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if got := new(Healthcheck).pause(HealthStarting, 0); got != healthInterval {
		t.Errorf("without anything said: %v", got)
	}
}

func TestHealthOfImage(t *testing.T) {
	from := &v1.HealthConfig{Test: []string{"CMD-SHELL", "wget -q localhost"}, Interval: time.Second, Retries: 9}
	got := mergeHealth(&Healthcheck{Interval: time.Minute}, from)
	if got.Interval != time.Minute || got.Retries != 9 || !slices.Equal(got.command(nil), []string{"/bin/sh", "-c", "wget -q localhost"}) {
		t.Errorf("%+v", got)
	}
	if got := mergeHealth(&Healthcheck{Test: []string{"NONE"}}, from); got.command(nil) != nil {
		t.Errorf("--no-healthcheck leaves %v", got.command(nil))
	}
	if got := mergeHealth(nil, from).command([]string{"/bin/bash", "-e", "-c"}); !slices.Equal(got, []string{"/bin/bash", "-e", "-c", "wget -q localhost"}) {
		t.Errorf("SHELL: %v", got)
	}
}
