package userland

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func runDate(p *Process) int {
	opts, operands, err := p.options("ud:I::Rr:s:", map[string]string{"utc": "u", "universal": "u", "date": "d", "iso-8601": "I",
		"rfc-email": "R", "reference": "r", "set": "s"})
	if err != nil {
		return p.Fail("%v", err)
	}
	now := time.Now()
	at := now
	switch {
	case opts.has('d'):
		at, err = parseDate(opts.value('d'), now)
	case opts.has('r'):
		var info os.FileInfo
		if info, err = os.Stat(opts.value('r')); err == nil {
			at = info.ModTime()
		}
	case opts.has('s'):
		if at, err = parseDate(opts.value('s'), now); err == nil {
			tv := syscall.NsecToTimeval(at.UnixNano())
			if err := syscall.Settimeofday(&tv); err != nil {
				return p.Fail("cannot set date: %s", causeText(err))
			}
		}
	}
	if err != nil {
		return p.Fail("%v", err)
	}
	if opts.has('u') {
		at = at.UTC()
	}
	format := "%a %b %e %H:%M:%S %Z %Y"
	switch {
	case len(operands) > 0 && strings.HasPrefix(operands[0], "+"):
		format = operands[0][1:]
	case len(operands) > 0:
		return p.Fail("invalid date '%s'", operands[0])
	case opts.has('R'):
		format = "%a, %d %b %Y %H:%M:%S %z"
	case opts.has('I'):
		format = isoFormat(opts.value('I'))
	}
	fmt.Fprintln(p.Stdout, formatTime(at, format))
	return 0
}

func isoFormat(precision string) string {
	switch precision {
	case "hours":
		return "%Y-%m-%dT%H%:z"
	case "minutes":
		return "%Y-%m-%dT%H:%M%:z"
	case "seconds":
		return "%Y-%m-%dT%H:%M:%S%:z"
	case "ns":
		return "%Y-%m-%dT%H:%M:%S,%N%:z"
	}
	return "%Y-%m-%d"
}

// formatTime is strftime(3), with GNU's %N, %s, %P and %:z. A - after the % leaves out padding.
func formatTime(t time.Time, format string) string {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		i++
		plain := false
		if (format[i] == '-' || format[i] == '_') && i+1 < len(format) {
			plain = true
			i++
		}
		if strings.HasPrefix(format[i:], ":z") {
			out.WriteString(t.Format("-07:00"))
			i++
			continue
		}
		if digits := format[i:]; len(digits) > 1 && digits[0] >= '1' && digits[0] <= '9' && digits[1] == 'N' {
			out.WriteString(fmt.Sprintf("%09d", t.Nanosecond())[:digits[0]-'0'])
			i++
			continue
		}
		text := timeField(t, format[i])
		if plain {
			text = strings.TrimLeft(text[:len(text)-1], "0 ") + text[len(text)-1:]
		}
		out.WriteString(text)
	}
	return out.String()
}

func timeField(t time.Time, letter byte) string {
	if layout := timeLayout(letter); layout != "" {
		return t.Format(layout)
	}
	year, week := t.ISOWeek()
	weekday := int(t.Weekday())
	switch letter {
	case 'C':
		return fmt.Sprintf("%02d", t.Year()/100)
	case 'G':
		return strconv.Itoa(year)
	case 'j':
		return fmt.Sprintf("%03d", t.YearDay())
	case 'k':
		return fmt.Sprintf("%2d", t.Hour())
	case 'N':
		return fmt.Sprintf("%09d", t.Nanosecond())
	case 'n':
		return "\n"
	case 'q':
		return strconv.Itoa((int(t.Month()) + 2) / 3)
	case 's':
		return strconv.FormatInt(t.Unix(), 10)
	case 't':
		return "\t"
	case 'U':
		return fmt.Sprintf("%02d", (t.YearDay()+6-weekday)/7)
	case 'u':
		return strconv.Itoa((weekday+6)%7 + 1)
	case 'V':
		return fmt.Sprintf("%02d", week)
	case 'W':
		return fmt.Sprintf("%02d", (t.YearDay()+6-(weekday+6)%7)/7)
	case 'w':
		return strconv.Itoa(weekday)
	case '%':
		return "%"
	}
	return "%" + string(letter)
}

// timeLayout is a strftime letter in the notation of package time.
func timeLayout(letter byte) string {
	switch letter {
	case 'A':
		return "Monday"
	case 'a':
		return "Mon"
	case 'B':
		return "January"
	case 'b', 'h':
		return "Jan"
	case 'c':
		return "Mon Jan _2 15:04:05 2006"
	case 'D', 'x':
		return "01/02/06"
	case 'd':
		return "02"
	case 'e':
		return "_2"
	case 'F':
		return "2006-01-02"
	case 'H':
		return "15"
	case 'I':
		return "03"
	case 'M':
		return "04"
	case 'm':
		return "01"
	case 'P':
		return "pm"
	case 'p':
		return "PM"
	case 'R':
		return "15:04"
	case 'r':
		return "03:04:05 PM"
	case 'S':
		return "05"
	case 'T', 'X':
		return "15:04:05"
	case 'Y':
		return "2006"
	case 'y':
		return "06"
	case 'Z':
		return "MST"
	case 'z':
		return "-0700"
	}
	return ""
}
