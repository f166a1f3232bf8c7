package command

import (
	"fmt"
	"time"
)

// Since is a duration as people say it.
func Since(t time.Time) string {
	d := time.Since(t)
	for _, unit := range []struct {
		size time.Duration
		name string
		min  int
	}{{365 * 24 * time.Hour, "year", 2}, {30 * 24 * time.Hour, "month", 2}, {7 * 24 * time.Hour, "week", 2}, {24 * time.Hour, "day", 2}, {time.Hour, "hour", 2}, {time.Minute, "minute", 2}, {time.Second, "second", 2}} {
		if n := int(d / unit.size); n >= unit.min {
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	switch {
	case d >= time.Hour:
		return "About an hour"
	case d >= time.Minute:
		return "About a minute"
	case d >= time.Second:
		return "1 second"
	}
	return "Less than a second"
}
