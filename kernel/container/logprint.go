package container

import (
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// logPrinter shows entries: what went to standard error goes there again, in the same order.
type logPrinter struct {
	options LogOptions
	to      [2]io.Writer
	pending []byte  // for one of them
	stderr  bool    // for which
	within  [2]bool // a line of the stream has begun, and not ended
}

func (p *logPrinter) print(e logEntry) error {
	o := p.options
	if !o.Since.IsZero() || !o.Until.IsZero() {
		at, err := time.Parse(time.RFC3339Nano, string(e.time))
		if err == nil && at.Before(o.Since) {
			return nil
		}
		if err == nil && !o.Until.IsZero() && at.After(o.Until) {
			p.flush()
			return errUntil
		}
	}
	if e.stderr != p.stderr || len(p.pending) >= logBlock {
		if err := p.flush(); err != nil {
			return err
		}
		p.stderr = e.stderr
	}
	stream := 0
	if e.stderr {
		stream = 1
	}
	if !p.within[stream] {
		p.head(e)
	}
	p.pending = appendUnescaped(p.pending, e.text)
	p.within[stream] = !e.endsLine()
	return nil
}

// head is what a line begins with, if it was asked for.
func (p *logPrinter) head(e logEntry) {
	if p.options.Timestamps {
		p.pending = append(append(p.pending, fullTime(e.time)...), ' ')
	}
	if p.options.Details {
		p.pending = append(append(p.pending, details(e.attrs)...), ' ')
	}
}

// fullTime has all nine digits, whoever has written it.
func fullTime(text []byte) []byte {
	if len(text) == len(logTime) {
		return text
	}
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return text
	}
	return at.UTC().AppendFormat(nil, logTime)
}

// details are attributes as Docker shows them: name=value, with commas between.
func details(attrs []byte) string {
	var values map[string]string
	if json.Unmarshal(attrs, &values) != nil {
		return ""
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list = append(list, url.QueryEscape(name)+"="+url.QueryEscape(values[name]))
	}
	return strings.Join(list, ",")
}

func (p *logPrinter) flush() error {
	if len(p.pending) == 0 {
		return nil
	}
	to := p.to[0]
	if p.stderr {
		to = p.to[1]
	}
	_, err := to.Write(p.pending)
	p.pending = p.pending[:0]
	return err
}
