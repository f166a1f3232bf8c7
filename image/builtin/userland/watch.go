package userland

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sandbox/image/builtin/shell"
)

func runWatch(p *Process) int {
	opts, words, err := p.options("+n:tdgexc", map[string]string{"interval": "n", "no-title": "t", "differences": "d",
		"chgexit": "g", "errexit": "e", "exec": "x"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(words) == 0 {
		return p.Fail("missing command")
	}
	interval := 2 * time.Second
	if opts.has('n') {
		seconds, err := strconv.ParseFloat(strings.Replace(opts.value('n'), ",", ".", 1), 64)
		if err != nil {
			return p.Fail("failed to parse argument: '%s'", opts.value('n'))
		}
		interval = max(time.Duration(seconds*float64(time.Second)), 100*time.Millisecond)
	}
	argv := []string{"sh", "-c", strings.Join(words, " ")}
	if opts.has('x') {
		argv = words
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM)
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	// The screen of its own goes when we do, with all that stood on it before.
	fmt.Fprint(p.Stdout, "\x1b[?1049h")
	defer fmt.Fprint(p.Stdout, "\x1b[?1049l")
	before := ""
	for {
		text, failed := watchedOutput(argv)
		p.drawWatch(text, strings.Join(words, " "), interval, opts.has('t'))
		if opts.has('e') && failed || opts.has('g') && before != "" && text != before {
			return 0
		}
		before = text
		select {
		case <-interrupted:
			return 0
		case <-resized:
		case <-time.After(interval):
		}
	}
}

func watchedOutput(argv []string) (text string, failed bool) {
	path, err := findProgram(argv[0])
	if err != nil {
		return causeText(err), true
	}
	cmd := &exec.Cmd{Path: path, Args: argv}
	output, err := cmd.CombinedOutput()
	return string(output), err != nil
}

func (p *Process) drawWatch(text, command string, interval time.Duration, bare bool) {
	columns, rows, ok := terminalSize(p.Stdout)
	if !ok {
		columns, rows = 80, 24
	}
	var screen strings.Builder
	screen.WriteString("\x1b[H\x1b[2J")
	if !bare {
		left := fmt.Sprintf("Every %.1fs: %s", interval.Seconds(), command)
		host, _ := os.Hostname()
		right := host + ": " + time.Now().Format("Mon Jan _2 15:04:05 2006")
		if gap := columns - len(left) - len(right); gap > 0 {
			left += strings.Repeat(" ", gap) + right
		}
		screen.WriteString(cutColumns(left, columns) + "\r\n\r\n")
		rows -= 2
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines[:min(len(lines), max(rows, 0))] {
		if i > 0 {
			screen.WriteString("\r\n")
		}
		screen.WriteString(cutColumns(expandTabs(line), columns))
	}
	fmt.Fprint(p.Stdout, screen.String())
}

func expandTabs(line string) string {
	var out strings.Builder
	column := 0
	for _, r := range line {
		if r == '\t' {
			n := 8 - column%8
			out.WriteString(strings.Repeat(" ", n))
			column += n
			continue
		}
		out.WriteRune(r)
		column += shell.Columns(string(r))
	}
	return out.String()
}

// cutColumns shortens a line to what fits.
func cutColumns(line string, columns int) string {
	used := 0
	for i, r := range line {
		if used += shell.Columns(string(r)); used > columns {
			return line[:i]
		}
	}
	return line
}
