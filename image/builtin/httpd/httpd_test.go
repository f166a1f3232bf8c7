package httpd

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// site is a directory of documents.
func site(t *testing.T) string {
	dir := t.TempDir()
	for name, content := range map[string]string{"index.html": Page, "sub/a.txt": "a\n", "sub/b.txt": "b\n"} {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPages(t *testing.T) {
	var log bytes.Buffer
	handler := &pages{root: http.Dir(site(t)), log: &log}
	for _, c := range []struct {
		method, path string
		code         int
		body, logged string
	}{
		{"GET", "/", 200, Page, `"GET / HTTP/1.1" 200 45`},
		{"HEAD", "/", 200, "", `"HEAD / HTTP/1.1" 200 -`},
		{"GET", "/index.html", 200, Page, `"GET /index.html HTTP/1.1" 200 45`},
		{"GET", "/sub/a.txt", 200, "a\n", `"GET /sub/a.txt HTTP/1.1" 200 2`},
		{"GET", "/sub/", 200, "b.txt", `"GET /sub/ HTTP/1.1" 200 `},
		{"GET", "/sub", 301, "", `"GET /sub HTTP/1.1" 301 `},
		{"GET", "/none", 404, "not found", `"GET /none HTTP/1.1" 404 `},
		{"GET", "/none/index.html", 404, "not found", `404`},
		{"GET", "/../../../etc/passwd", 404, "not found", `404`},
		{"POST", "/", 405, "Not Allowed", `"POST / HTTP/1.1" 405 `},
	} {
		log.Reset()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
		if !strings.Contains(log.String(), c.logged) {
			t.Errorf("%s %s is logged as %s", c.method, c.path, log.String())
		}
	}
	log.Reset()
	r := httptest.NewRequest("GET", "/", nil)
	r.RequestURI = "/\"\n127.0.0.1 - -"
	handler.ServeHTTP(httptest.NewRecorder(), r)
	if !regexp.MustCompile(`^192\.0\.2\.1 - - \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /\\"\\n127\.0\.0\.1 - - HTTP/1\.1" 200 45\n$`).MatchString(log.String()) {
		t.Errorf("logged: %s", log.String())
	}
}

// TestSignals: SIGWINCH waits for who is being served, and lets nobody else in; SIGTERM does not wait.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGWINCH, syscall.SIGTERM} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		begun, goOn := make(chan bool), make(chan bool)
		code := make(chan int, 1)
		go func() {
			code <- serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				begun <- true
				<-goOn
				io.WriteString(w, Page)
			}), io.Discard)
		}()
		answer := make(chan error, 1)
		go func() {
			response, err := http.Get("http://" + listener.Addr().String())
			if err == nil {
				_, err = io.ReadAll(response.Body)
				response.Body.Close()
			}
			answer <- err
		}()
		<-begun
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		if sig == syscall.SIGTERM {
			if got := <-code; got != 0 {
				t.Errorf("exit code %d", got)
			}
			close(goOn)
			if err := <-answer; err == nil {
				t.Error("SIGTERM has waited")
			}
			continue
		}
		for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(time.Millisecond) {
			conn, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				break // nobody else is let in
			}
			conn.Close()
			if time.Now().After(deadline) {
				t.Fatal("it goes on after SIGWINCH")
			}
		}
		close(goOn)
		if err := <-answer; err != nil {
			t.Error(err)
		}
		if got := <-code; got != 0 {
			t.Errorf("exit code %d", got)
		}
	}
}

func TestBadUse(t *testing.T) {
	var stderr bytes.Buffer
	if Main([]string{"httpd", "--nonsense"}, io.Discard, &stderr) != 1 || !strings.Contains(stderr.String(), "usage: httpd") {
		t.Errorf("%s", stderr.String())
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	stderr.Reset()
	if Main([]string{"httpd", "-p", listener.Addr().String()}, io.Discard, &stderr) != 1 || !strings.Contains(stderr.String(), "another program does already\n  → ") {
		t.Errorf("%s", stderr.String())
	}
}
