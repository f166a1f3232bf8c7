package userland

import (
	"bufio"
	"io"
	"os"
	"strings"

	"github.com/benhoyt/goawk/interp"
	"github.com/benhoyt/goawk/parser"
)

// runAwk is goawk, with the command line of POSIX around it.
func runAwk(p *Process) int {
	opts, operands, err := p.options("+F:v:f:", map[string]string{"field-separator": "F", "assign": "v", "file": "f"})
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	var source strings.Builder
	for _, name := range opts.values('f') {
		in, err := p.openInput(name)
		if err != nil {
			p.Fail("can't open file %s: %s", name, causeText(err))
			return 2
		}
		io.Copy(&source, in)
		in.Close()
		source.WriteByte('\n')
	}
	if !opts.has('f') {
		if len(operands) == 0 {
			p.Fail("no program text; usage: awk [-F fs] [-v var=value] 'program' [file ...]")
			return 2
		}
		source.WriteString(operands[0])
		operands = operands[1:]
	}
	program, err := parser.ParseProgram([]byte(source.String()), nil)
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	config := &interp.Config{Stdin: p.Stdin, Output: p.Stdout, Error: p.Stderr, Argv0: "awk", Args: operands, Environ: environPairs()}
	for _, assignment := range opts.values('v') {
		name, value, ok := strings.Cut(assignment, "=")
		if !ok {
			p.Fail("`%s' is not a variable assignment", assignment)
			return 2
		}
		config.Vars = append(config.Vars, name, value)
	}
	if opts.has('F') {
		separator := opts.value('F')
		if separator == "t" {
			separator = "\t"
		}
		config.Vars = append(config.Vars, "FS", separator)
	}
	out := bufio.NewWriter(p.Stdout)
	config.Output = out
	code, err := interp.ExecProgram(program, config)
	out.Flush()
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	return code
}

func environPairs() []string {
	var pairs []string
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		pairs = append(pairs, name, value)
	}
	return pairs
}
