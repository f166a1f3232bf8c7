package userland

import (
	"bufio"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

func runTr(p *Process) int {
	opts, sets, err := p.options("dscCt", map[string]string{"delete": "d", "squeeze-repeats": "s", "complement": "c", "truncate-set1": "t"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(sets) == 0 {
		return p.Fail("missing operand")
	}
	if len(sets) == 1 && !opts.has('d') && !opts.has('s') {
		return p.Fail("missing operand after '%s'\nTwo strings must be given when translating.", sets[0])
	}
	t := &translator{remove: opts.has('d'), squeeze: opts.has('s'), complement: opts.last("cC") != 0}
	t.from = expandSet(sets[0])
	if len(sets) > 1 {
		t.to = expandSet(sets[1])
	}
	if opts.has('t') && len(t.from) > len(t.to) {
		t.from = t.from[:len(t.to)]
	}
	in, out := bufio.NewReader(p.Stdin), bufio.NewWriter(p.Stdout)
	defer out.Flush()
	last := rune(-1)
	for {
		// A line is answered when it has come, for those who talk to us through a pipe.
		if in.Buffered() == 0 {
			out.Flush()
		}
		r, size, err := in.ReadRune()
		if err != nil {
			return 0
		}
		if r == utf8.RuneError && size == 1 {
			in.UnreadRune()
			b, _ := in.ReadByte()
			out.WriteByte(b) // not text; it passes as it is
			continue
		}
		result, keep, squeezable := t.translate(r)
		if !keep || squeezable && result == last {
			continue
		}
		last = -1
		if squeezable {
			last = result
		}
		out.WriteRune(result)
	}
}

type translator struct {
	from, to                    []rune
	remove, squeeze, complement bool
}

// translate says what becomes of a character, and whether a second one of the kind is to be dropped.
func (t *translator) translate(r rune) (result rune, keep, squeezable bool) {
	i := slices.Index(t.from, r)
	in := i >= 0 != t.complement
	switch {
	case t.remove:
		return r, !in, t.squeeze && slices.Contains(t.to, r)
	case len(t.to) == 0:
		return r, true, t.squeeze && in
	case !in:
		return r, true, t.squeeze && slices.Contains(t.to, r)
	}
	if t.complement {
		i = len(t.to) - 1
	}
	result = t.to[min(i, len(t.to)-1)] // the last one stands for all that are missing
	return result, true, t.squeeze
}

// expandSet reads a-z, [:upper:], \n, \012 and [x*].
func expandSet(text string) []rune {
	var set []rune
	runes := []rune(text)
	for i := 0; i < len(runes); {
		if class, size := characterClass(string(runes[i:])); size > 0 {
			set = append(set, class...)
			i += size
			continue
		}
		first, size := trCharacter(runes[i:])
		i += size
		if i+1 < len(runes) && runes[i] == '-' {
			last, size := trCharacter(runes[i+1:])
			for r := first; r <= last; r++ {
				set = append(set, r)
			}
			i += 1 + size
			continue
		}
		set = append(set, first)
	}
	return set
}

func trCharacter(runes []rune) (r rune, size int) {
	if runes[0] != '\\' || len(runes) == 1 {
		return runes[0], 1
	}
	if i := strings.IndexRune("abfnrtv\\", runes[1]); i >= 0 {
		return rune("\a\b\f\n\r\t\v\\"[i]), 2
	}
	size = 1
	for size < len(runes) && size < 4 && runes[size] >= '0' && runes[size] <= '7' {
		r = r*8 + runes[size] - '0'
		size++
	}
	if size == 1 {
		return runes[1], 2
	}
	return r, size
}

func characterClass(text string) (class []rune, size int) {
	if !strings.HasPrefix(text, "[:") {
		return nil, 0
	}
	name, _, ok := strings.Cut(text[2:], ":]")
	belongs := map[string]func(rune) bool{
		"alpha": unicode.IsLetter, "digit": unicode.IsDigit, "space": unicode.IsSpace, "upper": unicode.IsUpper,
		"lower": unicode.IsLower, "punct": func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) },
		"cntrl": unicode.IsControl, "print": unicode.IsPrint, "graph": func(r rune) bool { return unicode.IsPrint(r) && r != ' ' },
		"alnum":  func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) },
		"blank":  func(r rune) bool { return r == ' ' || r == '\t' },
		"xdigit": func(r rune) bool { return strings.ContainsRune("0123456789abcdefABCDEF", r) },
	}[name]
	if !ok || belongs == nil {
		return nil, 0
	}
	for r := rune(0); r < 128; r++ {
		if belongs(r) {
			class = append(class, r)
		}
	}
	return class, len(name) + 4
}
