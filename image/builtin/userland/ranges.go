package userland

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// numberRange is one of `cut -f 1,3-5,7-`; to is math.MaxInt where it is open.
type numberRange struct{ from, to int }

func parseRanges(text string) ([]numberRange, error) {
	var ranges []numberRange
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		r := numberRange{1, math.MaxInt}
		var err error
		if from != "" {
			r.from, err = strconv.Atoi(from)
		}
		if err == nil && isRange && to != "" {
			r.to, err = strconv.Atoi(to)
		}
		if !isRange {
			r.to = r.from
		}
		if err != nil || part == "" || part == "-" {
			return nil, fmt.Errorf("invalid field range '%s'", text)
		}
		if r.from == 0 {
			return nil, errors.New("fields and positions are numbered from 1")
		}
		if r.to < r.from {
			return nil, errors.New("invalid decreasing range")
		}
		ranges = append(ranges, r)
	}
	return ranges, nil
}

func inRanges(ranges []numberRange, n int) bool {
	return slices.ContainsFunc(ranges, func(r numberRange) bool { return r.from <= n && n <= r.to })
}
