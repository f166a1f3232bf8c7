package userland

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Actions of syslog(2).
const (
	syslogReadAll   = 3
	syslogReadClear = 4
	syslogClear     = 5
	syslogSize      = 10
)

// runDmesg prints the kernel's messages. They are the whole machine's: no namespace divides them.
func runDmesg(p *Process) int {
	opts, _, err := p.options("cCTrt", map[string]string{"read-clear": "c", "clear": "C", "ctime": "T", "raw": "r", "notime": "t"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if opts.has('C') {
		if _, err := unix.Klogctl(syslogClear, nil); err != nil {
			return p.Fail("clear kernel buffer failed: %s", causeText(err))
		}
		return 0
	}
	action := syslogReadAll
	if opts.has('c') {
		action = syslogReadClear
	}
	size, err := unix.Klogctl(syslogSize, nil)
	if err != nil {
		return p.Fail("read kernel buffer failed: %s", causeText(err))
	}
	buffer := make([]byte, size)
	n, err := unix.Klogctl(action, buffer)
	if err != nil {
		return p.Fail("read kernel buffer failed: %s", causeText(err))
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	boot := time.Now().Add(-sinceBoot())
	for line := range strings.Lines(string(buffer[:n])) {
		line = strings.TrimRight(line, "\n")
		if !opts.has('r') {
			line = withoutLevel(line)
		}
		stamp, text, stamped := strings.Cut(line, "] ")
		switch {
		case opts.has('t') && stamped:
			line = text
		case opts.has('T') && stamped:
			seconds, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimPrefix(stamp, "[")), 64)
			if err == nil {
				line = fmt.Sprintf("[%s] %s", boot.Add(time.Duration(seconds*float64(time.Second))).Format(time.ANSIC), text)
			}
		}
		fmt.Fprintln(out, line)
	}
	return 0
}

// withoutLevel takes off <6>, the importance.
func withoutLevel(line string) string {
	if level, text, found := strings.Cut(line, ">"); found && strings.HasPrefix(level, "<") {
		return text
	}
	return line
}
