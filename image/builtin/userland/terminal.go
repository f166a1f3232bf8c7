package userland

import (
	"os"

	"golang.org/x/sys/unix"
)

// terminalSize tells whether a stream is a terminal, and how large.
func terminalSize(stream any) (columns, rows int, ok bool) {
	file, isFile := stream.(*os.File)
	if !isFile {
		return 0, 0, false
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, false
	}
	if size.Col == 0 || size.Row == 0 { // a terminal that was never told its size
		return 80, 24, true
	}
	return int(size.Col), int(size.Row), true
}

// withoutEcho lets a full-screen program read single keys: no line editing, no echo. Ctrl-C still sends SIGINT. The
// function that it returns puts the terminal back as it was.
func withoutEcho(fd int) (restore func(), err error) {
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	during := *before
	during.Lflag &^= unix.ICANON | unix.ECHO
	during.Cc[unix.VMIN], during.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &during); err != nil {
		return nil, err
	}
	return func() { unix.IoctlSetTermios(fd, unix.TCSETS, before) }, nil
}
