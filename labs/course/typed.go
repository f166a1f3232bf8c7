package course

import (
	"errors"
	"fmt"
	"strings"
)

// session reads the body of a step: its commands and, if it needs a terminal (tty=yes), what is typed at each of them, in
// the lines after it that begin with "<".
func (f fence) session() (commands []string, typed [][]string, err error) {
	if f.attrs["tty"] == "" {
		commands, err = f.commands()
		return commands, nil, err
	}
	if f.attrs["tty"] != "yes" {
		return nil, nil, fmt.Errorf("tty=%s: write tty=yes, or leave it out", f.attrs["tty"])
	}
	any := false
	var body []string
	for _, line := range f.body {
		text, isTyped := strings.CutPrefix(line, "<")
		switch {
		case isTyped && typed == nil:
			return nil, nil, errors.New("a line that is typed (\"< …\") stands before the first command")
		case isTyped:
			any = true
			last := &typed[len(typed)-1]
			*last = append(*last, strings.TrimPrefix(text, " "))
			continue
		case strings.HasPrefix(line, "$ "):
			typed = append(typed, nil)
		}
		body = append(body, line)
	}
	if !any {
		return nil, nil, errors.New("tty=yes, but nothing is typed: write it after its command, in lines that begin with \"< \"")
	}
	f.body = body
	commands, err = f.commands()
	return commands, typed, err
}

// typedAt is what is typed at one of the step's commands; nil if it needs no terminal.
func (s *Step) typedAt(command int) []string {
	if s.Typed == nil {
		return nil
	}
	return s.Typed[command]
}

// keystrokes is what a terminal sends for a typed line: the text and Enter, or the keys that it names as Docker does, with
// commas between them: ctrl-p,ctrl-q. isKeys tells which.
func keystrokes(line string) (sent string, isKeys bool) {
	var keys strings.Builder
	for i, key := range strings.Split(line, ",") {
		letter, isControl := strings.CutPrefix(key, "ctrl-")
		switch {
		case isControl && len(letter) == 1 && (letter[0] >= 'a' && letter[0] <= 'z' || strings.Contains(`@[\]^_`, letter)):
			keys.WriteByte(letter[0] & 0x1f) // what the Ctrl key makes of a character
		case i > 0 && len(key) == 1:
			keys.WriteString(key)
		default:
			return line + "\r", false
		}
	}
	return keys.String(), true
}

// showTyped says in one line what is typed at a command: the learner is to do it, or it is done for a pipe.
func (s *Session) showTyped(say phrase, typed []string) {
	var parts []string
	for _, line := range typed {
		if _, isKeys := keystrokes(line); !isKeys {
			parts = append(parts, strings.TrimSpace(line+" ↵"))
			continue
		}
		for key := range strings.SplitSeq(line, ",") {
			if letter, isControl := strings.CutPrefix(key, "ctrl-"); isControl {
				key = "Ctrl-" + strings.ToUpper(letter)
			}
			parts = append(parts, key)
		}
	}
	fmt.Fprintln(s.Out, outputIndent+s.paint(dim, fmt.Sprintf(say.in(s.Lang), strings.Join(parts, "  "))))
}
