package container

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

func TestLookupUser(t *testing.T) {
	files := map[string]string{
		"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/srv:/bin/sh\n",
		"/etc/group":  "root:x:0:\nwww:x:34:\nlogs:x:50:other,web\n",
	}
	open := func(path string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(files[path])), nil }
	for _, c := range []struct {
		spec     string
		uid, gid int
		home     string
		groups   int
		fails    bool
	}{
		{spec: "", home: "/root"}, {spec: "web", uid: 33, gid: 34, home: "/srv", groups: 1}, {spec: "33", uid: 33, gid: 34, home: "/srv", groups: 1},
		{spec: "77", uid: 77, home: "/"}, {spec: "web:logs", uid: 33, gid: 50, home: "/srv"}, {spec: "7:8", uid: 7, gid: 8, home: "/"},
		{spec: "nosuch", fails: true}, {spec: "web:nosuch", fails: true},
	} {
		u, err := lookupUser(c.spec, open)
		if c.fails {
			if err == nil || kernel.CureOf(err) == "" {
				t.Errorf("%q: no error with a cure: %v", c.spec, err)
			}
			continue
		}
		if err != nil || u.uid != c.uid || u.gid != c.gid || u.home != c.home || len(u.groups) != c.groups {
			t.Errorf("%q: %+v, %v", c.spec, u, err)
		}
	}
}

// testEngine has a state directory of its own, and tells nobody.
func testEngine(t *testing.T) *Engine {
	dir := t.TempDir()
	e := &Engine{Paths: Paths{State: dir, Run: dir + "/run"}, Door: &kernel.Door{}}
	if err := e.makeRoot(); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestUnfinished: a directory without a record is removed when nobody has locked it, and only then.
func TestUnfinished(t *testing.T) {
	e := testEngine(t)
	id := newID()
	lock, err := e.makeDirectories(id)
	if err != nil {
		t.Fatal(err)
	}
	e.removeUnfinished(id)
	if _, err := os.Stat(e.Paths.dir(id)); err != nil {
		t.Fatal("removed while it was being made")
	}
	lock.Close()
	growing, err := lockShared(e.Paths.containers())
	if err != nil {
		t.Fatal(err)
	}
	if e.isUnfinished(id) {
		t.Error("unfinished, while another one may be between its directory and its lock")
	}
	growing.Close()
	e.removeUnfinished(id)
	if _, err := os.Stat(e.Paths.dir(id)); !isMissing(err) {
		t.Error("a leftover has not been removed", err)
	}
}

// TestNames: a name belongs to one container, and is free again when that is gone, however it went.
func TestNames(t *testing.T) {
	e := testEngine(t)
	first, second := newID(), newID()
	for _, id := range []string{first, second} {
		lock, err := e.makeDirectories(id)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
	}
	if err := e.reserveName("web", first); err != nil {
		t.Fatal(err)
	}
	if err := e.reserveName("web", second); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("taken twice: %v", err)
	}
	os.RemoveAll(e.Paths.dir(first))
	if err := e.reserveName("web", second); err != nil {
		t.Errorf("the name of a container that is gone: %v", err)
	}
	if id, _ := e.Paths.resolve("web"); id != second {
		t.Errorf("web is %s", id)
	}
}

// TestLastWord: who has the record of a container open learns its exit code after it has been removed.
func TestLastWord(t *testing.T) {
	e := testEngine(t)
	r := &Record{ID: newID(), Name: "/web", State: State{Running: true}}
	if err := os.Mkdir(e.Paths.dir(r.ID), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := r.save(e.Door, e.Paths, false); err != nil {
		t.Fatal(err)
	}
	open := func(goes bool) awaited {
		r.HostConfig.AutoRemove = goes
		files, err := e.await(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(files.Close)
		return files
	}
	killed, held := open(false), open(true)
	if end := killed.read(); end.ExitCode != exitKilled {
		t.Errorf("without a last word: %+v", end)
	}
	if err := r.save(e.Door, e.Paths, false); err != nil { // the record is another file now
		t.Fatal(err)
	}
	late := open(false)
	r.State.End = &End{ExitCode: 42}
	e.leaveWord(r)
	if again, err := e.Paths.load(r.ID); err != nil || !again.State.Running {
		t.Errorf("the record itself has changed: %v %v", again, err)
	}
	if err := e.delete(r, false); err != nil {
		t.Fatal(err)
	}
	for what, files := range map[string]awaited{"a file of its own": held, "the record": late} {
		if end := files.read(); end.ExitCode != 42 {
			t.Errorf("%s: the end is %+v", what, end)
		}
	}
}

// TestOutbox: output waits for a client that does not read, other frames do not, and all arrive in their order.
func TestOutbox(t *testing.T) {
	read, write := io.Pipe()
	o := newOutbox(write, func() bool { return false })
	full := make(chan struct{})
	go func() {
		defer close(full)
		for i := range 100 {
			o.output(frameStdout, bytes.Repeat([]byte{byte(i)}, 64<<10))
		}
	}()
	o.mu.Lock()
	for !o.full() {
		o.changed.Wait()
	}
	o.mu.Unlock()
	select {
	case <-full:
		t.Fatal("output did not wait")
	default:
	}
	o.say(frameReady, nil)
	o.release()
	<-full
	o.say(frameExit, nil)
	next := byte(0)
	var buffer []byte
	for kind := byte(0); kind != frameExit; {
		var content []byte
		var err error
		if kind, content, buffer, err = readFrame(read, buffer); err != nil {
			t.Fatal(err)
		}
		if kind == frameStdout {
			if content[0] != next {
				t.Fatalf("piece %d came after %d", content[0], next-1)
			}
			next++
		}
	}
	if next != 100 {
		t.Errorf("%d of 100 pieces", next)
	}
	o.flush()
	read.Close()
	o.say(frameExit, nil)
	o.flush() // the client is gone: nothing to wait for
	if o.output(frameStdout, nil) {
		t.Error("output to a client that is gone")
	}
}

// TestOutboxTaken: output that waits goes on when what is queued has been taken, though the client has not read it yet.
func TestOutboxTaken(t *testing.T) {
	read, write := io.Pipe()
	defer read.Close()
	waits := make(chan struct{}, 1)
	o := &outbox{to: write, stall: time.Millisecond, crowded: func() bool {
		select {
		case waits <- struct{}{}:
		default:
		}
		return false
	}}
	o.changed.L = &o.mu
	o.say(frameStdout, make([]byte, outboxRoom))
	done := make(chan bool)
	go func() { done <- o.output(frameStdout, []byte("more")) }()
	<-waits
	go o.deliver()
	if !<-done {
		t.Error("the client is said to be gone")
	}
}

func TestParseSignal(t *testing.T) {
	for text, want := range map[string]unix.Signal{"9": 9, "KILL": 9, "SIGKILL": 9, "term": 15, "RTMIN+3": 37, "SIGRTMIN": 34, "RTMAX-1": 63, "rtmax": 64} {
		if got, err := ParseSignal(text); err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "65", "NOSUCH", "RTMIN+99", "RTMIN-1", "RTMAX+1", "RTMIN+-1", "RTMIN+x", "RTMIN+", "RTMIN3"} {
		if got, err := ParseSignal(text); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// Who does not own the host's PID namespace cannot mount a proc that shows it, and sees the host's.
func TestProcOfHost(t *testing.T) {
	for _, test := range []struct {
		mode, want string
		uid        int
	}{{"", "proc", 1000}, {"host", "bind", 1000}, {"host", "proc", 0}} {
		r := &Record{HostConfig: HostConfig{PidMode: test.mode}}
		list, err := mounts(r, Host{UID: test.uid}, nil)
		if err != nil || list[0].Destination != "/proc" || list[0].Type != test.want {
			t.Errorf("%+v: %+v, %v", test, list[0], err)
		}
	}
}
