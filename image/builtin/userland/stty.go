package userland

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// runStty shows and changes the settings of the terminal on stdin.
func runStty(p *Process) int {
	args, path := p.Args[1:], ""
	if len(args) > 1 && args[0] == "-F" {
		path, args = args[1], args[2:]
	}
	terminal, err := p.openTerminal(path)
	if err != nil {
		return p.Fail("%s", causedBy(err))
	}
	fd := int(terminal.Fd())
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return p.Fail("'standard input': %s", causeText(err))
	}
	size, _ := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if size == nil {
		size = &unix.Winsize{}
	}
	switch {
	case len(args) == 0:
		fmt.Fprintf(p.Stdout, "speed %d baud; line = %d;\n%s", baudRate(t), t.Line, flagLines(t, true))
		return 0
	case args[0] == "-a" || args[0] == "--all":
		fmt.Fprintf(p.Stdout, "speed %d baud; rows %d; columns %d; line = %d;\n%s%s", baudRate(t), size.Row, size.Col, t.Line, characterLines(t), flagLines(t, false))
		return 0
	case args[0] == "size":
		fmt.Fprintf(p.Stdout, "%d %d\n", size.Row, size.Col)
		return 0
	case args[0] == "-g" || args[0] == "--save":
		fmt.Fprintf(p.Stdout, "%x:%x:%x:%x:%x\n", t.Iflag, t.Oflag, t.Cflag, t.Lflag, t.Cc)
		return 0
	}
	newSize := *size
	for i := 0; i < len(args); i++ {
		used, err := changeTerminal(t, &newSize, args[i:])
		if err != nil {
			return p.Fail("%v", err)
		}
		i += used - 1
	}
	if newSize != *size {
		if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &newSize); err != nil {
			return p.Fail("'standard input': %s", causeText(err))
		}
	}
	if err := unix.IoctlSetTermios(fd, unix.TCSETSW, t); err != nil {
		return p.Fail("'standard input': %s", causeText(err))
	}
	return 0
}

func (p *Process) openTerminal(path string) (*os.File, error) {
	if path != "" {
		return os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	}
	if file, ok := p.Stdin.(*os.File); ok {
		return file, nil
	}
	return nil, fmt.Errorf("'standard input': Inappropriate ioctl for device")
}

// changeTerminal makes the change that the first word asks for, and tells how many words that took.
func changeTerminal(t *unix.Termios, size *unix.Winsize, words []string) (used int, err error) {
	word := words[0]
	switch word {
	case "sane":
		makeSane(t)
		return 1, nil
	case "raw", "-cooked":
		t.Iflag = 0
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ISIG | unix.ICANON
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		return 1, nil
	case "-raw", "cooked":
		t.Iflag |= unix.BRKINT | unix.IGNPAR | unix.ICRNL | unix.IXON
		t.Oflag |= unix.OPOST
		t.Lflag |= unix.ISIG | unix.ICANON
		return 1, nil
	case "rows", "cols", "columns":
		if len(words) < 2 {
			return 0, fmt.Errorf("missing argument to '%s'", word)
		}
		n, err := strconv.ParseUint(words[1], 10, 16)
		if err != nil {
			return 0, fmt.Errorf("invalid integer argument: '%s'", words[1])
		}
		if word == "rows" {
			size.Row = uint16(n)
		} else {
			size.Col = uint16(n)
		}
		return 2, nil
	}
	if strings.Count(word, ":") == 4 {
		return 1, restoreTerminal(t, word)
	}
	name, off := strings.CutPrefix(word, "-")
	for _, f := range terminalFlags {
		if f.name == name {
			field := f.field(t)
			*field |= f.bit
			if off {
				*field &^= f.bit
			}
			return 1, nil
		}
	}
	return setTerminalKey(t, words)
}

// restoreTerminal takes what -g printed.
func restoreTerminal(t *unix.Termios, saved string) error {
	var characters []byte
	var flags [4]uint32
	_, err := fmt.Sscanf(strings.ReplaceAll(saved, ":", " "), "%x %x %x %x %x", &flags[0], &flags[1], &flags[2], &flags[3], &characters)
	if err != nil || len(characters) != len(t.Cc) {
		return fmt.Errorf("invalid argument '%s'", saved)
	}
	t.Iflag, t.Oflag, t.Cflag, t.Lflag = flags[0], flags[1], flags[2], flags[3]
	copy(t.Cc[:], characters)
	return nil
}

// setTerminalKey is `stty intr ^X`.
func setTerminalKey(t *unix.Termios, words []string) (used int, err error) {
	for _, c := range terminalCharacters {
		if c.name != words[0] {
			continue
		}
		if len(words) < 2 {
			return 0, fmt.Errorf("missing argument to '%s'", words[0])
		}
		switch text := words[1]; {
		case text == "undef" || text == "^-":
			t.Cc[c.index] = 0
		case text == "^?":
			t.Cc[c.index] = 0x7f
		case len(text) == 2 && text[0] == '^':
			t.Cc[c.index] = text[1] & 0x1f
		case len(text) == 1:
			t.Cc[c.index] = text[0]
		default:
			return 0, fmt.Errorf("invalid integer argument: '%s'", text)
		}
		return 2, nil
	}
	return 0, fmt.Errorf("invalid argument '%s'", words[0])
}

// runReset puts a terminal right that a program left in disorder.
func runReset(p *Process) int {
	fmt.Fprint(p.Stdout, "\x1bc\x1b[m\x1b[J\x1b[?25h") // full reset, plain text, cleared, cursor shown
	terminal, err := p.openTerminal("")
	if err != nil {
		return 0
	}
	if t, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS); err == nil {
		makeSane(t)
		unix.IoctlSetTermios(int(terminal.Fd()), unix.TCSETSW, t)
	}
	return 0
}
