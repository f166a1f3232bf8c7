package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestKilledUpload: kill -9 in the middle of an upload; the next server goes on with it.
func TestKilledUpload(t *testing.T) {
	dir := t.TempDir()
	content := random("killed", 3<<20)
	first := startChild(t, dir, "serve")
	location := first.upload("a/b")
	first.ask("PATCH", location, content[:1<<20]).want(t, 202, "") // leaves a state of the hash
	first.sendPart("PATCH", location, content[1<<20:], 1<<20)      // does not
	first.waitFor(location, 2<<20)
	first.kill()
	checkStore(t, dir)

	second := startChild(t, dir, "serve")
	got := second.ask("GET", location, "").want(t, 204, "", "Range: 0-2097151")
	end, err := strconv.Atoi(strings.TrimPrefix(got.Header.Get("Range"), "0-"))
	if err != nil {
		t.Fatal(err)
	}
	second.ask("PUT", location+"?digest="+sum(content).String(), content[end+1:]).want(t, 201, "")
	second.ask("HEAD", "/v2/a/b/blobs/"+sum(content).String(), "").want(t, 200, "", "Content-Length: 3145728")
	checkStore(t, dir)
}

// TestKilledWhenever: clients push, move tags, delete; the server is killed after so many answers, each time with others
// under way. The store is sound every time, and what was acknowledged is there.
func TestKilledWhenever(t *testing.T) {
	dir := t.TempDir()
	for round := range 8 {
		c := startChild(t, dir, "serve")
		var answers atomic.Int64
		var clients sync.WaitGroup
		for n := range 4 {
			clients.Go(func() { c.pushUntilKilled(t, &answers, int64(20+7*round), fmt.Sprint(n), round) })
		}
		clients.Wait()
		c.kill()
		checkStore(t, dir)
		if _, err := Collect(dir, CollectOptions{Keep: 1, Untagged: true}); err != nil {
			t.Error(err)
		}
		checkStore(t, dir)
	}
}

// pushUntilKilled is a client that kills the server when all clients together have so many answers.
func (c *child) pushUntilKilled(t *testing.T, answers *atomic.Int64, limit int64, name string, round int) {
	send := func(method, path, body string) bool {
		request, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return false
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			return false // killed
		}
		response.Body.Close()
		if response.StatusCode >= 400 && !(method == "DELETE" && response.StatusCode == 404) {
			t.Errorf("%s %s: %d", method, path, response.StatusCode)
		}
		if answers.Add(1) >= limit {
			_ = c.process.Process.Kill()
		}
		return true
	}
	repo := "/v2/repo" + name[:1]
	for i := 0; ; i++ {
		layer := random(fmt.Sprint(name, round, i), 50000)
		image := imageOf("", "{}", layer)
		ok := send("POST", repo+"/blobs/uploads/?digest="+sum("{}").String(), "{}") &&
			send("POST", repo+"/blobs/uploads/?digest="+sum(layer).String(), layer) &&
			send("PUT", repo+"/manifests/latest", image) &&
			send("PUT", fmt.Sprintf("%s/manifests/v%d", repo, i), image)
		if ok && i%2 == 1 {
			ok = send("DELETE", repo+"/manifests/"+sum(image).String(), "") && send("DELETE", repo+"/manifests/v0", "")
		}
		if !ok {
			return
		}
	}
}

// TestEndInOrder: SIGTERM ends the program with success, and says so to nobody.
func TestEndInOrder(t *testing.T) {
	c := startChild(t, t.TempDir(), "serve")
	c.ask("GET", "/v2/", "").want(t, 200, "")
	if err := c.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.process.Wait(); err != nil {
		t.Error(err)
	}
}

// TestFullDisk: the client is told, what came is kept, and the upload goes on when there is room.
func TestFullDisk(t *testing.T) {
	c := startChild(t, t.TempDir(), "small disk")
	content := random("full", 600<<10)
	first, second := c.upload("a"), c.upload("a")
	c.ask("PATCH", first, content).want(t, 202, "")
	got := c.ask("PATCH", second, content).want(t, 507, codeUnknown, "Location: "+second)
	end, err := strconv.Atoi(strings.TrimPrefix(got.Header.Get("Range"), "0-"))
	if err != nil || end < 1000 || end >= len(content) {
		t.Fatalf("Range is %q", got.Header.Get("Range"))
	}
	c.ask("GET", second, "").want(t, 204, "", "Range: "+got.Header.Get("Range"))
	c.ask("DELETE", first, "").want(t, 204, "")
	c.ask("PUT", second+"?digest="+sum(content).String(), content[end+1:]).want(t, 201, "")
	if got := c.ask("GET", "/v2/a/blobs/"+sum(content).String(), "").want(t, 200, ""); got.body != content {
		t.Error("other content came back")
	}
	c.ask("POST", "/v2/a/blobs/uploads/?digest="+sum("{}").String(), "{}").want(t, 201, "")
	rest := random("rest", 700<<10)
	c.ask("POST", "/v2/a/blobs/uploads/?digest="+sum(rest).String(), rest).want(t, 507, codeUnknown)
	c.ask("PATCH", c.upload("a"), rest).want(t, 507, codeUnknown)
	c.ask("PUT", "/v2/a/manifests/v1", imageOf("", "{}")).want(t, 507, codeUnknown)
	c.ask("GET", "/v2/a/manifests/v1", "").want(t, 404, codeManifestUnknown)
}
