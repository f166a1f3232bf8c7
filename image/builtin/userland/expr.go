package userland

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// runExpr evaluates an expression: 0 if the result is neither empty nor 0, 1 if it is, 2 for an error.
func runExpr(p *Process) int {
	words := p.Args[1:]
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	e := &expression{words: words}
	result := e.level(0)
	if e.err == nil && len(e.words) > 0 {
		e.err = fmt.Errorf("syntax error: unexpected argument '%s'", e.words[0])
	}
	if e.err != nil {
		p.Fail("%v", e.err)
		return 2
	}
	fmt.Fprintln(p.Stdout, result)
	if isNull(result) {
		return 1
	}
	return 0
}

type expression struct {
	words []string
	err   error
}

// operatorsOf lists the operators by how tightly they bind, the loosest first.
func operatorsOf(level int) []string {
	switch level {
	case 0:
		return []string{"|"}
	case 1:
		return []string{"&"}
	case 2:
		return []string{"<", "<=", "=", "==", "!=", ">=", ">"}
	case 3:
		return []string{"+", "-"}
	case 4:
		return []string{"*", "/", "%"}
	}
	return []string{":"}
}

func (e *expression) level(level int) string {
	if level > 5 {
		return e.term()
	}
	left := e.level(level + 1)
	for e.err == nil && len(e.words) > 0 && slices.Contains(operatorsOf(level), e.words[0]) {
		operator := e.words[0]
		e.words = e.words[1:]
		left = e.apply(left, operator, e.level(level+1))
	}
	return left
}

func (e *expression) next() string {
	if len(e.words) == 0 {
		e.fail("syntax error: missing argument")
		return ""
	}
	word := e.words[0]
	e.words = e.words[1:]
	return word
}

func (e *expression) fail(text string) {
	if e.err == nil {
		e.err = errors.New(text)
	}
}

func (e *expression) term() string {
	word := e.next()
	if e.err != nil {
		return ""
	}
	switch word {
	case "(":
		result := e.level(0)
		if e.next() != ")" {
			e.fail("syntax error: expecting ')'")
		}
		return result
	case "length":
		return strconv.Itoa(len([]rune(e.term())))
	case "match":
		text := e.term()
		return e.match(text, e.term())
	case "substr":
		text := []rune(e.term())
		from, length := e.number(e.term()), e.number(e.term())
		if from < 1 || length < 1 || from > int64(len(text)) {
			return ""
		}
		return string(text[from-1 : min(from-1+length, int64(len(text)))])
	case "index":
		text := e.term()
		at := strings.IndexAny(text, e.term())
		return strconv.Itoa(len([]rune(text[:at+1])))
	case "+":
		return e.next()
	}
	return word
}

func isNull(text string) bool {
	n, err := strconv.ParseInt(text, 10, 64)
	return text == "" || err == nil && n == 0
}

func (e *expression) apply(a, operator, b string) string {
	switch operator {
	case "|":
		if !isNull(a) {
			return a
		}
		if isNull(b) {
			return "0"
		}
		return b
	case "&":
		if isNull(a) || isNull(b) {
			return "0"
		}
		return a
	case ":":
		return e.match(a, b)
	case "+", "-", "*", "/", "%":
		return e.calculate(e.number(a), operator, e.number(b))
	}
	order := strings.Compare(a, b)
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX == nil && errY == nil {
		order = cmp.Compare(x, y)
	}
	holds := map[string]bool{"<": order < 0, "<=": order <= 0, "=": order == 0, "==": order == 0, "!=": order != 0,
		">=": order >= 0, ">": order > 0}[operator]
	if holds {
		return "1"
	}
	return "0"
}

func (e *expression) calculate(a int64, operator string, b int64) string {
	switch operator {
	case "+":
		a += b
	case "-":
		a -= b
	case "*":
		a *= b
	default:
		if b == 0 {
			e.fail("division by zero")
			return ""
		}
		if operator == "/" {
			a /= b
		} else {
			a %= b
		}
	}
	return strconv.FormatInt(a, 10)
}

func (e *expression) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		e.fail("non-integer argument")
	}
	return n
}

// match gives what the first group matched, or without a group how many characters the pattern did.
func (e *expression) match(text, pattern string) string {
	re, err := compilePattern("^"+strings.TrimPrefix(pattern, "^"), false, false)
	if err != nil {
		e.fail(err.Error())
		return ""
	}
	found := re.FindStringSubmatch(text)
	if re.NumSubexp() > 0 {
		if found == nil {
			return ""
		}
		return found[1]
	}
	if found == nil {
		return "0"
	}
	return strconv.Itoa(len([]rune(found[0])))
}
