package course

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Session is one learner at one terminal, or a pipe. In, Out, Err, Lang and Shell are needed always, Marks for the
// exercises; Lessons (see Library) is the built-in course if nil.
type Session struct {
	In       io.Reader
	Out, Err io.Writer
	Terminal bool // In and Out are a terminal: ask, and wait for the answer
	Width    int  // columns; 0 is 80
	Height   int  // rows; 0: text does not wait at the end of the screen
	Color    bool // the caller has looked at NO_COLOR
	Lang     Lang
	Explain  Narrator // every sandbox in a step says what it does to the machine; nil if they are to be quiet

	Lessons     fs.FS
	Shell       []string // argv to which a command line is added: {"/bin/sh", "-c"}
	Interactive []string // argv of the shell that `!` opens; Shell[0] if empty
	Env         []string // environment of everything that is run
	Progress    string   // the file that remembers what has been done; none if empty

	// Marks is a directory that lives as long as the world in which the lesson takes place. A file in it says that an
	// exercise has been set up there, which must not happen twice.
	Marks string

	// Seed draws the parameters of exercises; PlainSeed if empty.
	Seed string

	text  *renderer // made when the first text is shown
	shown int       // rows printed since the learner was last asked something
	away  bool      // the learner has left in the middle of a text
	heard io.Writer // also gets what a step prints; nil if nobody wants it

	interrupts chan os.Signal // Ctrl-C and Ctrl-\, while they are heard
}

// ErrStep is returned when a lesson has been run and a step of it has not ended as the lesson says.
var ErrStep = errors.New("not every step did what it should")

func (s *Session) width() int {
	if s.Width > 0 {
		return s.Width
	}
	return 80
}

func (s *Session) load(number string) (*Lesson, error) {
	if s.Lessons == nil {
		s.Lessons = Lessons()
	}
	chapter, _ := splitNumber(number)
	if _, err := FindLab(s.Lessons, chapter); err != nil {
		return nil, err
	}
	return Load(s.Lessons, chapter, s.Lang, s.Seed)
}

// say prints one line in the learner's language; the phrase, not what is put into it, is Markdown.
func (s *Session) say(p phrase, args ...any) {
	fmt.Fprintf(s.Out, s.inline(p.in(s.Lang))+"\n", args...)
}

// inline is Markdown that stands in a line with other things.
func (s *Session) inline(markdown string) string {
	return strings.Join(s.markdown().lines(markdown, math.MaxInt), " ")
}

// show prints Markdown.
func (s *Session) show(markdown string) {
	if markdown == "" {
		return
	}
	s.print(s.markdown().render(markdown) + "\n")
}

func (s *Session) markdown() *renderer {
	if s.text == nil {
		s.text = newRenderer(s.width(), s.Color)
	}
	return s.text
}

// paint gives text a style where colours are wanted.
func (s *Session) paint(st style, text string) string {
	if !s.Color {
		return text
	}
	return st.on() + text + styleOff
}

// command prepares a shell to run one command line.
func (s *Session) command(ctx context.Context, line string) *exec.Cmd {
	argv := append(slices.Clone(s.Shell), line)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(slices.Clone(s.Env), "SANDBOX_LANG="+string(s.Lang)) // explanations in the lesson's language
	return cmd
}

// succeeds runs a command line unseen and says whether it ended with status 0.
func (s *Session) succeeds(ctx context.Context, line string) (bool, error) {
	status, err := s.wait(ctx, s.command(ctx, line))
	return status == 0, err
}

// capture runs a command line unseen and returns what it printed, standard output and error apart.
func (s *Session) capture(ctx context.Context, line string) (stdout, stderr string, err error) {
	var out, complaint strings.Builder
	cmd := s.command(ctx, line)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	_, err = s.wait(ctx, cmd)
	return strings.TrimSpace(out.String()), strings.TrimSpace(complaint.String()), err
}
