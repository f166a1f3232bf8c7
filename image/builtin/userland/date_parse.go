package userland

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// parseDate reads what people give to date -d and touch -d: @1700000000, 2024-02-29 12:00, 12:30, yesterday, 3 days ago,
// next week, 2024-01-01 +1 month.
func parseDate(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if seconds, ok := strings.CutPrefix(text, "@"); ok {
		value, err := strconv.ParseFloat(seconds, 64)
		if err != nil {
			return now, fmt.Errorf("invalid date '%s'", text)
		}
		whole := math.Floor(value)
		return time.Unix(int64(whole), int64((value-whole)*1e9)), nil
	}
	if t, ok := absoluteDate(text, now); ok {
		return t, nil
	}
	// An absolute part may come before a relative one.
	words := strings.Fields(text)
	for n := len(words) - 1; n >= 0; n-- {
		base, ok := now, n == 0
		if n > 0 {
			base, ok = absoluteDate(strings.Join(words[:n], " "), now)
		}
		if !ok {
			continue
		}
		if t, ok := relativeDate(words[n:], base); ok {
			return t, nil
		}
	}
	return now, fmt.Errorf("invalid date '%s'", text)
}

func absoluteDate(text string, now time.Time) (time.Time, bool) {
	for _, layout := range []string{
		"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05Z07:00",
		"2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00", "2006/01/02", "2006/01/02 15:04:05", "01/02/2006", "20060102",
		"Jan 2 2006", "Jan 2, 2006", "2 Jan 2006", "2 Jan 2006 15:04:05", "Jan 2 15:04:05 2006",
		"Mon Jan _2 15:04:05 MST 2006", "Mon, 02 Jan 2006 15:04:05 -0700", "Mon, 02 Jan 2006 15:04:05 MST",
	} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, true
		}
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location()), true
		}
	}
	return now, false
}

// relativeDate reads a row of: now, yesterday, tomorrow, next week, last month, +3 days, 2 hours ago.
func relativeDate(words []string, t time.Time) (time.Time, bool) {
	for len(words) > 0 {
		word := strings.ToLower(words[0])
		words = words[1:]
		count := 1
		switch word {
		case "now", "today":
			continue
		case "yesterday":
			t = t.AddDate(0, 0, -1)
			continue
		case "tomorrow":
			t = t.AddDate(0, 0, 1)
			continue
		case "next":
		case "last":
			count = -1
		default:
			digits := len(word) - len(strings.TrimLeft(word, "+-0123456789"))
			n, err := strconv.Atoi(word[:digits])
			if err != nil {
				return t, false
			}
			count = n
			if digits < len(word) {
				words = append([]string{word[digits:]}, words...)
			}
		}
		if len(words) == 0 {
			return t, false
		}
		unit := strings.TrimSuffix(strings.ToLower(words[0]), "s")
		words = words[1:]
		if len(words) > 0 && words[0] == "ago" {
			count, words = -count, words[1:]
		}
		moved, ok := addUnits(t, count, unit)
		if !ok {
			return t, false
		}
		t = moved
	}
	return t, true
}

func addUnits(t time.Time, count int, unit string) (time.Time, bool) {
	n := time.Duration(count)
	switch unit {
	case "sec", "second":
		return t.Add(n * time.Second), true
	case "min", "minute":
		return t.Add(n * time.Minute), true
	case "hour":
		return t.Add(n * time.Hour), true
	case "day":
		return t.AddDate(0, 0, count), true
	case "week":
		return t.AddDate(0, 0, 7*count), true
	case "month":
		return t.AddDate(0, count, 0), true
	case "year":
		return t.AddDate(count, 0, 0), true
	}
	return t, false
}
