package shell

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
	"mvdan.cc/sh/v3/syntax"
)

// converse is the shell that a person sits at: it prompts, reads a command, which may take several lines, and runs it.
func (s *Shell) converse() int {
	terminal := s.stdin.(*os.File)
	modes, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		return s.runStdin()
	}
	ed := &editor{in: terminal, out: s.stderr, history: &s.history, complete: s.complete, keys: s.takeKeys}
	for {
		s.reportEnded()
		stmts, err := s.readCommand(ed)
		if err == io.EOF {
			fmt.Fprintln(s.stderr, "exit")
			break
		}
		if err != nil {
			continue
		}
		if exited := s.runAll(stmts); exited {
			return s.code
		}
		modes = s.settleTerminal(int(terminal.Fd()), modes)
	}
	return s.leave()
}

// takeKeys: as long as a line is typed, Ctrl-C is a key like any other. A signal that comes now is that of a Ctrl-C of before, as is one
// that came a moment ago: it has nothing to stop.
func (s *Shell) takeKeys(on bool) {
	s.mu.Lock()
	s.atPrompt = on
	if on {
		s.stopping = false
	}
	s.mu.Unlock()
}

// forgiveInterrupt: what Ctrl-C was to stop has stopped.
func (s *Shell) forgiveInterrupt() {
	s.mu.Lock()
	s.stopping = false
	s.mu.Unlock()
}

func (s *Shell) runAll(stmts []*syntax.Stmt) (exited bool) {
	for _, stmt := range stmts {
		s.killedBy = nil
		rewrite(stmt)
		if s.run(stmt) {
			return true
		}
		if s.code == 128+int(syscall.SIGINT) {
			break // Ctrl-C is meant for the whole line
		}
	}
	// The process follows the interpreter, for those who look from outside: /proc/PID/cwd, "target is busy".
	os.Chdir(s.runner.Dir)
	return false
}

// settleTerminal puts the terminal right after a program that was killed and could not do so itself. What a program
// that left in peace has changed, it has meant to change: `stty -echo`.
func (s *Shell) settleTerminal(fd int, modes *term.State) *term.State {
	if s.killedBy != nil {
		term.Restore(fd, modes)
		return modes
	}
	if current, err := term.GetState(fd); err == nil {
		return current
	}
	return modes
}

// errAgain asks for a fresh prompt: after Ctrl-C, or a syntax error that has been reported.
var errAgain = errors.New("prompt again")

// readCommand reads lines until they are a whole command: quotes closed, loops ended, here-documents complete.
func (s *Shell) readCommand(ed *editor) ([]*syntax.Stmt, error) {
	text := ""
	prompt := s.prompt()
	for {
		line, err := ed.readLine(prompt)
		switch {
		case err == errInterrupted:
			s.setStatus(128 + int(syscall.SIGINT))
			return nil, errAgain
		case err != nil && text != "":
			s.syntaxError(errors.New("unexpected end of file"))
			return nil, errAgain
		case err != nil:
			return nil, err
		}
		text += line + "\n"
		file, err := newParser().Parse(strings.NewReader(text), "")
		if wantsMore(text, err) {
			prompt = "> "
			continue
		}
		s.remember(strings.TrimRight(text, "\n"))
		if err != nil {
			s.syntaxError(err)
			s.setStatus(2)
			return nil, errAgain
		}
		return file.Stmts, nil
	}
}

func wantsMore(text string, err error) bool {
	if err != nil {
		return syntax.IsIncomplete(err) || strings.Contains(err.Error(), "unclosed here-document")
	}
	backslashes := len(text) - 1 - len(strings.TrimRight(text[:len(text)-1], `\`))
	return backslashes%2 == 1
}

// remember keeps a command for the up arrow. History lives in memory: a file of it would be a change to the container
// that its user did not make.
func (s *Shell) remember(text string) {
	if strings.TrimSpace(text) == "" || strings.HasPrefix(text, " ") {
		return
	}
	if n := len(s.history); n > 0 && s.history[n-1] == text {
		return
	}
	s.history = append(s.history, text)
}

// prompt is $PS1 with the usual escapes, or root@3f2a61b09c1d:/#
func (s *Shell) prompt() string {
	ps1 := `\u@\h:\w\$ `
	if v := s.runner.Vars["PS1"]; v.IsSet() {
		ps1 = v.String()
	}
	var out strings.Builder
	for i := 0; i < len(ps1); i++ {
		if ps1[i] != '\\' || i+1 == len(ps1) {
			out.WriteByte(ps1[i])
			continue
		}
		i++
		out.WriteString(s.promptEscape(ps1[i]))
	}
	return out.String()
}

func (s *Shell) promptEscape(letter byte) string {
	switch letter {
	case 'u':
		return userName()
	case 'h', 'H':
		host, _ := os.Hostname()
		if letter == 'h' {
			host, _, _ = strings.Cut(host, ".")
		}
		return host
	case 'w', 'W':
		dir := s.runner.Dir
		if home := os.Getenv("HOME"); home != "/" && (dir == home || strings.HasPrefix(dir, home+"/")) {
			dir = "~" + dir[len(home):]
		}
		if letter == 'W' && dir != "/" {
			dir = filepath.Base(dir)
		}
		return dir
	case '$':
		if os.Geteuid() == 0 {
			return "#"
		}
		return "$"
	case 't':
		return time.Now().Format("15:04:05")
	case 'n':
		return "\n"
	case 'e':
		return "\x1b"
	case '[', ']': // they tell bash what takes no room; the editor sees that for itself
		return ""
	}
	return "\\" + string(letter)
}

func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "I have no name!" // as bash says of an id that /etc/passwd does not know
}
