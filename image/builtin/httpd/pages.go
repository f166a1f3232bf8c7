package httpd

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// pages answers with files, and logs.
type pages struct {
	root http.FileSystem
	log  io.Writer
}

// commonLog is the time in the Common Log Format.
const commonLog = "02/Jan/2006:15:04:05 -0700"

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	c := &counter{ResponseWriter: w, code: http.StatusOK}
	p.answer(c, r)
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	bytes := "-"
	if c.bytes > 0 {
		bytes = fmt.Sprint(c.bytes)
	}
	fmt.Fprintf(p.log, "%s - - [%s] \"%s\" %d %s\n", host, began.Format(commonLog), quoted(r.Method+" "+r.RequestURI+" "+r.Proto), c.code, bytes)
}

func (p *pages) answer(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/index.html") { // FileServer would send the client to the directory
		p.serveFile(w, r)
		return
	}
	http.FileServer(p.root).ServeHTTP(w, r)
}

func (p *pages) serveFile(w http.ResponseWriter, r *http.Request) {
	file, err := p.root.Open(r.URL.Path)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		http.NotFound(w, r)
		return
	}
	http.ServeContent(w, r, info.Name(), info.ModTime(), file)
}

// quoted is what a client has sent, so that it cannot write a line of its own.
func quoted(text string) string {
	text = fmt.Sprintf("%q", text)
	return text[1 : len(text)-1]
}

// counter notes what was answered.
type counter struct {
	http.ResponseWriter
	code  int
	bytes int64
}

func (c *counter) WriteHeader(code int) {
	c.code = code
	c.ResponseWriter.WriteHeader(code)
}

func (c *counter) Write(data []byte) (int, error) {
	n, err := c.ResponseWriter.Write(data)
	c.bytes += int64(n)
	return n, err
}

// ReadFrom lets a file go out without being copied (sendfile(2)).
func (c *counter) ReadFrom(from io.Reader) (int64, error) {
	n, err := io.Copy(c.ResponseWriter, from)
	c.bytes += n
	return n, err
}
