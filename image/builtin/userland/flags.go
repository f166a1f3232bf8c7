package userland

import (
	"fmt"
	"sort"
	"strings"
)

// options are the flags found on a command line, in the way of getopt(3).
type options struct {
	found []flagValue // in the order typed, so that the last of several wins
}

type flagValue struct {
	letter rune
	value  string
}

// options splits p.Args[1:] into flags and operands.
//
// short lists the letters that are known: "ab:c::" has a plain, b with a value (-b5 or -b 5) and c with an optional one
// (-c5 only). A leading '+' ends the flags at the first operand, for commands that run another one: `env -i ls -l`.
// long maps long names to letters of short: {"lines": "n"} makes --lines=5 and --lines 5 the same as -n5.
func (p *Process) options(short string, long map[string]string) (*options, []string, error) {
	short, stopEarly := strings.CutPrefix(short, "+")
	opts := &options{}
	var operands []string
	args := p.Args[1:]
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			return opts, append(operands, args...), nil
		case strings.HasPrefix(arg, "--"):
			rest, err := opts.takeLong(arg[2:], args, short, long)
			if err != nil {
				return nil, nil, err
			}
			args = rest
		case len(arg) > 1 && arg[0] == '-':
			rest, err := opts.takeCluster(arg[1:], args, short)
			if err != nil {
				return nil, nil, err
			}
			args = rest
		case stopEarly:
			return opts, append([]string{arg}, args...), nil
		default:
			operands = append(operands, arg)
		}
	}
	return opts, operands, nil
}

// takeCluster reads `-la` or `-n5`, and returns the arguments that are left.
func (o *options) takeCluster(cluster string, rest []string, short string) ([]string, error) {
	for i, letter := range cluster {
		known, takes := describeFlag(short, letter)
		if !known {
			return nil, fmt.Errorf("invalid option -- '%c'", letter)
		}
		if takes == noValue {
			o.add(letter, "")
			continue
		}
		value := cluster[i+len(string(letter)):]
		if value == "" && takes == needsValue {
			if len(rest) == 0 {
				return nil, fmt.Errorf("option requires an argument -- '%c'", letter)
			}
			value, rest = rest[0], rest[1:]
		}
		o.add(letter, value)
		return rest, nil
	}
	return rest, nil
}

// takeLong reads `name`, `name=value`, or the beginning of a name if it is the beginning of only one.
func (o *options) takeLong(arg string, rest []string, short string, long map[string]string) ([]string, error) {
	name, value, hasValue := strings.Cut(arg, "=")
	letterOf, err := findLong(name, long)
	if err != nil {
		return nil, err
	}
	letter := []rune(letterOf)[0]
	_, takes := describeFlag(short, letter)
	switch {
	case takes == noValue && hasValue:
		return nil, fmt.Errorf("option '--%s' doesn't allow an argument", name)
	case takes == needsValue && !hasValue:
		if len(rest) == 0 {
			return nil, fmt.Errorf("option '--%s' requires an argument", name)
		}
		value, rest = rest[0], rest[1:]
	}
	o.add(letter, value)
	return rest, nil
}

func findLong(name string, long map[string]string) (string, error) {
	if letter, ok := long[name]; ok {
		return letter, nil
	}
	var matches []string
	for candidate := range long {
		if strings.HasPrefix(candidate, name) {
			matches = append(matches, candidate)
		}
	}
	sort.Strings(matches)
	switch len(matches) {
	case 0:
		return "", fmt.Errorf("unrecognized option '--%s'", name)
	case 1:
		return long[matches[0]], nil
	}
	return "", fmt.Errorf("option '--%s' is ambiguous; possibilities: '--%s'", name, strings.Join(matches, "' '--"))
}

type valueNeed int

const (
	noValue valueNeed = iota
	needsValue
	mayHaveValue
)

func describeFlag(short string, letter rune) (known bool, takes valueNeed) {
	i := strings.IndexRune(short, letter)
	if i < 0 || letter == ':' {
		return false, noValue
	}
	after := short[i+len(string(letter)):]
	switch {
	case strings.HasPrefix(after, "::"):
		return true, mayHaveValue
	case strings.HasPrefix(after, ":"):
		return true, needsValue
	}
	return true, noValue
}

func (o *options) add(letter rune, value string) {
	o.found = append(o.found, flagValue{letter, value})
}

// has tells whether the flag was given at all.
func (o *options) has(letter rune) bool {
	for _, f := range o.found {
		if f.letter == letter {
			return true
		}
	}
	return false
}

// value is what was given last with the flag, "" if it was not given.
func (o *options) value(letter rune) string {
	values := o.values(letter)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// values is everything that was given with a flag that may be repeated, in order.
func (o *options) values(letter rune) []string {
	var values []string
	for _, f := range o.found {
		if f.letter == letter {
			values = append(values, f.value)
		}
	}
	return values
}

// last tells which of several flags that exclude each other was typed last, 0 if none was: `rm -fi` asks, `rm -if` does not.
func (o *options) last(letters string) rune {
	for i := len(o.found) - 1; i >= 0; i-- {
		if strings.ContainsRune(letters, o.found[i].letter) {
			return o.found[i].letter
		}
	}
	return 0
}
