package userland

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"unicode"
)

func compareBy(flags, a, b string) int {
	switch {
	case strings.ContainsAny(flags, "n"):
		return cmp.Compare(leadingNumber(a), leadingNumber(b))
	case strings.Contains(flags, "g"):
		return cmp.Compare(anyNumber(a), anyNumber(b))
	case strings.Contains(flags, "h"):
		return cmp.Compare(humanNumber(a), humanNumber(b))
	case strings.Contains(flags, "V"):
		return compareVersions(a, b)
	case strings.Contains(flags, "M"):
		return cmp.Compare(monthNumber(a), monthNumber(b))
	}
	if strings.Contains(flags, "b") {
		a, b = strings.TrimLeft(a, " \t"), strings.TrimLeft(b, " \t")
	}
	if strings.Contains(flags, "d") {
		a, b = dictionary(a), dictionary(b)
	}
	if strings.Contains(flags, "f") {
		a, b = strings.ToUpper(a), strings.ToUpper(b)
	}
	return strings.Compare(a, b)
}

// leadingNumber is what sort -n sees: digits at the beginning, 0 if there are none.
func leadingNumber(text string) float64 {
	text = strings.TrimLeft(text, " \t")
	end := 0
	if end < len(text) && (text[end] == '-' || text[end] == '+') {
		end++
	}
	dot := false
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || text[end] == '.' && !dot) {
		dot = dot || text[end] == '.'
		end++
	}
	n, _ := strconv.ParseFloat(text[:end], 64)
	return n
}

func anyNumber(text string) float64 {
	word, _, _ := strings.Cut(strings.TrimLeft(text, " \t"), " ")
	n, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return leadingNumber(text)
	}
	return n
}

// humanNumber reads 2K, 1.5M, 3G, so that du -h | sort -h comes out right.
func humanNumber(text string) float64 {
	n := leadingNumber(text)
	rest := strings.TrimLeft(text, " \t-+0123456789.")
	if rest == "" {
		return n
	}
	power := strings.IndexByte("KMGTPE", strings.ToUpper(rest[:1])[0]) + 1
	return n * math.Pow(1024, float64(power))
}

func monthNumber(text string) int {
	text = strings.ToUpper(strings.TrimLeft(text, " \t"))
	if len(text) < 3 {
		return 0
	}
	return strings.Index("JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", text[:3])/3 + 1
}

func dictionary(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSpace(r) {
			return r
		}
		return -1
	}, text)
}

// compareVersions orders 1.9 before 1.10: runs of digits count as numbers.
func compareVersions(a, b string) int {
	digits := func(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
	for a != "" && b != "" {
		n, m := digits(a), digits(b)
		if n > 0 && m > 0 {
			x, y := strings.TrimLeft(a[:n], "0"), strings.TrimLeft(b[:m], "0")
			if order := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); order != 0 {
				return order
			}
			a, b = a[n:], b[m:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}
