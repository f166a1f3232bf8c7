package server

import (
	"crypto/sha512"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestPushingBlobs: whole, in one request or two (end-4a, 4b, 6).
func TestPushingBlobs(t *testing.T) {
	w := start(t, Options{})
	const uploads = "/v2/a/b/blobs/uploads/"
	d := sum("content").String()
	blob := []string{"Location: /v2/a/b/blobs/" + d, "Docker-Content-Digest: " + d, "Content-Length: 0"}
	got := w.ask("POST", uploads, "").want(t, 202, "", "Range: 0-0", "Content-Length: 0")
	location := got.Header.Get("Location")
	if !validUpload(location[strings.LastIndex(location, "/")+1:]) || got.Header.Get("Docker-Upload-UUID") == "" {
		t.Errorf("Location is %q, the upload %q", location, got.Header.Get("Docker-Upload-UUID"))
	}
	w.ask("PUT", location+"?digest="+d, "content").want(t, 201, "", blob...)
	w.ask("GET", location, "").want(t, 404, codeUploadUnknown)
	w.ask("GET", blob[0][len("Location: "):], "").want(t, 200, "")
	w.ask("POST", uploads+"?digest="+d, "content").want(t, 201, "", blob...)

	w.ask("POST", uploads+"?digest="+d, "other").want(t, 400, codeDigestInvalid)
	w.ask("POST", uploads+"?digest=sha256:x", "content").want(t, 400, codeDigestInvalid)
	w.ask("POST", uploads+"?digest=blake3:"+strings.Repeat("a", 64), "content").want(t, 400, codeDigestInvalid)
	w.ask("POST", uploads+"?digest-algorithm=md5", "").want(t, 400, codeDigestInvalid)
	location = w.upload("a/b")
	w.ask("PUT", location, "content").want(t, 400, codeDigestInvalid)
	w.ask("PUT", location+"?digest=x", "content").want(t, 400, codeDigestInvalid)
	w.ask("PUT", location+"?digest="+d, "content").want(t, 201, "") // it was not the content that was wrong
	location = w.upload("a/b")
	w.ask("PUT", location+"?digest="+d, "other").want(t, 400, codeDigestInvalid)
	w.ask("GET", location, "").want(t, 404, codeUploadUnknown) // it can never become right

	empty := w.pushBlob("a/b", "").String()
	w.ask("HEAD", "/v2/a/b/blobs/"+empty, "").want(t, 200, "", "Content-Length: 0")
	checkStore(t, w.dir)
	if left, _ := os.ReadDir(store{w.dir}.repository("a/b").uploads()); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

// TestSHA512: the other algorithm that the specification registers, in one request and in pieces.
func TestSHA512(t *testing.T) {
	w := start(t, Options{})
	d := fmt.Sprintf("sha512:%x", sha512.Sum512([]byte("content")))
	w.ask("POST", "/v2/a/blobs/uploads/?digest="+d, "content").want(t, 201, "", "Docker-Content-Digest: "+d)
	location := w.upload("b")
	w.ask("PATCH", location, "con").want(t, 202, "")
	w.ask("PUT", location+"?digest="+d, "tent").want(t, 201, "")
	w.ask("GET", "/v2/b/blobs/"+d, "").want(t, 200, "")
}

// TestPushingBlobsInChunks: end-5, 6, 13.
func TestPushingBlobsInChunks(t *testing.T) {
	w := start(t, Options{})
	location := w.upload("a")
	here := []string{"Location: " + location, "Range: 0-3"}
	w.ask("PATCH", location, "4567", "Content-Range: 4-7").want(t, 416, codeUploadInvalid, "Range: 0-0", "Location: "+location)
	w.ask("PATCH", location, "0123", "Content-Range: 0-3").want(t, 202, "", append(here, "Content-Length: 0")...)
	w.ask("GET", location, "").want(t, 204, "", here...)
	w.ask("HEAD", location, "").want(t, 204, "", here...)
	for _, c := range []struct {
		body, contentRange string
		status             int
		code               string
	}{
		{"0123", "0-3", 416, codeUploadInvalid}, // again
		{"89", "8-9", 416, codeUploadInvalid},   // a gap
		{"45", "5-4", 416, codeUploadInvalid},
		{"45", "4", 416, codeUploadInvalid},
		{"45", "4-", 416, codeUploadInvalid},
		{"45", "+4-5", 416, codeUploadInvalid},
		{"45", "bytes 4-5/10", 416, codeUploadInvalid},
		{"45", "4-99999999999999999999", 416, codeUploadInvalid},
		{"45", "4-6", 400, codeSizeInvalid},
		{"45", "4-4", 400, codeSizeInvalid},
	} {
		w.ask("PATCH", location, c.body, "Content-Range: "+c.contentRange).want(t, c.status, c.code, here...)
		d := sum("012345").String()
		w.ask("PUT", location+"?digest="+d, c.body, "Content-Range: "+c.contentRange).want(t, c.status, c.code, here...)
	}
	w.ask("PATCH", location, "45").want(t, 202, "", "Range: 0-5") // without a range: what comes next
	w.ask("PUT", location+"?digest="+sum("01234567").String(), "67", "Content-Range: 6-7").want(t, 201, "")
	w.ask("PATCH", location, "x").want(t, 404, codeUploadUnknown)
	checkStore(t, w.dir)
}

// TestChunkOfUnknownLength: a body without Content-Length must not have more or less than its Content-Range says.
func TestChunkOfUnknownLength(t *testing.T) {
	w := start(t, Options{})
	location := w.upload("a")
	for _, body := range []string{"0", "012"} {
		request, err := http.NewRequest("PATCH", w.url+location, struct{ *strings.Reader }{strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Range", "0-1")
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 400 {
			t.Errorf("%q: status %d", body, response.StatusCode)
		}
	}
	w.ask("PATCH", location, "01", "Content-Range: 0-1").want(t, 202, "", "Range: 0-1")
	w.ask("PUT", location+"?digest="+sum("01").String(), "").want(t, 201, "")
}

// TestCancel: end-14.
func TestCancel(t *testing.T) {
	w := start(t, Options{})
	location := w.upload("a")
	w.ask("PATCH", location, "content").want(t, 202, "")
	w.ask("DELETE", location, "").want(t, 204, "")
	w.ask("GET", location, "").want(t, 404, codeUploadUnknown)
	w.ask("DELETE", location, "").want(t, 404, codeUploadUnknown)
	w.ask("GET", "/v2/a/tags/list", "").want(t, 404, codeNameUnknown) // nothing was pushed
}

// TestMount: end-11.
func TestMount(t *testing.T) {
	w := start(t, Options{})
	d := w.pushBlob("from/here", "content").String()
	w.ask("POST", "/v2/to/blobs/uploads/?from=from/here&mount="+d, "").want(t, 201, "", "Location: /v2/to/blobs/"+d, "Docker-Content-Digest: "+d)
	w.ask("GET", "/v2/to/blobs/"+d, "").want(t, 200, "")
	w.ask("POST", "/v2/somewhere/blobs/uploads/?mount="+d, "").want(t, 201, "") // from whoever has it
	for _, query := range []string{"from=none&mount=" + d, "from=from/here&mount=" + sum("x").String(), "mount=" + sum("x").String(), "from=from/here&mount=sha256:x", "from=../x&mount=" + d} {
		got := w.ask("POST", "/v2/other/blobs/uploads/?"+query, "").want(t, 202, "", "Range: 0-0")
		w.ask("PUT", got.Header.Get("Location")+"?digest="+d, "content").want(t, 201, "")
		w.ask("DELETE", "/v2/other/blobs/"+d, "").want(t, 202, "")
	}
}

// TestHangUp: what came before the client went away is kept, and the rest can be sent.
func TestHangUp(t *testing.T) {
	w := start(t, Options{})
	content := random("hang up", 1<<20)
	location := w.upload("a")
	w.sendPart("PATCH", location, content, 300000).Close()
	kept := w.waitFor(location, 300000)
	w.sendPart("PUT", location+"?digest="+sum(content).String(), content[kept:], 300000).Close() // the last piece may be cut off too
	kept = w.waitFor(location, kept+300000)
	w.ask("PATCH", location, content[kept:900000], fmt.Sprintf("Content-Range: %d-899999", kept)).want(t, 202, "", "Range: 0-899999")
	w.ask("PUT", location+"?digest="+sum(content).String(), content[900000:]).want(t, 201, "")
	checkStore(t, w.dir)
}

// sendPart sends a request that announces a body, and only the first n bytes of that.
func (w *world) sendPart(method, path, body string, n int) net.Conn {
	w.t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = fmt.Fprintf(connection, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body[:n])
	if err != nil {
		w.t.Fatal(err)
	}
	return connection
}

// waitFor waits until an upload has so many bytes.
func (w *world) waitFor(location string, bytes int) int {
	w.t.Helper()
	want := fmt.Sprintf("0-%d", bytes-1)
	got := ""
	for range 2000 {
		if got = w.ask("GET", location, "").want(w.t, 204, "").Header.Get("Range"); got == want {
			return bytes
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatalf("%s has %s, want %s", location, got, want)
	return 0
}

// TestForeignState: a state of the hash that does not fit (another program's, another version's) costs time, nothing else.
func TestForeignState(t *testing.T) {
	w := start(t, Options{})
	location := w.upload("a")
	w.ask("PATCH", location, "0123").want(t, 202, "")
	dir := store{w.dir}.repository("a").uploadDir(location[strings.LastIndex(location, "/")+1:])
	if err := os.WriteFile(dir+"/hashstates/sha256/4", []byte("nonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.ask("PUT", location+"?digest="+sum("012345").String(), "45").want(t, 201, "")
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the upload's directory: %v", err)
	}
}
