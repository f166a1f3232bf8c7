package container

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbox/kernel"
)

// testLog writes a log of small files.
func testLog(t testing.TB, config map[string]string) (l *logWriter, path string) {
	settings, err := LogConfig{Config: config}.settings(Config{Labels: map[string]string{"tier": "web one", "x": "y"}, Env: []string{"A=1", "B=2"}})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "log.json")
	if l, err = openLog(&kernel.Door{}, path, settings); err != nil {
		t.Fatal(err)
	}
	return l, path
}

// readLog is what `logs` shows of both streams together.
func readLog(t testing.TB, path string, o LogOptions) string {
	var out bytes.Buffer
	r := &logReader{path: path, files: 9, printer: logPrinter{options: o, to: [2]io.Writer{&out, &out}}}
	defer r.close()
	r.open()
	if err := r.readOn(); err != nil && err != errUntil {
		t.Fatal(err)
	}
	return out.String()
}

var all = LogOptions{Tail: -1}

// TestLogTail: lines are whole, whatever pieces they come in and go out in, and a tail is the last of them.
func TestLogTail(t *testing.T) {
	for _, size := range []string{"-1", "1"} { // one file, and one for each write
		l, path := testLog(t, map[string]string{"max-size": size, "max-file": "9"})
		for _, piece := range []string{"o", "ne\ntwo\nth", "ree\n", strings.Repeat("x", 2*maxLine+1), "\n\nrest"} {
			l.write("stdout", []byte(piece))
		}
		l.flush("stdout")
		l.close()
		lines := []string{"one\n", "two\n", "three\n", strings.Repeat("x", 2*maxLine+1) + "\n", "\n", "rest"}
		if got := readLog(t, path, all); got != strings.Join(lines, "") {
			t.Errorf("max-size %s: %.200q", size, got)
		}
		for n := range len(lines) + 2 {
			want := strings.Join(lines[max(0, len(lines)-n):], "")
			if got := readLog(t, path, LogOptions{Tail: n}); got != want {
				t.Errorf("max-size %s, tail %d: %.100q", size, n, got)
			}
		}
	}
}

// TestLogBytes: whatever bytes a container prints, the file is JSON as others read it, and `logs` gives the bytes back.
func TestLogBytes(t *testing.T) {
	var every []byte
	for i := range 256 {
		every = append(every, byte(i))
	}
	for _, text := range []string{
		string(every), "é中文🙂\n", "\\n\n", "\\\\n", `"quoted" \u0041 </script>` + "\n", strings.Repeat("中", maxLine), strings.Repeat("\xe4\xb8", maxLine) + "\n",
		"\xed\xb2\x80", "\x00", strings.Repeat("\n", 3*maxLine),
	} {
		l, path := testLog(t, map[string]string{"max-size": "-1"})
		l.write("stdout", []byte(text))
		l.flush("stdout")
		l.close()
		if got := readLog(t, path, all); got != text {
			t.Errorf("%.80q: %.80q", text, got)
		}
		data, _ := os.ReadFile(path)
		var whole string
		for line := range strings.Lines(string(data)) {
			var entry struct {
				Log, Stream string
				Time        time.Time
			}
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Stream != "stdout" || entry.Time.IsZero() {
				t.Fatalf("%.80q: %v %+v", line, err, entry)
			}
			whole += entry.Log
		}
		if strings.ToValidUTF8(text, "") == text && whole != text {
			t.Errorf("%.80q as package json reads it: %.80q", text, whole)
		}
	}
}

func FuzzLogBytes(f *testing.F) {
	f.Add([]byte("a\\n\"\xff\n中"))
	f.Fuzz(func(t *testing.T, text []byte) {
		escaped := appendEscaped(nil, text)
		if got := appendUnescaped(nil, escaped); !bytes.Equal(got, text) {
			t.Errorf("%q: %q: %q", text, escaped, got)
		}
		if !json.Valid(append(append([]byte{'"'}, escaped...), '"')) {
			t.Errorf("%q: %q is no JSON", text, escaped)
		}
		line := append(append([]byte(entryHead), escaped...), entryEnd("stderr", []byte(`{"a":"}\",\"stream\":\""}`), time.Now())...)
		e, ok := parseEntry(line[:len(line)-1])
		if !ok || !bytes.Equal(e.text, escaped) || !e.stderr || e.endsLine() != bytes.HasSuffix(text, []byte("\n")) {
			t.Errorf("%q: %+v", line, e)
		}
		parseEntry(text)
		appendUnescaped(nil, text)
	})
}

// TestForeignLog: logs of Docker's, and of the program's earlier versions; half a line is left out.
func TestForeignLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.json")
	os.WriteFile(path, []byte(`{"log":"one\n","stream":"stdout","time":"2026-01-02T03:04:05.5Z"}
{"time":"2026-01-02T03:04:06Z", "stream":"stderr", "log":"t\u00e9\ud83d\ude42\n", "attrs": {"b": "2 3","a":"1"}}
{"log":"lost","stre
{"log":"three\n","stream":"stdout","attrs":{"k":"v"},"time":"2026-01-02T03:04:07.123456789Z"}
{"log":"half`), 0o600)
	const want = "2026-01-02T03:04:05.500000000Z  one\n2026-01-02T03:04:06.000000000Z a=1,b=2+3 té🙂\n2026-01-02T03:04:07.123456789Z k=v three\n"
	if got := readLog(t, path, LogOptions{Tail: -1, Timestamps: true, Details: true}); got != want {
		t.Errorf("%q", got)
	}
	if got := readLog(t, path, LogOptions{Tail: 2}); got != "té🙂\nthree\n" {
		t.Errorf("%q", got)
	}
	at := func(s string) time.Time { at, _ := time.Parse(time.RFC3339, s); return at }
	if got := readLog(t, path, LogOptions{Tail: -1, Since: at("2026-01-02T03:04:06Z"), Until: at("2026-01-02T03:04:06Z")}); got != "té🙂\n" {
		t.Errorf("%q", got)
	}
	// A monitor that goes on with this file begins on a line of its own.
	l, err := openLog(&kernel.Door{}, path, logSettings{})
	if err != nil {
		t.Fatal(err)
	}
	l.write("stdout", []byte("new\n"))
	l.close()
	if got := readLog(t, path, LogOptions{Tail: 1}); got != "new\n" {
		t.Errorf("%q", got)
	}
}

// TestLogDetails: what labels= and env= choose.
func TestLogDetails(t *testing.T) {
	l, path := testLog(t, map[string]string{"labels": "tier", "env-regex": "^B"})
	l.write("stderr", []byte("line\n"))
	l.close()
	if got := readLog(t, path, LogOptions{Tail: -1, Details: true}); got != "B=2,tier=web+one line\n" {
		t.Errorf("%q", got)
	}
}

// TestRotation: no more files than allowed, none much larger than allowed, and the newest lines in them.
func TestRotation(t *testing.T) {
	for _, files := range []int{1, 2, 3} {
		l, path := testLog(t, map[string]string{"max-size": "1k", "max-file": fmt.Sprint(files)})
		for i := range 100 {
			l.write("stdout", fmt.Appendf(nil, "line %d\n", i))
		}
		l.close()
		found, _ := filepath.Glob(path + "*")
		if len(found) != files {
			t.Errorf("%d files: %v", files, found)
		}
		for _, file := range found {
			if info, err := os.Stat(file); err != nil || info.Size() > 1100 {
				t.Errorf("%s: %v %v", file, info.Size(), err)
			}
		}
		got := readLog(t, path, all)
		if !strings.HasSuffix(got, "line 98\nline 99\n") && got != "" || strings.Count(got, "\n") > 12*files {
			t.Errorf("%d files: %q", files, got)
		}
	}
}

// TestFollowRotation: who follows a log that is put aside again and again sees every line, once. The writer waits for the
// reader: one that is slower than all files together are large misses lines.
func TestFollowRotation(t *testing.T) {
	l, path := testLog(t, map[string]string{"max-size": "1k", "max-file": "3"})
	changes, stop := watchFor(filepath.Dir(path), growing)
	defer stop()
	lines := make(chan string, 10)
	r := &logReader{path: path, files: 3, printer: logPrinter{options: LogOptions{Tail: -1, Follow: true}, to: [2]io.Writer{channelWriter(lines), nil}}}
	defer r.close()
	r.open()
	ended, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- r.follow(changes, ended); close(lines) }()
	var got strings.Builder
	var want strings.Builder
	for i := range 500 {
		line := fmt.Sprintf("line %d\n", i)
		want.WriteString(line)
		l.write("stdout", []byte(line))
		if i%7 == 0 {
			for !strings.HasSuffix(got.String(), line) {
				select {
				case s := <-lines:
					got.WriteString(s)
				case <-time.After(time.Minute):
					t.Fatalf("%q does not come: %q", line, got.String())
				}
			}
		}
	}
	close(ended)
	for s := range lines {
		got.WriteString(s)
	}
	if err := <-done; err != nil || got.String() != want.String() {
		t.Errorf("%v: %q", err, got.String())
	}
}

type channelWriter chan<- string

func (c channelWriter) Write(p []byte) (int, error) { c <- string(p); return len(p), nil }

func TestLogOptions(t *testing.T) {
	for _, c := range []LogConfig{
		{Type: "syslog"}, {Config: map[string]string{"max-size": "x"}}, {Config: map[string]string{"max-size": "0"}}, {Config: map[string]string{"max-file": "0"}},
		{Config: map[string]string{"nosuch": "1"}}, {Config: map[string]string{"labels-regex": "["}}, {Type: "none", Config: map[string]string{"max-size": "1"}},
	} {
		if _, err := c.settings(Config{}); kernel.CureOf(err) == "" {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for text, want := range map[string]int64{"10m": 10_000_000, "1.5K": 1500, "7": 7, "2gb": 2_000_000_000, "-1": 0} {
		if got, err := parseLogSize(text); err != nil || got != want {
			t.Errorf("%s: %d %v", text, got, err)
		}
	}
}

// BenchmarkLogWrite: lines of 80 bytes, as they come out of a pipe, in and out of a log that is put aside.
func BenchmarkLogWrite(b *testing.B) {
	l, _ := testLog(b, nil)
	block := bytes.Repeat([]byte(strings.Repeat("x", 79)+"\n"), 32<<10/80)
	b.SetBytes(int64(len(block)))
	for b.Loop() {
		l.write("stdout", block)
	}
}

func BenchmarkLogRead(b *testing.B) {
	l, path := testLog(b, map[string]string{"max-size": "-1"})
	block := bytes.Repeat([]byte(strings.Repeat("x", 79)+"\n"), 64<<20/80)
	l.write("stdout", block)
	info, _ := os.Stat(path)
	b.SetBytes(info.Size())
	for b.Loop() {
		r := &logReader{path: path, files: 1, printer: logPrinter{options: all, to: [2]io.Writer{io.Discard, io.Discard}}}
		r.open()
		r.readOn()
		r.close()
	}
}

// TestEscape: one byte that needs an escape, or does not, wherever it is and whatever comes after it.
func TestEscape(t *testing.T) {
	for c := range 256 {
		want, _ := appendEscape(nil, []byte{byte(c)})
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			want = []byte{byte(c)}
		}
		for at := range 20 {
			before, after := strings.Repeat("~", at), strings.Repeat(" #!][\x7f", 3)
			if got := string(appendEscaped(nil, []byte(before+string([]byte{byte(c)})+after))); got != before+string(want)+after {
				t.Fatalf("byte %#x at %d: %q", c, at, got)
			}
		}
	}
}
