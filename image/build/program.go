package build

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

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
	if p.Line == 0 {
		return fmt.Sprintf("%s: %v", p.File, p.Cause)
	}
	blank := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, p.Text[:p.From])
	mark := strings.Repeat("^", max(1, len([]rune(p.Text[p.From:p.To]))))
	return fmt.Sprintf("%s:%d: %v\n    %s\n    %s%s", p.File, p.Line, p.Cause, p.Text, blank, mark)
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// at says where something is wrong. What is meant is the instruction's name, unless the message quotes a word of the line.
func (p *program) at(location []parser.Range, cause error) error {
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
	message := linePrefix().ReplaceAllString(err.Error(), "")
	cure := "the language is described at docs.docker.com/reference/dockerfile"
	var unknown *instructions.UnknownInstructionError
	switch {
	case errors.As(err, &unknown):
		message, cure = "unknown instruction: "+unknown.Instruction, nearestInstruction(unknown.Instruction)
	case strings.Contains(message, "no instructions"):
		message, cure = "the file has no instructions", "begin with FROM base"
	case strings.Contains(message, "no build stage in current context"):
		message, cure = "an instruction before FROM", "begin with FROM; only ARG may come before it"
	case strings.HasPrefix(message, "unknown flag"), strings.HasPrefix(message, "Unknown flag"):
		message, cure = strings.ToLower(message[:1])+message[1:], "flags of instructions come before their arguments: COPY --from=build /a /b"
	case strings.Contains(message, "unterminated heredoc"):
		cure = "end it with a line that has nothing but its name"
	case strings.Contains(message, "escape token"):
		cure = "# escape=` or # escape=\\"
	}
	if before, suggestion, found := strings.Cut(message, " (did you mean "); found {
		suggestion = strings.TrimSuffix(suggestion, "?)")
		if strings.HasPrefix(message, "unknown flag") {
			suggestion = "--" + suggestion
		}
		message, cure = before, "did you mean "+suggestion+"?"
	}
	return kernel.Advise(p.at(location, errors.New(message)), "%s", cure)
}

// linePrefix is what the parser puts before its messages; the place is said in another form here.
func linePrefix() *regexp.Regexp {
	return regexp.MustCompile(`^dockerfile parse error on line \d+: `)
}

// meant finds what a message is about in a line: a word of it that the message names, or else its first word.
func meant(text, message string) (from, to int) {
	from = len(text) - len(strings.TrimLeft(text, " \t"))
	to = from + len(firstWord(text[from:]))
	longest := 0
	at := to
	for _, word := range strings.Fields(text[to:]) {
		at += strings.Index(text[at:], word)
		name, _, _ := strings.Cut(word, "=") // of a flag
		for _, part := range []string{word, name} {
			if len(part) > longest && mentions(message, strings.Trim(part, `"'[],`)) {
				longest, from, to = len(part), at, at+len(part)
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
	if near := image.Nearest(strings.ToUpper(name), instructionNames()); len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	return "a line that goes on ends with \\; the instructions are " + strings.Join(instructionNames(), " ")
}
