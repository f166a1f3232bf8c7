package userland

import (
	"slices"
)

// edit replaces lines fromA..toA of one file by lines fromB..toB of the other, both counted from 0, ends not included.
type edit struct{ fromA, toA, fromB, toB int }

// findEdits finds a shortest way from a to b, as Myers' O(ND) algorithm does: it follows, for a growing number of edits,
// the furthest point that can be reached on each diagonal, and then walks back.
func findEdits(a, b []string) []edit {
	// Most of two files is alike at both ends.
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	endA, endB := len(a), len(b)
	for endA > start && endB > start && a[endA-1] == b[endB-1] {
		endA, endB = endA-1, endB-1
	}
	edits := walkBack(furthestPoints(a[start:endA], b[start:endB]), endA-start, endB-start)
	for i := range edits {
		e := &edits[i]
		e.fromA, e.toA, e.fromB, e.toB = e.fromA+start, e.toA+start, e.fromB+start, e.toB+start
	}
	return edits
}

// furthestPoints gives, for each number of edits, how far along a one gets on each diagonal x-y.
func furthestPoints(a, b []string) []map[int]int {
	var trace []map[int]int
	reached := map[int]int{1: 0}
	for d := 0; ; d++ {
		next := make(map[int]int, d+1)
		for diagonal := -d; diagonal <= d; diagonal += 2 {
			x := reached[diagonal-1] + 1 // delete a line of a
			if diagonal == -d || diagonal != d && reached[diagonal-1] < reached[diagonal+1] {
				x = reached[diagonal+1] // insert a line of b
			}
			y := x - diagonal
			for x < len(a) && y < len(b) && a[x] == b[y] {
				x, y = x+1, y+1
			}
			next[diagonal] = x
			if x >= len(a) && y >= len(b) {
				return append(trace, next)
			}
		}
		trace = append(trace, next)
		reached = next
	}
}

// walkBack turns the trace into edits, those side by side joined into one.
func walkBack(trace []map[int]int, x, y int) []edit {
	var edits []edit
	for d := len(trace) - 1; d > 0; d-- {
		before := trace[d-1]
		diagonal := x - y
		from := diagonal - 1
		if left, ok := before[diagonal-1]; !ok || diagonal == -d {
			from = diagonal + 1
		} else if up, ok := before[diagonal+1]; ok && diagonal != d && left < up {
			from = diagonal + 1
		}
		prevX := before[from]
		prevY := prevX - from
		e := edit{fromA: prevX, toA: prevX, fromB: prevY, toB: prevY}
		if from == diagonal-1 {
			e.toA++
		} else {
			e.toB++
		}
		if n := len(edits) - 1; n >= 0 && edits[n].fromA == e.toA && edits[n].fromB == e.toB {
			edits[n].fromA, edits[n].fromB = e.fromA, e.fromB
		} else {
			edits = append(edits, e)
		}
		x, y = prevX, prevY
	}
	slices.Reverse(edits)
	return edits
}
