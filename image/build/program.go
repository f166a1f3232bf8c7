package build

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"sandbox/image"
	"sandbox/kernel"
)

// program is a Dockerfile that has been read.
type program struct {
	name   string   // as messages call the file
	lines  []string // its text
	escape rune     // # escape=
	syntax string   // # syntax=, which chooses an interpreter elsewhere; this one is always the same
	warned []string // what the parser does not like and accepts
	meta   []instructions.ArgCommand
	stages []instructions.Stage
}

// parse reads a Dockerfile.
func parse(name string, text []byte) (*program, error) {
	p := &program{name: name, lines: strings.Split(string(text), "\n")}
	tree, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, p.locate(err)
	}
	p.escape = tree.EscapeToken
	for _, w := range tree.Warnings {
		p.warned = append(p.warned, w.Short)
	}
	p.syntax, _, _, _ = parser.DetectSyntax(text)
	p.stages, p.meta, err = instructions.Parse(tree.AST, nil)
	if err != nil {
		return nil, p.locate(err)
	}
	if len(p.stages) == 0 {
		last := tree.AST.Children[len(tree.AST.Children)-1]
		return nil, kernel.Advise(p.at(last.Location(), errors.New("no FROM: nothing says which image to start from")), "begin with FROM base, or FROM scratch for an empty one")
	}
	return p, nil
}

// Problem is something wrong in a Dockerfile, at a place.
type Problem struct {
	File  string
	Line  int    // from 1; 0 if it is not known
	Text  string // of that line
	From  int    // what in it is meant: from this byte
	To    int    // to this one
	Cause error
}

// Error has the line and a mark under what is meant in it.
func (p *Problem) Error() string {
	cause := printable(p.Cause.Error())
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, cause)
	}
	text, blank, mark := p.excerpt()
	return fmt.Sprintf("%s:%d: %s\n    %s\n    %s%s", p.File, p.Line, cause, text, blank, mark)
}

// maxShown is how much of a line, and of a message that quotes one, is shown: about as much as a terminal is wide, in characters.
const maxShown = 120

// excerpt is the line, or of a long one the part that is meant, and what is to be printed below it: blanks and a mark.
func (p *Problem) excerpt() (text, blank, mark string) {
	before, meant, after := []rune(printable(p.Text[:p.From])), []rune(printable(p.Text[p.From:p.To])), []rune(printable(p.Text[p.To:]))
	if len(meant) > maxShown {
		meant, after = meant[:maxShown], []rune("…")
	}
	if rest := maxShown - len(meant); len(after) > rest {
		after = append(after[:rest:rest], '…')
	}
	if rest := max(20, maxShown-len(meant)-len(after)); len(before) > rest {
		before = append([]rune("…"), before[len(before)-rest:]...)
	}
	blanks := slices.Clone(before)
	for i, r := range blanks {
		if r != '\t' {
			blanks[i] = ' '
		}
	}
	return string(before) + string(meant) + string(after), string(blanks), strings.Repeat("^", max(1, len(meant)))
}

// printable keeps what a file may hold from doing anything to the terminal, and from filling it.
func printable(text string) string {
	if len(text) > 1<<16 {
		text = text[:1<<16]
	}
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) && r != '\t' && r != '\n' {
			return '?'
		}
		return r
	}, text)
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// at says where something is wrong. What is meant is the instruction's name, unless the message quotes a word of the line.
func (p *program) at(location []parser.Range, cause error) error {
	if before, suggestion := cutSuggestion(cause.Error()); suggestion != "" {
		return kernel.Advise(p.at(location, errors.New(before)), "%s", suggestion)
	}
	problem := &Problem{File: p.name, Cause: cause}
	if len(location) == 0 || location[0].Start.Line < 1 || location[0].Start.Line > len(p.lines) {
		return problem
	}
	problem.Line = location[0].Start.Line
	problem.Text = strings.TrimRight(p.lines[problem.Line-1], " \t\r")
	problem.From, problem.To = meant(problem.Text, cause.Error())
	return problem
}

// locate is at for errors of the parser, which know where they are, in words of our own.
func (p *program) locate(err error) error {
	var location []parser.Range
	var located *parser.LocationError
	if errors.As(err, &located) && len(located.Locations) > 0 {
		location = located.Locations[0]
	}
	message := shortened(linePrefix().ReplaceAllString(err.Error(), ""))
	cure := "the language is described at docs.docker.com/reference/dockerfile"
	var unknown *instructions.UnknownInstructionError
	switch {
	case errors.As(err, &unknown):
		message, cure = "unknown instruction: "+shortened(unknown.Instruction), nearestInstruction(unknown.Instruction)
	case strings.Contains(message, "no instructions"):
		message, cure = "the file has no instructions", "begin with FROM base"
	case strings.Contains(message, "no build stage in current context"):
		message, cure = "an instruction before FROM", "begin with FROM; only ARG may come before it"
	case strings.HasPrefix(message, "unknown flag"), strings.HasPrefix(message, "Unknown flag"):
		message, cure = strings.ToLower(message[:1])+message[1:], "flags of instructions come before their arguments: COPY --from=build /a /b"
	case strings.Contains(message, "unterminated heredoc"):
		cure = "end it with a line that has nothing but its name"
	case strings.Contains(message, "can't find = in"):
		cure = `quotes hold a value of several words together: NAME="one two three"`
	case strings.Contains(message, "escape token"):
		cure = "# escape=` or # escape=\\"
	}
	if before, suggestion := cutSuggestion(message); suggestion != "" {
		message, cure = before, suggestion
	}
	return kernel.Advise(p.at(location, errors.New(message)), "%s", cure)
}

// cutSuggestion takes out of a message of the parser what it thinks was meant.
func cutSuggestion(message string) (rest, suggestion string) {
	before, suggestion, found := strings.Cut(message, " (did you mean ")
	if !found {
		return message, ""
	}
	suggestion = strings.TrimSuffix(suggestion, "?)")
	if strings.HasPrefix(message, "unknown flag") {
		suggestion = "--" + suggestion
	}
	return before, "did you mean " + suggestion + "?"
}

// shortened keeps a message to a line that can be read.
func shortened(message string) string {
	if runes := []rune(message); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return message
}

// linePrefix is what the parser puts before its messages; the place is said in another form here.
func linePrefix() *regexp.Regexp {
	return regexp.MustCompile(`^dockerfile parse error on line \d+: `)
}

// meant finds what a message is about in a line: the longest word, or part of a flag, that the message quotes or at least names, or else
// the line's first word.
func meant(text, message string) (from, to int) {
	from = len(text) - len(strings.TrimLeft(text, " \t"))
	to = from + len(firstWord(text[from:]))
	best := 0
	at := to
	for _, word := range strings.Fields(text[to:]) {
		at += strings.Index(text[at:], word)
		parts := append([]string{word}, strings.FieldsFunc(word, func(r rune) bool { return r == '=' || r == ',' })...) // of a flag
		for _, part := range parts {
			bare := strings.Trim(part, `"'[],`)
			weight := 0
			switch {
			case bare != "" && strings.Contains(message, strconv.Quote(bare)):
				weight = len(message) + len(part)
			case mentions(message, bare), mentions(message, strings.TrimPrefix(bare, "/")): // a context's root is no part of a source's name
				weight = len(part)
			}
			if weight > best {
				start := at + strings.Index(word, part)
				best, from, to = weight, start, start+len(part)
			}
		}
		at += len(word)
	}
	return from, to
}

// mentions tells whether a message quotes a word, not whether it happens to contain it.
func mentions(message, word string) bool {
	if len(word) < 2 {
		return false
	}
	for rest := message; ; {
		i := strings.Index(rest, word)
		if i < 0 {
			return false
		}
		end := i + len(word)
		if (i == 0 || isBoundary(rest[i-1])) && (end == len(rest) || isBoundary(rest[end])) {
			return true
		}
		rest = rest[i+1:]
	}
}

func isBoundary(c byte) bool { return strings.IndexByte(" \"'`():,", c) >= 0 }

func firstWord(s string) string {
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i]
	}
	return s
}

// instructionNames are the language's, in the order of the Dockerfile reference.
func instructionNames() []string {
	return strings.Fields("ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR")
}

// nearestInstruction is a hint for a name that does not exist.
func nearestInstruction(name string) string {
	for _, known := range instructionNames() {
		if rest, begins := strings.CutPrefix(strings.ToUpper(name), known); begins && rest != "" && !unicode.IsLetter(rune(rest[0])) {
			return "a space is missing after " + known
		}
	}
	if near := image.Nearest(strings.ToUpper(name), instructionNames()); len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	return "a line that goes on ends with \\; the instructions are " + strings.Join(instructionNames(), " ")
}
