// Package shell is sh of the built-in image `base`: mvdan.cc/sh parses and interprets, and this package adds what
// makes a shell out of an interpreter.
//
// The interpreter knows the language: words, loops, functions, pipes. It does not know processes. So this package
// adds, file by file:
//
//	rewrite.go      turns what the interpreter cannot do (`cmd &`, $!, time) into calls of our own builtins
//	call.go         looks at every command before it runs: ours or the interpreter's? is a trap due?
//	external.go     starts programs, replaces the shell by one (exec), tells "not found" from "not executable"
//	jobs.go         background processes: jobs, wait, fg, kill %1
//	signals.go      traps, Ctrl-C, and being process 1 of a container
//	interactive.go  the prompt, with editor.go and complete.go for the line that is being typed
//
// The interpreter runs subshells as goroutines of one process. That shows nowhere except that $(…) and (…) have the
// process id of their shell, as $$ has in every shell.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/term"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// Shell is one shell process.
type Shell struct {
	name        string // what error messages begin with, and $0 unless a script gives another
	interactive bool
	stdin       io.Reader
	stdout      io.Writer
	stderr      io.Writer
	runner      *interp.Runner

	code       int  // exit code of the last statement
	heedsCtrlC bool // SIGINT ends what runs
	atLast     bool // the next command is the last of a -c string, and may take over this process
	exitTrap   bool

	mu         sync.Mutex // for what follows: pipes and signals make several goroutines
	jobs       []*job
	lastPID    int // $!
	foreground int // programs that the shell waits for
	interrupt  context.CancelFunc
	stopping   bool          // Ctrl-C was typed, and what it is to stop has not begun
	atPrompt   bool          // a line is being typed: Ctrl-C is a key
	nextCtrlC  chan struct{} // closed by the next Ctrl-C, which makes another one
	killedBy   os.Signal     // what ended the last foreground program, nil if it left by itself
	traps      map[os.Signal]string
	pending    []os.Signal // arrived, and their trap not yet run
	signals    chan os.Signal
	allHeard   chan struct{} // closed when what was in signals has been received
	arrived    chan struct{} // gets a token when a trap becomes due, for `wait`
	children   map[int]bool  // processes that somebody waits for; process 1 reaps the others
	timers     []timer
	history    []string
	sourced    []*os.File // rewritten texts of `source`, which live in memory
}

// Main is the program `sh`: args[0] is its name, and the result is its exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return besideFirstThread(func() int { return main(args, stdin, stdout, stderr) })
}

func main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	name := strings.TrimPrefix(filepath.Base(args[0]), "-")
	inv, err := parseInvocation(args)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 2
	}
	s := &Shell{
		name: name, stdin: stdin, stdout: stdout, stderr: stderr,
		interrupt: func() {},
		traps:     map[os.Signal]string{},
		arrived:   make(chan struct{}, 1),
		nextCtrlC: make(chan struct{}),
		children:  map[int]bool{},
	}
	s.interactive = inv.command == nil && inv.file == "" && isTerminal(stdin) && isTerminal(stderr)
	if err := s.prepare(inv); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 2
	}
	s.watchSignals()
	if inv.login {
		s.sourceProfile()
	}
	switch {
	case inv.command != nil:
		return s.runString(*inv.command)
	case inv.file != "":
		return s.runFile(inv.file)
	case s.interactive:
		return s.converse()
	}
	return s.runStdin()
}

// invocation is a command line: `sh -eux -c CMD name args…`, `sh FILE args…`, `sh -s args…`.
type invocation struct {
	command *string
	file    string
	name    string
	params  []string
	set     []string // -e, -u, +x …: for the interpreter
	login   bool
}

func parseInvocation(args []string) (*invocation, error) {
	inv := &invocation{name: args[0], login: strings.HasPrefix(filepath.Base(args[0]), "-")}
	rest := args[1:]
	wantsCommand, wantsStdin := false, false
	for len(rest) > 0 && len(rest[0]) > 1 && strings.ContainsRune("-+", rune(rest[0][0])) {
		arg := rest[0]
		rest = rest[1:]
		if arg == "--" {
			break
		}
		switch arg {
		case "--login":
			inv.login = true
			continue
		case "--norc", "--noprofile", "--posix":
			continue
		case "-o", "+o":
			if len(rest) == 0 {
				return nil, fmt.Errorf("%s: option requires an argument", arg)
			}
			inv.set = append(inv.set, arg, rest[0])
			rest = rest[1:]
			continue
		}
		for _, letter := range arg[1:] {
			switch letter {
			case 'c':
				wantsCommand = true
			case 's':
				wantsStdin = true
			case 'l':
				inv.login = true
			case 'i', 'm', 'h', 'B':
				// A terminal decides whether we are interactive; the others are on anyway, or mean nothing here.
			case 'a', 'e', 'f', 'n', 'u', 'x':
				inv.set = append(inv.set, arg[:1]+string(letter))
			default:
				return nil, fmt.Errorf("invalid option -- '%c'", letter)
			}
		}
	}
	return inv, inv.takeOperands(rest, wantsCommand, wantsStdin)
}

func (inv *invocation) takeOperands(rest []string, wantsCommand, wantsStdin bool) error {
	switch {
	case wantsCommand:
		if len(rest) == 0 {
			return errors.New("-c requires an argument")
		}
		inv.command = &rest[0]
		rest = rest[1:]
		if len(rest) > 0 {
			inv.name, rest = rest[0], rest[1:]
		}
	case !wantsStdin && len(rest) > 0:
		inv.file, inv.name = rest[0], rest[0]
		rest = rest[1:]
	}
	inv.params = rest
	return nil
}

// prepare makes the interpreter and gives it its first variables.
func (s *Shell) prepare(inv *invocation) error {
	dir, err := os.Getwd()
	if err != nil {
		dir = "/" // the directory is gone, or not ours to see: a shell starts all the same
	}
	environ, inherited := inheritedState()
	s.runner, err = interp.New(
		interp.Env(expand.ListEnviron(environ...)),
		interp.Dir(dir),
		interp.StdIO(s.stdin, s.stdout, s.stderr),
		interp.Interactive(true), // aliases work everywhere, as in POSIX shells
		interp.CallHandler(s.beforeCall),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return s.exec }),
		interp.OpenHandler(s.open),
		interp.Params(append([]string{"--"}, inv.params...)...),
	)
	if err != nil {
		return err
	}
	names := fmt.Sprintf("%s=%s %s=%d\n", nameVariable, quote(inv.name), pidVariable, os.Getpid())
	if err := s.runQuietly(names + inherited); err != nil {
		return err
	}
	return interp.Params(inv.set...)(s.runner) // after, so that -x does not show our own
}

// runQuietly runs text of our own making.
func (s *Shell) runQuietly(text string) error {
	file, err := newParser().Parse(strings.NewReader(text), "")
	if err != nil {
		return err
	}
	for _, stmt := range file.Stmts {
		s.runner.Run(context.Background(), stmt)
	}
	return nil
}

func newParser() *syntax.Parser {
	return syntax.NewParser(syntax.Variant(syntax.LangBash))
}

// runString runs the -c string. Its last command need not come back to this shell: it may replace it.
func (s *Shell) runString(text string) int {
	file, err := newParser().Parse(strings.NewReader(text), "")
	if err != nil {
		return s.syntaxError(err)
	}
	for i, stmt := range file.Stmts {
		rewrite(stmt)
		_, simple := stmt.Cmd.(*syntax.CallExpr)
		s.atLast = simple && i == len(file.Stmts)-1 && !stmt.Negated && !hasHereDocument(stmt)
		if s.run(stmt) {
			return s.code
		}
	}
	return s.leave()
}

// hasHereDocument: somebody has to write it into the program's standard input, so that the shell is needed.
func hasHereDocument(stmt *syntax.Stmt) bool {
	return slices.ContainsFunc(stmt.Redirs, func(r *syntax.Redirect) bool {
		return r.Op == syntax.Hdoc || r.Op == syntax.DashHdoc || r.Op == syntax.WordHdoc
	})
}

// runFile runs a script, statement by statement: what comes before a syntax error is done, as in every shell.
func (s *Shell) runFile(path string) int {
	f, err := os.Open(path)
	if err != nil {
		fmt.Fprintf(s.stderr, "%s: %s: %s\n", s.name, path, describe(err))
		if errors.Is(err, os.ErrNotExist) {
			return 127
		}
		return 126
	}
	defer f.Close()
	for stmt, err := range newParser().StmtsSeq(f) {
		if err != nil {
			return s.syntaxError(err)
		}
		rewrite(stmt)
		if s.run(stmt) {
			return s.code
		}
	}
	return s.leave()
}

// runStdin runs commands as they come in, and leaves the rest of the input to the programs that they start.
func (s *Shell) runStdin() int {
	for stmts, err := range newParser().InteractiveSeq(&lineReader{r: s.stdin}) {
		if err != nil {
			return s.syntaxError(err)
		}
		for _, stmt := range stmts {
			rewrite(stmt)
			if s.run(stmt) {
				return s.code
			}
		}
	}
	return s.leave()
}

// lineReader hands out a line at a time, and reads no further: in `sh <script`, a `read` in the script must find the
// script's next line. To the last line it adds the line end that tells the parser that a command is complete.
type lineReader struct {
	r    io.Reader
	last byte
}

func (l *lineReader) Read(p []byte) (int, error) {
	for n := range p {
		k, err := l.r.Read(p[n : n+1])
		switch {
		case k == 0 && n > 0 && err != nil:
			return n, nil // the error comes again
		case k == 0 && err != nil && l.last != 0 && l.last != '\n':
			p[0], l.last = '\n', '\n'
			return 1, nil
		case k == 0 && err != nil:
			return 0, err
		}
		if l.last = p[n]; l.last == '\n' {
			return n + 1, nil
		}
	}
	return len(p), nil
}

func (s *Shell) syntaxError(err error) int {
	fmt.Fprintf(s.stderr, "%s: syntax error: %v\n", s.name, err)
	s.code = 2
	return 2
}

// sourceProfile reads what a login shell reads; it matters to few that a container has none.
func (s *Shell) sourceProfile() {
	for _, path := range []string{"/etc/profile", filepath.Join(os.Getenv("HOME"), ".profile")} {
		if _, err := os.Stat(path); err == nil {
			s.runQuietly(". " + quote(path))
		}
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
