package shell

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// editor reads one line from a terminal while a person edits it, with the keys of every shell.
//
// It draws in the simplest way that is right: after each key the whole line is drawn anew from the row on which the
// prompt began. It reads one byte at a time, so that what is typed ahead stays in the terminal for the next program.
type editor struct {
	in       *os.File
	out      io.Writer
	history  *[]string
	complete func(line []rune) completion
	keys     func(on bool) // called when the terminal sends keys, not signals, and just before it sends signals again

	prompt  string
	line    []rune
	pos     int // of the cursor, in line
	row     int // of the cursor, counted from the prompt's
	killed  []rune
	at      int    // in history; len(history) is the line being typed
	typed   []rune // what was being typed when the arrow went up
	lastTab bool   // the previous key was a Tab that could not decide
}

var errInterrupted = errors.New("interrupted")

// readLine gives io.EOF for Ctrl-D on an empty line, errInterrupted for Ctrl-C.
func (e *editor) readLine(prompt string) (string, error) {
	fd := int(e.in.Fd())
	modes, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	restore := func() {
		e.keys(false)
		term.Restore(fd, modes)
	}
	defer restore()
	e.keys(true)
	// Only the prompt's last line is drawn again.
	if i := strings.LastIndexByte(prompt, '\n'); i >= 0 {
		fmt.Fprint(e.out, strings.ReplaceAll(prompt[:i+1], "\n", "\r\n"))
		prompt = prompt[i+1:]
	}
	*e = editor{in: e.in, out: e.out, history: e.history, complete: e.complete, keys: e.keys, killed: e.killed,
		prompt: prompt, at: len(*e.history)}
	e.draw()
	for {
		key, err := e.readKey()
		if err != nil {
			return "", err
		}
		if e.echo(key) {
			continue
		}
		atEnd := e.pos == len(e.line)
		done, err := e.handle(key)
		if done || err != nil {
			if !atEnd {
				e.pos = len(e.line)
				e.draw()
			}
			// What is typed from the new line on is meant for the program that comes next.
			restore()
			if err == errInterrupted {
				fmt.Fprint(e.out, "^C")
			}
			if err != io.EOF {
				fmt.Fprintln(e.out)
			}
			return string(e.line), err
		}
		e.draw()
	}
}

// Keys that are not characters.
const (
	keyUp rune = -1 - iota
	keyDown
	keyLeft
	keyRight
	keyHome
	keyEnd
	keyDelete
	keyWordLeft
	keyWordRight
	keyKillWord
	keyUnknown
)

func control(letter rune) rune { return letter & 0x1f }

// handle does what a key says; done means Enter.
func (e *editor) handle(key rune) (done bool, err error) {
	tab := key == '\t'
	defer func() { e.lastTab = tab }()
	switch key {
	case '\r', '\n':
		return true, nil
	case control('c'):
		return false, errInterrupted
	case control('d'):
		if len(e.line) == 0 {
			return false, io.EOF
		}
		e.remove(e.pos, e.pos+1)
	case '\t':
		e.tab()
	case control('l'):
		fmt.Fprint(e.out, "\x1b[H\x1b[2J")
		e.row = 0
	case control('r'):
		return e.search()
	case control('p'), keyUp:
		e.recall(e.at - 1)
	case control('n'), keyDown:
		e.recall(e.at + 1)
	default:
		e.edit(key)
	}
	return false, nil
}

// edit handles the keys that move in the line or change it.
func (e *editor) edit(key rune) {
	switch key {
	case control('a'), keyHome:
		e.pos = 0
	case control('e'), keyEnd:
		e.pos = len(e.line)
	case control('b'), keyLeft:
		e.pos = max(e.pos-1, 0)
	case control('f'), keyRight:
		e.pos = min(e.pos+1, len(e.line))
	case keyWordLeft:
		e.pos = e.wordLeft()
	case keyWordRight:
		e.pos = e.wordRight()
	case control('h'), 0x7f:
		e.remove(e.pos-1, e.pos)
	case keyDelete:
		e.remove(e.pos, e.pos+1)
	case control('k'):
		e.kill(e.pos, len(e.line))
	case control('u'):
		e.kill(0, e.pos)
	case control('w'):
		start := e.pos
		for start > 0 && e.line[start-1] == ' ' {
			start--
		}
		for start > 0 && e.line[start-1] != ' ' {
			start--
		}
		e.kill(start, e.pos)
	case keyKillWord:
		e.kill(e.pos, e.wordRight())
	case control('y'):
		e.insert(e.killed...)
	default:
		if key >= ' ' {
			e.insert(key)
		}
	}
}

func (e *editor) insert(runes ...rune) {
	tail := append([]rune{}, e.line[e.pos:]...)
	e.line = append(append(e.line[:e.pos], runes...), tail...)
	e.pos += len(runes)
}

func (e *editor) remove(from, to int) {
	from, to = max(from, 0), min(to, len(e.line))
	if from >= to {
		return
	}
	e.line = append(e.line[:from], e.line[to:]...)
	e.pos = from
}

// kill removes text and keeps it for Ctrl-Y.
func (e *editor) kill(from, to int) {
	e.killed = append([]rune{}, e.line[from:to]...)
	e.remove(from, to)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

func (e *editor) wordLeft() int {
	i := e.pos
	for i > 0 && !inWord(e.line[i-1]) {
		i--
	}
	for i > 0 && inWord(e.line[i-1]) {
		i--
	}
	return i
}

func (e *editor) wordRight() int {
	i := e.pos
	for i < len(e.line) && !inWord(e.line[i]) {
		i++
	}
	for i < len(e.line) && inWord(e.line[i]) {
		i++
	}
	return i
}

// recall shows an entry of the history; one past its end is what was being typed.
func (e *editor) recall(at int) {
	history := *e.history
	if at < 0 || at > len(history) {
		return
	}
	if e.at == len(history) {
		e.typed = e.line
	}
	e.at = at
	e.line = e.typed
	if at < len(history) {
		e.line = []rune(history[at])
	}
	e.pos = len(e.line)
}

// search is Ctrl-R: the latest command that contains what is typed. Enter runs it, any other special key keeps it.
func (e *editor) search() (done bool, err error) {
	prompt, original := e.prompt, e.line
	defer func() { e.prompt = prompt }()
	wanted := []rune{}
	from := len(*e.history)
	for {
		e.prompt = fmt.Sprintf("(reverse-i-search)`%s': ", string(wanted))
		e.pos = len(e.line)
		e.draw()
		key, err := e.readKey()
		switch {
		case err != nil:
			return false, err
		case key == control('c') || key == control('g'):
			e.line, e.pos = original, len(original)
			return false, nil
		case key == control('r'):
			from = e.find(wanted, from-1)
		case (key == control('h') || key == 0x7f) && len(wanted) > 0:
			wanted = wanted[:len(wanted)-1]
			from = e.find(wanted, len(*e.history)-1)
		case key >= ' ' && key != 0x7f:
			wanted = append(wanted, key)
			from = e.find(wanted, len(*e.history)-1)
		default:
			e.prompt = prompt
			return e.handle(key)
		}
	}
}

// find shows the last entry, not after from, that contains wanted.
func (e *editor) find(wanted []rune, from int) int {
	history := *e.history
	for i := min(from, len(history)-1); i >= 0; i-- {
		if strings.Contains(history[i], string(wanted)) {
			e.line, e.at = []rune(history[i]), i
			return i
		}
	}
	return from
}

// readKey reads one character, or one escape sequence as one of the key constants.
func (e *editor) readKey() (rune, error) {
	first, err := e.readByte()
	if err != nil {
		return 0, err
	}
	if first == 0x1b {
		return e.readEscape()
	}
	if first < utf8.RuneSelf {
		return rune(first), nil
	}
	bytes := []byte{first}
	for !utf8.FullRune(bytes) {
		next, err := e.readByte()
		if err != nil {
			return 0, err
		}
		bytes = append(bytes, next)
	}
	r, _ := utf8.DecodeRune(bytes)
	return r, nil
}

func (e *editor) readEscape() (rune, error) {
	b, err := e.readByte()
	if err != nil {
		return 0, err
	}
	switch b {
	case 'b':
		return keyWordLeft, nil
	case 'f':
		return keyWordRight, nil
	case 'd':
		return keyKillWord, nil
	case 0x7f:
		return control('w'), nil
	case '[', 'O':
	default:
		return keyUnknown, nil
	}
	sequence := ""
	for {
		b, err := e.readByte()
		if err != nil {
			return 0, err
		}
		sequence += string(rune(b))
		if b >= 0x40 && b <= 0x7e {
			return keyOf(sequence), nil
		}
	}
}

func keyOf(sequence string) rune {
	switch sequence {
	case "A":
		return keyUp
	case "B":
		return keyDown
	case "C":
		return keyRight
	case "D":
		return keyLeft
	case "H", "1~", "7~":
		return keyHome
	case "F", "4~", "8~":
		return keyEnd
	case "3~":
		return keyDelete
	case "1;5D", "1;3D":
		return keyWordLeft
	case "1;5C", "1;3C":
		return keyWordRight
	}
	return keyUnknown
}

func (e *editor) readByte() (byte, error) {
	var b [1]byte
	n, err := e.in.Read(b[:])
	if n == 1 {
		return b[0], nil
	}
	if err == nil {
		err = io.EOF
	}
	return 0, err
}
