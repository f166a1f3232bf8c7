package userland

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
)

// runMore is more and less: a page at a time on a terminal, and cat elsewhere.
func runMore(p *Process) int {
	_, names, err := p.options("eFiKnNRSXrsMcdfpu", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	_, _, toTerminal := terminalSize(p.Stdout)
	keys, err := os.Open("/dev/tty")
	if err != nil || !toTerminal {
		return p.eachInput(names, func(_ string, in io.Reader) error {
			_, err := io.Copy(p.Stdout, in)
			return err
		})
	}
	defer keys.Close()
	lines, code := p.allLines(names)
	pager := &pager{lines: lines, out: p.Stdout, keys: keys, quitAtEnd: filepath.Base(p.Args[0]) == "more"}
	restore, err := withoutEcho(int(keys.Fd()))
	if err != nil {
		return p.Fail("%s", causeText(err))
	}
	defer restore()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT) // Ctrl-C only gives up a search
	pager.run()
	return code
}

type pager struct {
	lines     []string
	top       int // the first line shown
	out       io.Writer
	keys      io.Reader
	quitAtEnd bool
	pattern   *regexp.Regexp
	message   string
}

func (g *pager) run() {
	if !g.quitAtEnd {
		fmt.Fprint(g.out, "\x1b[?1049h")
		defer fmt.Fprint(g.out, "\x1b[?1049l")
	}
	for {
		end := g.draw()
		if end && g.quitAtEnd {
			fmt.Fprint(g.out, "\r\x1b[K")
			return
		}
		if !g.handle(g.key()) {
			fmt.Fprint(g.out, "\r\x1b[K")
			return
		}
	}
}

func (g *pager) page() (columns, rows int) {
	columns, rows, _ = terminalSize(g.out)
	return max(columns, 1), max(rows-1, 1)
}

// draw shows a page, and says whether its end is the text's.
func (g *pager) draw() (end bool) {
	columns, rows := g.page()
	g.top = max(min(g.top, len(g.lines)-rows), 0)
	fmt.Fprint(g.out, "\x1b[H\x1b[2J")
	last := min(g.top+rows, len(g.lines))
	for _, line := range g.lines[g.top:last] {
		fmt.Fprint(g.out, cutColumns(expandTabs(line), columns), "\r\n")
	}
	end = last == len(g.lines)
	status := fmt.Sprintf("--More--(%d%%)", last*100/max(len(g.lines), 1))
	if end {
		status = "(END)"
	}
	if g.message != "" {
		status, g.message = g.message, ""
	}
	if !(end && g.quitAtEnd) {
		fmt.Fprintf(g.out, "\x1b[7m%s\x1b[0m", status)
	}
	return end
}

// key reads a key; arrows come as letters of less.
func (g *pager) key() byte {
	buffer := make([]byte, 8)
	n, err := g.keys.Read(buffer)
	if err != nil || n == 0 {
		return 'q'
	}
	switch string(buffer[:n]) {
	case "\x1b[A":
		return 'k'
	case "\x1b[B":
		return 'j'
	case "\x1b[5~":
		return 'b'
	case "\x1b[6~":
		return ' '
	case "\x1b[H", "\x1b[1~":
		return 'g'
	case "\x1b[F", "\x1b[4~":
		return 'G'
	}
	return buffer[0]
}

func (g *pager) handle(key byte) (goOn bool) {
	_, rows := g.page()
	switch key {
	case 'q', 'Q', 3:
		return false
	case ' ', 'f', 6:
		g.top += rows
	case 'b', 2:
		g.top -= rows
	case 'd', 4:
		g.top += rows / 2
	case 'u', 21:
		g.top -= rows / 2
	case '\n', '\r', 'j', 'e':
		g.top++
	case 'k', 'y':
		g.top--
	case 'g', '<':
		g.top = 0
	case 'G', '>':
		g.top = len(g.lines)
	case '/':
		g.ask()
		g.find(g.top, 1)
	case 'n':
		g.find(g.top+1, 1)
	case 'N':
		g.find(g.top-1, -1)
	case 'h':
		g.message = "space b d u j k g G /pattern n N q"
	}
	return true
}

// ask reads a pattern, key by key, because the terminal does not edit lines for us now.
func (g *pager) ask() {
	text := ""
	for {
		fmt.Fprintf(g.out, "\r\x1b[K/%s", text)
		switch key := g.key(); key {
		case '\r', '\n':
			if re, err := compilePattern(text, true, false); err == nil && text != "" {
				g.pattern = re
			}
			return
		case 0x7f, 8:
			text = text[:max(len(text)-1, 0)]
		case 3, 0x1b:
			return
		default:
			text += string(rune(key))
		}
	}
}

func (g *pager) find(from, step int) {
	for i := from; g.pattern != nil && i >= 0 && i < len(g.lines); i += step {
		if g.pattern.MatchString(g.lines[i]) {
			g.top = i
			return
		}
	}
	g.message = "Pattern not found"
}
