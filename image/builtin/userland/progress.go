package userland

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progressBar draws a line such as
//
//	index.html           100% |********************************|    45  0:00:00 ETA
//
// at the end, and on a terminal about every half second on the way.
type progressBar struct {
	out         io.Writer
	name        string
	done, total int64 // total is negative if not known
	started     time.Time
	drawn       time.Time
	live, quiet bool
}

// Write counts what goes past.
func (b *progressBar) Write(data []byte) (int, error) {
	b.done += int64(len(data))
	if b.live && time.Since(b.drawn) > 500*time.Millisecond {
		b.draw(false)
	}
	return len(data), nil
}

func (b *progressBar) draw(finished bool) {
	if b.quiet {
		return
	}
	b.drawn = time.Now()
	end := ""
	if finished {
		end = "\n"
	}
	start := ""
	if b.live {
		start = "\r"
	}
	fmt.Fprint(b.out, start, b.line(time.Since(b.started)), end)
}

// line is made for a terminal of 80 columns.
func (b *progressBar) line(elapsed time.Duration) string {
	const width = 32
	name := b.name
	if len(name) > 20 {
		name = name[:20]
	}
	if b.total < 0 {
		return fmt.Sprintf("%-20s %4s |%s| %5s  %s --:-- ETA", name, "", strings.Repeat(" ", width), byteCount(b.done), "--")
	}
	share := 1.0
	if b.total > 0 {
		share = float64(b.done) / float64(b.total)
	}
	left := time.Duration(0)
	if share > 0 && share < 1 {
		left = time.Duration(float64(elapsed) * (1 - share) / share)
	}
	stars := int(share * width)
	seconds := int(left.Seconds())
	return fmt.Sprintf("%-20s %3d%% |%s%s| %5s  %d:%02d:%02d ETA", name, int(share*100), strings.Repeat("*", stars), strings.Repeat(" ", width-stars),
		byteCount(b.done), seconds/3600, seconds/60%60, seconds%60)
}

// byteCount has at most five places.
func byteCount(n int64) string {
	unit := ""
	for _, larger := range []string{"k", "M", "G", "T"} {
		if n < 100000 {
			break
		}
		n, unit = n/1024, larger
	}
	return fmt.Sprintf("%d%s", n, unit)
}
