package registry

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"sandbox/kernel"
)

// section of the tutorial that teaches registries.
const section = "2.6"

type whyKey struct{}

// withWhy gives the requests made with ctx their reason.
func withWhy(ctx context.Context, why kernel.Why) context.Context {
	return context.WithValue(ctx, whyKey{}, why)
}

// explainer tells of each request when its answer has been read: only then is it known how much came.
type explainer struct {
	next http.RoundTripper
	note func(section, line string, why kernel.Why)
}

// RoundTrip makes one request; one that was redirected makes two.
func (x *explainer) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	why, _ := req.Context().Value(whyKey{}).(kernel.Why)
	sent := &countedBody{ReadCloser: req.Body}
	if req.Body != nil {
		copied := *req // a RoundTripper must not change the request
		copied.Body = sent
		req = &copied
	}
	resp, err := x.next.RoundTrip(req)
	line := req.Method + " " + readable(req.URL)
	if err != nil {
		outcome := printable(err.Error())
		if req.Context().Err() != nil { // another request's error is not this one's
			outcome = "given up"
		}
		x.note(section, line+" → "+outcome, why)
		return resp, err
	}
	line += fmt.Sprintf(" → %d", resp.StatusCode)
	if u, err := resp.Location(); err == nil && resp.StatusCode/100 == 3 {
		line += ", to " + readable(u)
	}
	if asked := resp.Header.Get("WWW-Authenticate"); asked != "" {
		line += ", WWW-Authenticate: " + printable(asked)
	}
	finish := func(received int64) {
		if sent.n+received > 0 {
			line += fmt.Sprintf(", %s in %d ms", size(sent.n+received), time.Since(start).Milliseconds())
		}
		x.note(section, line, why)
	}
	if req.Method == http.MethodHead || resp.ContentLength == 0 {
		finish(0)
		return resp, nil
	}
	resp.Body = &toldBody{countedBody: countedBody{ReadCloser: resp.Body}, finish: finish}
	return resp, nil
}

type countedBody struct {
	io.ReadCloser
	n int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	return n, err
}

// toldBody is told of when it has been read, or closed.
type toldBody struct {
	countedBody
	once   sync.Once
	finish func(received int64)
}

func (b *toldBody) Close() error {
	b.once.Do(func() { b.finish(b.n) })
	return b.ReadCloser.Close()
}

// size in bytes, as Docker writes it.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.3g GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.3g MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.3g kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}

// isShown picks the parameters of URLs that say something and hold no secret. Others may: the signature that gives access
// to a storage server, or the state of an upload.
func isShown(parameter string) bool {
	switch parameter {
	case "account", "digest", "from", "last", "mount", "n", "q", "scope", "service":
		return true
	}
	return false
}

// readable is a URL as it may be printed.
func readable(u *url.URL) string {
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	s := printable(plain.String())
	separator := "?"
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range query[name] {
			if !isShown(name) {
				value = "…"
			}
			s += separator + printable(name+"="+value)
			separator = "&"
		}
	}
	return s
}

// tidy is a registry's digest or word as an error may print it.
func tidy(s string) string { return strings.TrimSpace(printable(s)) }
