package course

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Finding is something in a lab's files that its author should change. As an error it begins as a compiler's message does,
// so that editors find the place.
type Finding struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1
	Text string `json:"text"`
}

func (f Finding) Error() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text) }

// sorted are findings file by file and line by line, each once.
func sorted(list []Finding) []Finding {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(list)
}

// asFinding is an error as what its author is told: a Finding as it is, another one at the place given.
func asFinding(err error, file string, line int) Finding {
	var f Finding
	if errors.As(err, &f) {
		return f
	}
	return Finding{File: file, Line: line, Text: err.Error()}
}
