package server

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
)

// TestTogether: many clients push the same blobs and images, delete them and mount them, while garbage is collected
// without mercy for the young. Nothing may end in a manifest without its blobs.
func TestTogether(t *testing.T) {
	w := start(t, Options{})
	w.pushBlob("repo0", "{}")
	layers := []string{random("0", 200000), random("1", 200000)}
	var clients sync.WaitGroup
	for n := range 6 {
		clients.Go(func() {
			for i := range 10 {
				repo, layer := fmt.Sprint("repo", n%2), layers[i%2]
				for _, content := range []string{"{}", layer} {
					w.ask("POST", "/v2/"+repo+"/blobs/uploads/?digest="+sum(content).String(), content).want(t, 201, "")
				}
				content := imageOf("", "{}", layer)
				switch got := w.ask("PUT", "/v2/"+repo+"/manifests/latest", content); got.StatusCode {
				case 201:
				case 400: // what was pushed is gone again: the collection has no mercy here
					got.want(t, 400, codeManifestBlobUnknown)
				default:
					got.want(t, 201, "")
				}
				if got := w.ask("GET", "/v2/"+repo+"/blobs/"+sum(layer).String(), ""); got.StatusCode == 200 && got.body != layer {
					t.Error("a blob with other content")
				}
				if i%3 == n%3 {
					w.ask("DELETE", "/v2/"+repo+"/manifests/"+sum(content).String(), "")
				}
			}
		})
	}
	clients.Go(func() {
		for range 20 {
			if _, err := Collect(w.dir, CollectOptions{Keep: 1}); err != nil {
				t.Error(err)
			}
		}
	})
	clients.Wait()
	checkStore(t, w.dir)
}

// TestOneUploadTwice: two requests that write to one upload do not mix: one goes first, the other then starts at the
// wrong place.
func TestOneUploadTwice(t *testing.T) {
	w := start(t, Options{})
	content := random("twice", 500000)
	location := w.upload("a")
	statuses := make([]int, 2)
	var clients sync.WaitGroup
	for i := range statuses {
		clients.Go(func() {
			statuses[i] = w.ask("PATCH", location, content, fmt.Sprintf("Content-Range: 0-%d", len(content)-1)).StatusCode
		})
	}
	clients.Wait()
	if statuses[0]+statuses[1] != 202+416 {
		t.Errorf("got %v", statuses)
	}
	w.ask("PUT", location+"?digest="+sum(content).String(), "").want(t, 201, "")
}

// TestLock: while somebody has the store alone, nothing is added to it; afterwards what counts is what is there then.
func TestLock(t *testing.T) {
	w := start(t, Options{})
	w.pushBlob("a", "{}")
	s := store{w.dir}
	unlock, err := s.lock(true)
	if err != nil {
		t.Fatal(err)
	}
	image := imageOf("", "{}")
	var pushed, blob answer
	var clients sync.WaitGroup
	clients.Go(func() { pushed = w.ask("PUT", "/v2/a/manifests/v1", image) })
	clients.Go(func() { blob = w.ask("POST", "/v2/a/blobs/uploads/?digest="+sum("new").String(), "new") })
	for range 100 { // time enough for both, if they did not wait
		w.ask("GET", "/v2/a/blobs/"+sum("new").String(), "").want(t, 404, codeBlobUnknown)
		w.ask("GET", "/v2/a/manifests/v1", "").want(t, 404, codeManifestUnknown)
	}
	r := s.repository("a")
	if err := r.bury(filepath.Dir(r.layerLink(sum("{}")))); err != nil {
		t.Error(err)
	}
	unlock()
	clients.Wait()
	pushed.want(t, 400, codeManifestBlobUnknown)
	blob.want(t, 201, "")
}
