package chapter3

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"sandbox/kernel"
	"sandbox/labs/command"
)

// redraw draws once a second what draw returns, until somebody types q or Ctrl-C, or draw fails. What does not fit on the
// terminal is cut off: a screen that scrolls cannot be drawn over.
func redraw(env *command.Env, every time.Duration, draw func(width, height int) (string, error)) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	keys := make(chan byte)
	if term.IsTerminal(int(os.Stdin.Fd())) {
		restore, err := kernel.KeysTerminal(env.Engine().Door, os.Stdin)
		if err != nil {
			return err
		}
		defer restore()
		go readKeys(keys)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	drawOver(env.Out, nil)
	for {
		width, height := terminalSize(env)
		text, err := draw(width, height-1)
		if err != nil {
			return err
		}
		lines := strings.SplitAfter(text, "\n")
		drawOver(env.Out, []byte(strings.Join(lines[:min(len(lines), height-1)], "")))
	wait:
		for {
			select {
			case <-signals:
				return nil
			case key := <-keys:
				if key == 'q' || key == 'Q' {
					return nil
				}
			case <-tick.C:
				break wait
			}
		}
	}
}

func readKeys(keys chan<- byte) {
	var key [1]byte
	for {
		if n, err := os.Stdin.Read(key[:]); n == 0 || err != nil {
			return
		}
		keys <- key[0]
	}
}

// terminalSize is that of the terminal which is drawn on; what every terminal has if it does not tell.
func terminalSize(env *command.Env) (width, height int) {
	if file, ok := env.Out.(*os.File); ok {
		if width, height, err := term.GetSize(int(file.Fd())); err == nil && width > 0 && height > 1 {
			return width, height
		}
	}
	return 80, 24
}
