package container

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestBehind: a client that reads nothing holds output up for a while only, where others watch; it learns how much it has
// missed, and sees what comes after it has read what there was.
func TestBehind(t *testing.T) {
	read, write := io.Pipe()
	o := newOutbox(write, func() bool { return true })
	o.stall = 10 * time.Millisecond
	const pieces, size = 100, 64 << 10
	for range pieces { // this would not end if it waited for ever
		o.output(frameStdout, bytes.Repeat([]byte{'x'}, size))
	}
	got, missed := uint64(0), uint64(0)
	var buffer []byte
	next := func() (kind byte) {
		kind, content, grown, err := readFrame(read, buffer)
		if err != nil {
			t.Fatal(err)
		}
		buffer = grown
		switch kind {
		case frameStdout:
			got += uint64(len(content))
		case frameMissed:
			missed += binary.BigEndian.Uint64(content)
		}
		return kind
	}
	last := make(chan struct{})
	go func() {
		o.flush()
		o.output(frameStdout, []byte("late"))
		o.say(frameExit, nil)
		close(last)
	}()
	for next() != frameExit {
	}
	<-last
	if missed == 0 || got+missed != pieces*size+4 {
		t.Errorf("%d bytes seen and %d missed, of %d", got, missed, pieces*size+4)
	}
}

// TestAudience: who comes after the end is told of it; who is gone is not waited for.
func TestAudience(t *testing.T) {
	var a audience
	read, write := io.Pipe()
	gone, late := newOutbox(write, a.crowded), &bytes.Buffer{}
	a.add(gone)
	a.output(frameStdout, []byte("nobody reads it"))
	a.remove(gone)
	read.Close()
	a.tellEnd([]byte{0, 0, 0, 3}, true)
	o := newOutbox(late, a.crowded)
	a.add(o)
	a.flush()
	if want := "x\x00\x00\x00\x04\x00\x00\x00\x03"; late.String() != want {
		t.Errorf("%q, want %q", late, want)
	}
}

// TestBegun: who hears that it has begun can press Ctrl-C at once, and the container gets it.
func TestBegun(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	monitor, client := os.NewFile(uintptr(pair[0]), "monitor"), os.NewFile(uintptr(pair[1]), "client")
	defer monitor.Close()
	code := make(chan int)
	go func() {
		m := &Monitor{control: client}
		c, _ := m.Attach(Streams{Out: io.Discard, Err: io.Discard, Proxy: true, Begun: func() { unix.Kill(os.Getpid(), unix.SIGINT) }}, nil)
		code <- c
	}()
	kind, content, _, err := readFrame(monitor, nil)
	if err != nil || kind != frameSignal || content[0] != byte(unix.SIGINT) {
		t.Fatalf("%c %v, %v", kind, content, err)
	}
	to := &frameWriter{w: monitor}
	if err := to.write(frameExit, append([]byte{0, 0, 0, 7}, "{}"...)); err != nil {
		t.Fatal(err)
	}
	if c := <-code; c != 7 {
		t.Errorf("exit code %d", c)
	}
}

// TestDetachKeys: the sequence is found however it comes, and nothing that only looks like it is lost.
func TestDetachKeys(t *testing.T) {
	for _, c := range []struct {
		keys  string
		typed []string
		data  string
		leave bool
	}{
		{DefaultDetachKeys, []string{"ls\r", "\x10\x11"}, "ls\r", true},
		{DefaultDetachKeys, []string{"a\x10", "\x11b"}, "a", true},
		{DefaultDetachKeys, []string{"a\x10", "\x10\x11b"}, "a\x10", true},
		{DefaultDetachKeys, []string{"\x10", "x", "\x11"}, "\x10x\x11", false},
		{"a,b,a,c", []string{"ababa", "c", "x"}, "ab", true},
		{"a,b,a,c", []string{"ab", "ad"}, "abad", false},
		{"q", []string{"say", " q"}, "say ", true},
	} {
		keys, err := ParseDetachKeys(c.keys)
		if err != nil {
			t.Fatal(err)
		}
		d, data, leave := detachKeys{keys: keys}, "", false
		for _, typed := range c.typed {
			var piece []byte
			if piece, leave = d.scan([]byte(typed)); true {
				data += string(piece)
			}
			if leave {
				break
			}
		}
		if data != c.data || leave != c.leave {
			t.Errorf("%s of %q: %q, %v", c.keys, c.typed, data, leave)
		}
	}
	for _, wrong := range []string{"", "ctrl-", "ctrl-1", "ab", "a,,b", "ctrl-p,"} {
		if _, err := ParseDetachKeys(wrong); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

// TestInput: what several clients write arrives piece by piece, and after the end nothing does.
func TestInput(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	i, written := newInput(write, false), make(chan bool, 3)
	done := func() { written <- true }
	i.write([]byte("one "), done)
	i.write([]byte("two"), done)
	i.end()
	i.write([]byte("three"), done)
	text, err := io.ReadAll(read)
	if string(text) != "one two" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	for range 3 {
		<-written
	}
}
