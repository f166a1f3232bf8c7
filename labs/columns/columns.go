// Package columns knows how wide text is on a terminal.
package columns

import (
	"unicode"

	"golang.org/x/text/width"
)

// Of is how many columns a string without escape sequences takes.
func Of(s string) int {
	n := 0
	for _, r := range s {
		n += OfRune(r)
	}
	return n
}

// Cut is as much of a text as fits into so many columns, with an ellipsis for what does not.
func Cut(s string, width int) string {
	if Of(s) <= width {
		return s
	}
	used := 1 // the ellipsis
	for i, r := range s {
		if used += OfRune(r); used > width {
			return s[:i] + "…"
		}
	}
	return s
}

// OfRune is how many columns a terminal gives to a character: two for a Chinese one. Those that Unicode calls ambiguous
// (“, —, ✓) get one, as in nearly every terminal of today.
func OfRune(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
