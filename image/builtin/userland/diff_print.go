package userland

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// printPlain is the oldest form: 3c3, 5,6d4, 7a8,9.
func (d *diffRequest) printPlain(a, b []string, edits []edit) {
	span := func(from, to int) string {
		if to-from <= 1 {
			return strconv.Itoa(max(from+1, to))
		}
		return fmt.Sprintf("%d,%d", from+1, to)
	}
	for _, e := range edits {
		switch {
		case e.fromA == e.toA:
			fmt.Fprintf(d.out, "%da%s\n", e.fromA, span(e.fromB, e.toB))
		case e.fromB == e.toB:
			fmt.Fprintf(d.out, "%sd%d\n", span(e.fromA, e.toA), e.fromB)
		default:
			fmt.Fprintf(d.out, "%sc%s\n", span(e.fromA, e.toA), span(e.fromB, e.toB))
		}
		d.printLines("< ", a[e.fromA:e.toA])
		if e.fromA < e.toA && e.fromB < e.toB {
			fmt.Fprintln(d.out, "---")
		}
		d.printLines("> ", b[e.fromB:e.toB])
	}
}

func (d *diffRequest) printLines(mark string, lines []string) {
	for _, line := range lines {
		text, ended := strings.CutSuffix(line, "\n")
		fmt.Fprintln(d.out, mark+text)
		if !ended {
			fmt.Fprintln(d.out, `\ No newline at end of file`)
		}
	}
}

// printUnified puts edits that are near each other into one hunk.
func (d *diffRequest) printUnified(nameA, nameB string, a, b []string, edits []edit) {
	labels := d.opts.values('L')
	for i, side := range []struct{ mark, name string }{{"---", nameA}, {"+++", nameB}} {
		if i < len(labels) {
			fmt.Fprintf(d.out, "%s %s\n", side.mark, labels[i])
			continue
		}
		fmt.Fprintf(d.out, "%s %s\t%s\n", side.mark, side.name, modificationText(side.name))
	}
	for len(edits) > 0 {
		n := 1
		for n < len(edits) && edits[n].fromA-edits[n-1].toA <= 2*d.context {
			n++
		}
		d.printHunk(a, b, edits[:n])
		edits = edits[n:]
	}
}

func modificationText(name string) string {
	t := time.Now()
	if info, err := os.Stat(name); err == nil {
		t = info.ModTime()
	} else if name != "-" {
		t = time.Unix(0, 0)
	}
	return t.Format("2006-01-02 15:04:05.000000000 -0700")
}

func (d *diffRequest) printHunk(a, b []string, edits []edit) {
	first, last := edits[0], edits[len(edits)-1]
	before := min(d.context, first.fromA)
	after := min(d.context, len(a)-last.toA)
	startA, endA := first.fromA-before, last.toA+after
	startB, endB := first.fromB-before, last.toB+after
	fmt.Fprintf(d.out, "@@ -%s +%s @@\n", hunkSpan(startA, endA), hunkSpan(startB, endB))
	at := startA
	for _, e := range edits {
		d.printLines(" ", a[at:e.fromA])
		d.printLines("-", a[e.fromA:e.toA])
		d.printLines("+", b[e.fromB:e.toB])
		at = e.toA
	}
	d.printLines(" ", a[at:endA])
}

// hunkSpan is start,length; the length 1 is left out, and nothing at all starts at the line before.
func hunkSpan(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprintf("%d,0", from)
	case 1:
		return strconv.Itoa(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}
