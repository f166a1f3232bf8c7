package container

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sandbox/kernel"
)

// RestartPolicy says whether a container that has ended comes again by itself: --restart.
type RestartPolicy struct {
	Name              string // no, always, unless-stopped, on-failure
	MaximumRetryCount int    // of on-failure; 0: without end
}

// Names of the policies.
const (
	restartNo            = "no"
	restartAlways        = "always"
	restartUnlessStopped = "unless-stopped"
	restartOnFailure     = "on-failure"
)

// ParseRestartPolicy reads no, always, unless-stopped or on-failure[:N]; "" is no.
func ParseRestartPolicy(s string) (RestartPolicy, error) {
	name, count, counted := strings.Cut(s, ":")
	switch name {
	case "", restartNo, restartAlways, restartUnlessStopped, restartOnFailure:
	default:
		return RestartPolicy{}, kernel.Advise(fmt.Errorf("invalid restart policy: unknown policy %q", name), "no, always, unless-stopped or on-failure[:N]")
	}
	if name == "" {
		name = restartNo
	}
	p := RestartPolicy{Name: name}
	if !counted {
		return p, nil
	}
	if name != restartOnFailure {
		return p, kernel.Advise(errors.New("invalid restart policy: a number of retries goes with on-failure only"), "--restart on-failure:%s", count)
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return p, kernel.Advise(fmt.Errorf("invalid restart policy: the number of retries must be a whole number, not %q", count), "--restart on-failure:3")
	}
	p.MaximumRetryCount = n
	return p, nil
}

// String writes it as it is given to --restart.
func (p RestartPolicy) String() string {
	if p.MaximumRetryCount > 0 {
		return fmt.Sprintf("%s:%d", p.Name, p.MaximumRetryCount)
	}
	return p.Name
}

// Asks tells whether there is a policy at all. Records of older versions have the empty one.
func (p RestartPolicy) Asks() bool { return p.Name != "" && p.Name != restartNo }

// afterEnd tells whether a container that has ended so, and has come again so many times already, comes again now. Who
// stopped it by hand wants it to stay down, whatever the policy.
func (p RestartPolicy) afterEnd(code, restarts int, stopped bool) bool {
	switch {
	case stopped:
		return false
	case p.Name == restartOnFailure:
		return code != 0 && (p.MaximumRetryCount == 0 || restarts < p.MaximumRetryCount)
	}
	return p.Name == restartAlways || p.Name == restartUnlessStopped
}

// atBoot tells whether a container is started when the machine is: the one thing that always and unless-stopped
// differ in. on-failure says something about the program, not about the machine.
func (p RestartPolicy) atBoot(stopped bool) bool {
	return p.Name == restartAlways || p.Name == restartUnlessStopped && !stopped
}

// Docker's back-off (moby, restartmanager): how long a container stays down before it comes again.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = time.Minute
	settledTime = 10 * time.Second // who has run for so long begins anew
)

// backoff counts.
type backoff struct{ wait time.Duration }

// next is how long to wait after a run of that length.
func (b *backoff) next(ran time.Duration) time.Duration {
	switch {
	case ran >= settledTime || b.wait == 0:
		b.wait = firstWait
	default:
		b.wait = min(2*b.wait, longestWait)
	}
	return b.wait
}
