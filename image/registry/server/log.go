package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// recorder notes what was answered, for the log.
type recorder struct {
	http.ResponseWriter
	start  time.Time
	user   string
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.status = max(r.status, http.StatusOK)
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// ReadFrom keeps sendfile(2) possible: a blob goes from the file to the network without passing through this process.
func (r *recorder) ReadFrom(source io.Reader) (int64, error) {
	r.status = max(r.status, http.StatusOK)
	n, err := io.Copy(r.ResponseWriter, source)
	r.bytes += n
	return n, err
}

// access writes a request's line, in the Common Log Format with the time that it took. Everything that the client chose
// is quoted, so that nobody can write lines of his own.
func (s *Server) access(w *recorder, r *http.Request) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = "-"
	}
	user := "-"
	if w.user != "" {
		user = fmt.Sprintf("%q", w.user)
		user = user[1 : len(user)-1]
	}
	s.printf("%s - %s [%s] %q %d %d %v\n", host, user, w.start.Format("02/Jan/2006:15:04:05 -0700"),
		r.Method+" "+r.URL.RequestURI()+" "+r.Proto, max(w.status, http.StatusOK), w.bytes, time.Since(w.start).Round(time.Microsecond))
}

func (s *Server) printf(format string, args ...any) {
	if s.options.Log == nil {
		return
	}
	s.logging.Lock()
	defer s.logging.Unlock()
	fmt.Fprintf(s.options.Log, format, args...)
}
