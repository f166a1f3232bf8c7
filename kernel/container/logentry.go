package container

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	mathbits "math/bits"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// The log is a file of JSON objects, one a line, as Docker's json-file driver writes them:
//
//	{"log":"a line\n","stream":"stdout","time":"2026-11-23T20:33:01.123456789Z"}
//
// with "attrs":{…} before the time where labels or variables were asked for. They are written and read without package
// json: a container that prints at full speed makes millions of them a second.
//
// What is no UTF-8 is kept all the same, and the file is JSON all the same: a byte 0xNN is written as the escape \udcNN,
// half of a surrogate pair, which means nothing else. (Python reads such strings under the name surrogateescape.)

// maxLine is where a line without an end is cut into parts, as Docker does. All but the last have no newline, so that
// whoever puts them one after the other has the line again.
const maxLine = 16 << 10

// logTime is RFC3339 in UTC with all nine digits, so that each entry's end is as long as the next one's.
const logTime = "2006-01-02T15:04:05.000000000Z"

const (
	entryHead   = `{"log":"`
	entryStream = `","stream":"`
	entryAttrs  = `,"attrs":`
	entryTime   = `,"time":"`
	entryTail   = `"}`
)

// logEntry is one line of the file, in pieces of it.
type logEntry struct {
	text   []byte // still escaped
	stderr bool
	attrs  []byte // a JSON object, or nothing
	time   []byte
}

// entryEnd is what follows the text of an entry.
func entryEnd(stream string, attrs []byte, at time.Time) []byte {
	end := append([]byte(entryStream), stream...)
	end = append(end, '"')
	if len(attrs) > 0 {
		end = append(append(end, entryAttrs...), attrs...)
	}
	end = at.UTC().AppendFormat(append(end, entryTime...), logTime)
	return append(end, entryTail+"\n"...)
}

// parseEntry takes a line of the file apart; false for half a line, which a crash or a full disk may leave.
func parseEntry(line []byte) (e logEntry, ok bool) {
	rest, ok1 := bytes.CutPrefix(line, []byte(entryHead))
	rest, ok2 := bytes.CutSuffix(rest, []byte(entryTail))
	at := len(rest) - len(entryTime) - len(logTime)
	if !ok1 || !ok2 || at < 0 {
		return parseForeign(line)
	}
	if !bytes.HasPrefix(rest[at:], []byte(entryTime)) { // Docker leaves zeros at the end of a time out
		begin := bytes.LastIndex(rest[at:], []byte(entryTime))
		if begin < 0 {
			return parseForeign(line)
		}
		at += begin
	}
	e.time, rest = rest[at+len(entryTime):], rest[:at]
	if len(rest) > 0 && rest[len(rest)-1] == '}' { // in a string its quotes would be escaped, so this can be found from behind
		at := bytes.LastIndex(rest, []byte(entryStream))
		if at < 0 {
			return parseForeign(line)
		}
		stream, attrs, found := bytes.Cut(rest[at+len(entryStream):], []byte(entryAttrs))
		if !found {
			return parseForeign(line)
		}
		e.attrs, rest = attrs, rest[:at+len(entryStream)+len(stream)]
	}
	const stdout, stderr = entryStream + `stdout"`, entryStream + `stderr"`
	if e.text, ok = bytes.CutSuffix(rest, []byte(stdout)); ok {
		return e, true
	}
	if e.text, ok = bytes.CutSuffix(rest, []byte(stderr)); ok {
		e.stderr = true
		return e, true
	}
	return parseForeign(line)
}

// parseForeign reads an entry that somebody else wrote, with other spaces or in another order.
func parseForeign(line []byte) (logEntry, bool) {
	var l struct {
		Log, Stream, Time string
		Attrs             json.RawMessage
	}
	if json.Unmarshal(line, &l) != nil {
		return logEntry{}, false
	}
	return logEntry{text: appendEscaped(nil, []byte(l.Log)), stderr: l.Stream == "stderr", attrs: l.Attrs, time: []byte(l.Time)}, true
}

// endsLine tells whether an entry ends a line, or the next one of its stream goes on with it.
func (e logEntry) endsLine() bool {
	before, ok := bytes.CutSuffix(e.text, []byte(`\n`))
	slashes := len(before) - len(bytes.TrimRight(before, `\`))
	return ok && slashes%2 == 0
}

// appendEscaped appends the inside of a JSON string. Most bytes stand for themselves: eight are taken at a time, and then
// looked at for the first that does not.
func appendEscaped(out, s []byte) []byte {
	for len(s) > 0 {
		out = slices.Grow(out, len(s))
		to, n := out[len(out):len(out)+len(s)], 0
		for n+8 <= len(s) {
			eight := binary.LittleEndian.Uint64(s[n:])
			binary.LittleEndian.PutUint64(to[n:], eight) // what is wrong with it is written over
			if bits := special(eight); bits != 0 {
				n += mathbits.TrailingZeros64(bits) / 8
				break
			}
			n += 8
		}
		for n < len(s) && s[n] >= ' ' && s[n] < utf8.RuneSelf && s[n] != '"' && s[n] != '\\' {
			to[n] = s[n]
			n++
		}
		out, s = out[:len(out)+n], s[n:]
		if len(s) > 0 {
			out, s = appendEscape(out, s)
		}
	}
	return out
}

// appendEscape appends the first character of s, which may need an escape.
func appendEscape(out, s []byte) (longer, rest []byte) {
	switch c := s[0]; {
	case c == '\n':
		out = append(out, '\\', 'n')
	case c == '"' || c == '\\':
		out = append(out, '\\', c)
	case c == '\t':
		out = append(out, '\\', 't')
	case c == '\r':
		out = append(out, '\\', 'r')
	case c < ' ':
		out = append(out, '\\', 'u', '0', '0', digits16[c>>4], digits16[c&15])
	default:
		if r, size := utf8.DecodeRune(s); r != utf8.RuneError || size > 1 {
			return append(out, s[:size]...), s[size:]
		}
		out = append(out, '\\', 'u', 'd', 'c', digits16[c>>4], digits16[c&15])
	}
	return out, s[1:]
}

const digits16 = "0123456789abcdef"

// special sets the highest bit of the first of eight bytes that is a control character, a quote, a backslash or no ASCII,
// and perhaps of some behind it: what is too small borrows from the highest bit, and what equals one of the two is 0
// after the exclusive or, and so too small for a 1.
func special(x uint64) uint64 {
	const each, high = 0x0101010101010101, 0x8080808080808080
	return ((x - each*' ') | ((x ^ each*'"') - each) | ((x ^ each*'\\') - each) | x) & high
}

// appendUnescaped is the reverse.
func appendUnescaped(out, s []byte) []byte {
	for {
		n := bytes.IndexByte(s, '\\')
		if n < 0 || n+1 == len(s) {
			return append(out, s...)
		}
		out = append(out, s[:n]...)
		c := s[n+1]
		s = s[n+2:]
		switch c {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'u':
			out, s = appendCodepoint(out, s)
		default: // the character itself
			out = append(out, c)
		}
	}
}

// appendCodepoint appends what a \u stands for; s begins with its four digits.
func appendCodepoint(out, s []byte) (grown, rest []byte) {
	digits := func(s []byte) (rune, bool) {
		if len(s) < 4 {
			return 0, false
		}
		n, err := strconv.ParseUint(string(s[:4]), 16, 16)
		return rune(n), err == nil
	}
	r, ok := digits(s)
	if !ok {
		return out, s
	}
	s = s[4:]
	if r >= 0xdc80 && r <= 0xdcff { // a byte that was no UTF-8
		return append(out, byte(r)), s
	}
	if low, ok := bytes.CutPrefix(s, []byte(`\u`)); ok && utf16.IsSurrogate(r) {
		if second, ok := digits(low); ok && utf16.DecodeRune(r, second) != utf8.RuneError {
			return utf8.AppendRune(out, utf16.DecodeRune(r, second)), low[4:]
		}
	}
	return utf8.AppendRune(out, r), s
}

// cutLine is how much of a line without an end makes a part: no more than maxLine, and no half of a character.
func cutLine(line []byte) int {
	for i := maxLine - 1; i > maxLine-utf8.UTFMax; i-- {
		if utf8.RuneStart(line[i]) {
			if !utf8.FullRune(line[i:maxLine]) {
				return i
			}
			break
		}
	}
	return maxLine
}
