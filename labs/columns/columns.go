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
