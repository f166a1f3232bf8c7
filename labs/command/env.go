// Package command is what all commands of the command line share: where they read and write, how they explain
// themselves, and the engine they work with.
package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"sandbox/cgroup"
	"sandbox/image"
	"sandbox/kernel"
	"sandbox/kernel/container"
)

// Env is a command's world. The flags that every command has write into it.
type Env struct {
	In       *os.File
	Out, Err io.Writer
	Root     string // --root
	Explain  string // --explain: "", "text" or "json"
	Lang     string // --lang: "zh" or "en"
	Labs     string // --labs of `lab`: a directory of labs that are not built in

	engine    *container.Engine
	explainer *Explainer
}

// NewEnv is the world of a real process.
func NewEnv() *Env {
	return &Env{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Root: os.Getenv("SANDBOX_ROOT"), Explain: os.Getenv("SANDBOX_EXPLAIN"), Labs: os.Getenv("SANDBOX_LABS")}
}

// Language of explanations and lessons: --lang, else what the locale says.
func (e *Env) Language() string {
	for _, value := range []string{e.Lang, os.Getenv("SANDBOX_LANG"), os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")} {
		if value != "" {
			if strings.HasPrefix(value, "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}

// Width is how many columns there are to print on: the terminal's, 80 where there is none.
func (e *Env) Width() int {
	if file, ok := e.Out.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// Engine is made when a command first needs it.
func (e *Env) Engine() *container.Engine {
	if e.engine == nil {
		paths := container.DefaultPaths(e.Root)
		e.engine = &container.Engine{
			Paths: paths, Images: &image.Store{Dir: paths.State, InUse: paths.ImageInUse}, Host: container.ThisHost(), Groups: cgroup.Detect(),
			Door: &kernel.Door{Process: "client", Language: e.Language(), Tell: e.Tell()},
		}
	}
	return e.engine
}

// Tell is where steps are told of; nil without --explain.
func (e *Env) Tell() func(kernel.Record) {
	if e.Explain == "" {
		return nil
	}
	if e.explainer == nil {
		e.explainer = &Explainer{Out: e.Err, JSON: e.Explain == "json", Language: e.Language()}
	}
	return e.explainer.Tell
}

// Note tells of something that is no system call: an HTTP request, a decision of the build cache.
func (e *Env) Note(section, line string, why kernel.Why) {
	if e.Explain != "" {
		e.Engine().Door.Note(section, line, why)
	}
}

// CheckExplain refuses forms of --explain that do not exist, and languages that we do not speak.
func (e *Env) CheckExplain() error {
	if e.Lang != "" && !strings.HasPrefix(e.Lang, "zh") && !strings.HasPrefix(e.Lang, "en") {
		return kernel.Advise(fmt.Errorf("no lessons or explanations in %q", e.Lang), "--lang zh or --lang en")
	}
	if e.Explain != "" && e.Explain != "text" && e.Explain != "json" {
		return kernel.Advise(fmt.Errorf("invalid form of explanation: %q", e.Explain), "--explain (text) or --explain=json")
	}
	return nil
}

// ExitCode is an error that only sets the program's exit code: a container's own, say.
type ExitCode int

func (c ExitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// Failed is the exit code for errors of the runtime itself before a container has run, as Docker has it.
const Failed = 125

// Report prints an error, one line for the cause and one for the cure, and returns the program's exit code.
func Report(w io.Writer, err error, usual int) int {
	var code ExitCode
	if errors.As(err, &code) {
		return int(code)
	}
	fmt.Fprintf(w, "%s: %v\n", Program(), err)
	if cure := CureOf(err); cure != "" {
		fmt.Fprintf(w, "  → %s\n", Renamed(cure, Program()))
	}
	var advice *kernel.Advice
	if errors.As(err, &advice) && advice.Code != 0 {
		return advice.Code
	}
	return usual
}

// Remark says something that is no error of the command's own, in the same form; nothing if there is nothing to say.
func Remark(w io.Writer, remark error) {
	if remark != nil {
		Report(w, remark, 0)
	}
}

// CureOf is what the user can do about an error.
func CureOf(err error) string {
	var missing *container.ErrNotFound
	if errors.As(err, &missing) {
		return "sandbox ps -a   lists the containers"
	}
	return kernel.CureOf(err)
}

// atOnce is how many of several containers EachAtOnce works on at the same time.
const atOnce = 50

// EachAtOnce does something that may take its time to several containers at the same time, and prints the name of each that it
// was done to, in their order. An error does not keep it from the others.
func (e *Env) EachAtOnce(refs []string, do func(ref string) error) error {
	e.Engine() // made here, and not by several of them
	results := make([]chan error, len(refs))
	for i := range results {
		results[i] = make(chan error, 1)
	}
	places := make(chan struct{}, atOnce)
	go func() {
		for i, ref := range refs {
			places <- struct{}{}
			go func() {
				results[i] <- do(ref)
				<-places
			}()
		}
	}()
	next := 0
	return e.Each(refs, func(ref string) error {
		err := <-results[next]
		next++
		if err == nil {
			fmt.Fprintln(e.Out, ref)
		}
		return err
	})
}

// Each does something to each of several containers, as rm and stop do: an error does not keep it from the next ones.
func (e *Env) Each(refs []string, do func(ref string) error) error {
	failed := false
	for _, ref := range refs {
		if err := do(ref); err != nil {
			Report(e.Err, err, 1)
			failed = true
		}
	}
	if failed {
		return ExitCode(1)
	}
	return nil
}
