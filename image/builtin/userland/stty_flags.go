package userland

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// terminalFlag is a flag of termios(3).
type terminalFlag struct {
	name  string
	where byte // i input, o output, c control, l local
	bit   uint32
	sane  bool // its value after `stty sane`
}

func (f terminalFlag) field(t *unix.Termios) *uint32 {
	switch f.where {
	case 'i':
		return &t.Iflag
	case 'o':
		return &t.Oflag
	case 'c':
		return &t.Cflag
	}
	return &t.Lflag
}

// terminalFlags in the order of `stty -a`. The character size, two bits of c, is not a flag.
var terminalFlags = []terminalFlag{
	{"parenb", 'c', unix.PARENB, false}, {"parodd", 'c', unix.PARODD, false}, {"cmspar", 'c', unix.CMSPAR, false},
	{"hupcl", 'c', unix.HUPCL, false}, {"cstopb", 'c', unix.CSTOPB, false}, {"cread", 'c', unix.CREAD, true},
	{"clocal", 'c', unix.CLOCAL, false}, {"crtscts", 'c', unix.CRTSCTS, false},
	{"ignbrk", 'i', unix.IGNBRK, false}, {"brkint", 'i', unix.BRKINT, true}, {"ignpar", 'i', unix.IGNPAR, false},
	{"parmrk", 'i', unix.PARMRK, false}, {"inpck", 'i', unix.INPCK, false}, {"istrip", 'i', unix.ISTRIP, false},
	{"inlcr", 'i', unix.INLCR, false}, {"igncr", 'i', unix.IGNCR, false}, {"icrnl", 'i', unix.ICRNL, true},
	{"ixon", 'i', unix.IXON, true}, {"ixoff", 'i', unix.IXOFF, false}, {"iuclc", 'i', unix.IUCLC, false},
	{"ixany", 'i', unix.IXANY, false}, {"imaxbel", 'i', unix.IMAXBEL, true}, {"iutf8", 'i', unix.IUTF8, false},
	{"opost", 'o', unix.OPOST, true}, {"olcuc", 'o', unix.OLCUC, false}, {"ocrnl", 'o', unix.OCRNL, false},
	{"onlcr", 'o', unix.ONLCR, true}, {"onocr", 'o', unix.ONOCR, false}, {"onlret", 'o', unix.ONLRET, false},
	{"ofill", 'o', unix.OFILL, false}, {"ofdel", 'o', unix.OFDEL, false},
	{"isig", 'l', unix.ISIG, true}, {"icanon", 'l', unix.ICANON, true}, {"iexten", 'l', unix.IEXTEN, true},
	{"echo", 'l', unix.ECHO, true}, {"echoe", 'l', unix.ECHOE, true}, {"echok", 'l', unix.ECHOK, true},
	{"echonl", 'l', unix.ECHONL, false}, {"noflsh", 'l', unix.NOFLSH, false}, {"xcase", 'l', unix.XCASE, false},
	{"tostop", 'l', unix.TOSTOP, false}, {"echoprt", 'l', unix.ECHOPRT, false}, {"echoctl", 'l', unix.ECHOCTL, true},
	{"echoke", 'l', unix.ECHOKE, true}, {"flusho", 'l', unix.FLUSHO, false}, {"extproc", 'l', unix.EXTPROC, false},
}

// terminalCharacter is a key that the terminal itself acts on.
type terminalCharacter struct {
	name  string
	index int
	sane  byte
}

var terminalCharacters = []terminalCharacter{
	{"intr", unix.VINTR, 3}, {"quit", unix.VQUIT, 28}, {"erase", unix.VERASE, 127}, {"kill", unix.VKILL, 21}, {"eof", unix.VEOF, 4},
	{"eol", unix.VEOL, 0}, {"eol2", unix.VEOL2, 0}, {"swtch", unix.VSWTC, 0}, {"start", unix.VSTART, 17}, {"stop", unix.VSTOP, 19},
	{"susp", unix.VSUSP, 26}, {"rprnt", unix.VREPRINT, 18}, {"werase", unix.VWERASE, 23}, {"lnext", unix.VLNEXT, 22},
	{"discard", unix.VDISCARD, 15},
}

// makeSane sets what a person at a terminal expects.
func makeSane(t *unix.Termios) {
	for _, f := range terminalFlags {
		switch field := f.field(t); {
		case f.where == 'c' && f.name != "cread": // about the wire, not about the person
		case f.sane:
			*field |= f.bit
		case f.name != "iutf8":
			*field &^= f.bit
		}
	}
	for _, c := range terminalCharacters {
		t.Cc[c.index] = c.sane
	}
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
}

// flagLines lists the flags, a minus before those that are off, one line for each group. Of all, or only those that are
// not sane.
func flagLines(t *unix.Termios, onlyUnusual bool) string {
	var text strings.Builder
	var words []string
	for i, f := range terminalFlags {
		on := *f.field(t)&f.bit != 0
		if !onlyUnusual || on != f.sane && f.where != 'c' {
			word := f.name
			if !on {
				word = "-" + word
			}
			words = append(words, word)
		}
		if f.name == "cmspar" && !onlyUnusual {
			words = append(words, fmt.Sprintf("cs%d", 5+t.Cflag&unix.CSIZE>>4))
		}
		if f.name == "ofdel" && !onlyUnusual {
			words = append(words, "nl0", "cr0", "tab0", "bs0", "vt0", "ff0")
		}
		if i == len(terminalFlags)-1 || terminalFlags[i+1].where != f.where {
			if len(words) > 0 {
				text.WriteString(wrapWords(words, " ") + "\n")
			}
			words = nil
		}
	}
	return text.String()
}

// characterLines lists the keys: intr = ^C; and so on.
func characterLines(t *unix.Termios) string {
	var words []string
	for _, c := range terminalCharacters {
		words = append(words, fmt.Sprintf("%s = %s;", c.name, keyName(t.Cc[c.index])))
	}
	words = append(words, fmt.Sprintf("min = %d;", t.Cc[unix.VMIN]), fmt.Sprintf("time = %d;", t.Cc[unix.VTIME]))
	return wrapWords(words, " ") + "\n"
}

func keyName(c byte) string {
	switch {
	case c == 0:
		return "<undef>"
	case c == 0x7f:
		return "^?"
	case c < ' ':
		return "^" + string(rune(c+'@'))
	}
	return string(rune(c))
}

// wrapWords breaks a list into lines of less than 80 columns.
func wrapWords(words []string, separator string) string {
	var text strings.Builder
	column := 0
	for _, word := range words {
		switch {
		case column == 0:
		case column+len(separator)+len(word) > 79:
			text.WriteByte('\n')
			column = 0
		default:
			text.WriteString(separator)
			column += len(separator)
		}
		text.WriteString(word)
		column += len(word)
	}
	return text.String()
}

// baudRate translates the code in the control flags. A pseudo terminal has a rate, too, though nothing is that slow.
func baudRate(t *unix.Termios) int {
	rates := map[uint32]int{
		unix.B9600: 9600, unix.B19200: 19200, unix.B38400: 38400, unix.B57600: 57600, unix.B115200: 115200, unix.B230400: 230400,
	}
	return rates[t.Cflag&unix.CBAUD]
}
