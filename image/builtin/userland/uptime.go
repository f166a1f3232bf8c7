package userland

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// runUptime prints the time, how long the kernel has run, and how many processes wanted a CPU.
func runUptime(p *Process) int {
	line, err := uptimeLine(time.Now())
	if err != nil {
		return p.Fail("%v", err)
	}
	fmt.Fprintln(p.Stdout, line)
	return 0
}

// uptimeLine is also the first line of top.
func uptimeLine(now time.Time) (string, error) {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return "", err
	}
	var seconds float64
	if _, err := fmt.Sscan(string(text), &seconds); err != nil {
		return "", fmt.Errorf("read /proc/uptime: %w", err)
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "", err
	}
	averages := strings.Fields(string(load))
	if len(averages) < 3 {
		return "", fmt.Errorf("unexpected form of /proc/loadavg: %q", load)
	}
	// Nobody logs in to a container: there is no utmp to count users in.
	return fmt.Sprintf(" %s up %s,  0 user,  load average: %s", now.Format("15:04:05"), spokenUptime(int(seconds)), strings.Join(averages[:3], ", ")), nil
}

// spokenUptime is "38 min", "2:05" or "3 days,  2:05".
func spokenUptime(seconds int) string {
	days, hours, minutes := seconds/86400, seconds/3600%24, seconds/60%60
	var text string
	switch {
	case days == 1:
		text = "1 day, "
	case days > 1:
		text = fmt.Sprintf("%d days, ", days)
	}
	if hours > 0 {
		return text + fmt.Sprintf("%2d:%02d", hours, minutes)
	}
	return text + fmt.Sprintf("%d min", minutes)
}
