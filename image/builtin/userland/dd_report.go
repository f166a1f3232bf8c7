package userland

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// report writes dd's three lines.
func (r *copyRequest) report(out io.Writer) {
	fmt.Fprintf(out, "%d+%d records in\n%d+%d records out\n", r.inFull, r.inPart, r.outFull, r.outPart)
	if r.status != "noxfer" {
		fmt.Fprintln(out, r.summary())
	}
}

// summary is `104857600 bytes (105 MB, 100 MiB) copied, 0.0362 s, 2.9 GB/s`.
func (r *copyRequest) summary() string {
	elapsed := time.Since(r.started).Seconds()
	plural := "s"
	if r.bytes == 1 {
		plural = ""
	}
	sizes := ""
	if r.bytes >= 1000 {
		sizes = " (" + scaled(float64(r.bytes), 1000, "B") + ")"
	}
	if r.bytes >= 1024 {
		sizes = " (" + scaled(float64(r.bytes), 1000, "B") + ", " + scaled(float64(r.bytes), 1024, "iB") + ")"
	}
	rate := "Infinity B/s"
	if elapsed > 0 {
		rate = scaled(float64(r.bytes)/elapsed, 1000, "B/s")
	}
	return fmt.Sprintf("%d byte%s%s copied, %s s, %s", r.bytes, plural, sizes, significant(elapsed), rate)
}

// scaled is 105 MB or 2.9 GB/s: one decimal below ten.
func scaled(value, base float64, unit string) string {
	prefixes := " kMGTPE"
	if base == 1024 {
		prefixes = " KMGTPE"
	}
	i := 0
	for value >= base && i < len(prefixes)-1 {
		value /= base
		i++
	}
	prefix := strings.TrimSpace(prefixes[i : i+1])
	if prefix == "" && unit == "iB" {
		unit = "B"
	}
	if value < 9.95 && i > 0 {
		return fmt.Sprintf("%.1f %s%s", value, prefix, unit)
	}
	return fmt.Sprintf("%.0f %s%s", value, prefix, unit)
}

// significant is a number of seconds with six significant digits, as C's %g writes it.
func significant(seconds float64) string {
	return strconv.FormatFloat(seconds, 'g', 6, 64)
}

// reportOnRequest prints the report at SIGUSR1, and at Ctrl-C before the end.
func (r *copyRequest) reportOnRequest(p *Process) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGINT)
	go func() {
		for s := range signals {
			r.report(p.Stderr)
			if s == syscall.SIGINT {
				signal.Reset(syscall.SIGINT)
				syscall.Kill(os.Getpid(), syscall.SIGINT)
			}
		}
	}()
	return func() { signal.Stop(signals) }
}
