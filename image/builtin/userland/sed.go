package userland

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// runSed is the stream editor. A script is parsed into commands (sed_parse.go) that are run for each line (sed_run.go).
func runSed(p *Process) int {
	opts, operands, err := p.options("ne:f:i::Ersuz", map[string]string{"quiet": "n", "silent": "n", "expression": "e",
		"file": "f", "in-place": "i", "regexp-extended": "E", "separate": "s", "unbuffered": "u", "null-data": "z"})
	if err != nil {
		return p.Fail("%v", err)
	}
	script, operands, err := sedScript(opts, operands)
	if err != nil {
		return p.Fail("%v", err)
	}
	quiet := opts.has('n')
	if strings.HasPrefix(script, "#n\n") {
		quiet = true
	}
	parser := &sedParser{rest: script, extended: opts.last("Er") != 0}
	commands, err := parser.parse()
	if err != nil {
		return p.Fail("-e expression #1, char %d: %v", len(script)-len(parser.rest), err)
	}
	defer closeSedFiles(commands)
	if !opts.has('i') && !opts.has('s') {
		s := &sed{p: p, commands: commands, quiet: quiet, out: bufio.NewWriter(p.Stdout)}
		defer s.out.Flush()
		return s.edit(operands)
	}
	code := 0
	for _, name := range operands {
		s := &sed{p: p, commands: commands, quiet: quiet, out: bufio.NewWriter(p.Stdout)}
		if opts.has('i') {
			code = max(code, s.editInPlace(name, opts.value('i')))
		} else {
			code = max(code, s.edit([]string{name}))
			s.out.Flush()
		}
		if s.quit {
			break
		}
	}
	return code
}

// sedScript joins what -e and -f give; without them the first operand is the script.
func sedScript(opts *options, operands []string) (string, []string, error) {
	var pieces []string
	for _, flag := range opts.found {
		switch flag.letter {
		case 'e':
			pieces = append(pieces, flag.value)
		case 'f':
			text, err := os.ReadFile(flag.value)
			if err != nil {
				return "", nil, fmt.Errorf("couldn't open file %s: %s", flag.value, causeText(err))
			}
			pieces = append(pieces, strings.TrimSuffix(string(text), "\n"))
		}
	}
	if len(pieces) == 0 {
		if len(operands) == 0 {
			return "", nil, errors.New("no script specified")
		}
		return operands[0], operands[1:], nil
	}
	return strings.Join(pieces, "\n"), operands, nil
}

func closeSedFiles(commands []*sedCommand) {
	for _, c := range commands {
		if c.file != nil {
			c.file.Close()
		}
	}
}

// editInPlace writes to a new file, which takes the old one's name, and its mode, when it is complete.
func (s *sed) editInPlace(name, suffix string) int {
	info, err := os.Stat(name)
	if err != nil {
		return s.p.Fail("can't read %s: %s", name, causeText(err))
	}
	if !info.Mode().IsRegular() {
		return s.p.Fail("couldn't edit %s: not a regular file", name)
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), "sed")
	if err != nil {
		return s.p.Fail("couldn't open temporary file: %s", causeText(err))
	}
	defer os.Remove(temporary.Name()) // it is gone if all went well
	s.out = bufio.NewWriter(temporary)
	code := s.edit([]string{name})
	stat := info.Sys().(*syscall.Stat_t)
	temporary.Chown(int(stat.Uid), int(stat.Gid)) // not for an ordinary user
	temporary.Chmod(info.Mode())
	err = errors.Join(s.out.Flush(), temporary.Close())
	if err == nil && suffix != "" {
		backup := name + suffix
		if strings.Contains(suffix, "*") {
			backup = strings.ReplaceAll(suffix, "*", filepath.Base(name))
		}
		err = os.Rename(name, backup)
	}
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return s.p.Fail("%s: %s", name, causeText(err))
	}
	return code
}
