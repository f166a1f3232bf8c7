package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sandbox/kernel"
)

// request is one that can be made again: its body, if it has one, can be opened again.
type request struct {
	method string
	path   string // below the registry's address, or a Location that the registry has given
	header http.Header
	body   func() (io.ReadCloser, error)
	length int64    // of the body; -1 if it is not known beforehand
	scopes []string // what a token must allow, as in "repository:demo:pull,push"
	want   []int    // statuses that are no error
	why    kernel.Why
	first  bool // the first to this host: nobody has been let in, and a refused connection is not tried again
	once   bool // whoever asks looks after failures himself
}

const (
	userAgent = "sandbox/1"
	attempts  = 5
	maxPause  = time.Minute // a registry that wants us to wait longer is not waited for
)

// do makes a request as often as it takes, and is let in. The answer has one of the wanted statuses; its body is the
// caller's to close.
func (e *endpoint) do(ctx context.Context, r *request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := e.admitted(ctx, r)
		if err == nil && slices.Contains(r.want, resp.StatusCode) {
			return resp, nil
		}
		wait := backOff(attempt)
		again := err != nil && isPassing(err, r.first)
		if err == nil {
			again, wait = isPassingStatus(resp.StatusCode), max(wait, retryAfter(resp))
			err = e.failed(resp)
		}
		if again && attempt == attempts {
			return nil, fmt.Errorf("%w; so %d times in a row", err, attempts)
		}
		if !again || r.once || wait > maxPause || ctx.Err() != nil {
			return nil, err
		}
		e.client.noteRetry(err, wait)
		if pauseErr := e.client.o.Pause(ctx, wait); pauseErr != nil {
			return nil, err
		}
	}
}

// admitted makes a request with the pass that it needs. A pass may have run out: then a new one is got.
func (e *endpoint) admitted(ctx context.Context, r *request) (*http.Response, error) {
	for second := false; ; second = true {
		resp, err := e.send(ctx, r)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || second {
			return resp, err
		}
		again, err := e.pass.renew(resp, r.scopes)
		if err != nil {
			resp.Body.Close()
			return nil, err
		}
		if !again || r.once && r.body != nil { // a body that is streamed cannot be sent again just like that
			return resp, nil
		}
		drain(resp)
	}
}

// send makes a request once.
func (e *endpoint) send(ctx context.Context, r *request) (*http.Response, error) {
	target, err := e.at(r.path)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(withWhy(ctx, r.why), r.method, target.String(), nil)
	if err != nil {
		return nil, err
	}
	if r.header != nil {
		req.Header = r.header.Clone()
	}
	req.Header.Set("User-Agent", userAgent)
	if r.body != nil {
		if req.Body, err = r.body(); err != nil {
			return nil, err
		}
		req.ContentLength = r.length
		if r.length == 0 { // else it would mean "not known"
			req.Body = http.NoBody
		}
	}
	if !r.first && target.Host == e.base.Host { // a storage server elsewhere has no business with our pass
		if err := e.authorize(ctx, req, r.scopes); err != nil {
			return nil, errors.Join(err, closeBody(req))
		}
	}
	resp, err := e.http.Do(req)
	if err != nil {
		return nil, e.unreachable(ctx, err)
	}
	return resp, nil
}

func closeBody(req *http.Request) error {
	if req.Body == nil {
		return nil
	}
	return req.Body.Close()
}

// drain reads the rest of a short answer, so that the connection can be used again.
func drain(resp *http.Response) {
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	resp.Body.Close()
}

// readAll reads an answer that must not be longer than limit.
func readAll(resp *http.Response, limit int64) ([]byte, error) {
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s %s: the answer is longer than %d bytes", resp.Request.Method, readable(resp.Request.URL), limit)
	}
	return data, err
}

// backOff doubles with each attempt. A part of it is chance, so that a class of thirty does not come back all at once.
func backOff(attempt int) time.Duration {
	d := 250 * time.Millisecond << min(attempt-1, 6)
	return d + rand.N(d/2)
}

// retryAfter is how long a registry wants us to wait (RFC 9110, 10.2.3): seconds, or a date.
func retryAfter(resp *http.Response) time.Duration {
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 1<<20)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return time.Until(date)
	}
	return 0
}

func isPassingStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// isPassing tells a connection that broke from one that will never be.
func isPassing(err error, first bool) bool {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return false
	case errors.Is(err, syscall.ECONNREFUSED):
		return !first
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed), errors.Is(err, errStalled):
		return true
	case strings.Contains(err.Error(), "server closed idle connection"), strings.Contains(err.Error(), "http2:"), strings.Contains(err.Error(), "stream error:"):
		return true // Go does not export these; it tries again by itself only what has no body
	case errors.As(err, &timeout):
		return timeout.Timeout() && !first && !errors.Is(err, context.DeadlineExceeded)
	}
	return false
}

func (c *Client) noteRetry(err error, wait time.Duration) {
	if c.o.Note != nil {
		c.o.Note(section, fmt.Sprintf("sleep %.1f", wait.Seconds()), kernel.Why{EN: "then once more: " + err.Error(), ZH: "然后重试：" + err.Error()})
	}
}
