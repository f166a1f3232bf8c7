package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/kernel"
)

const (
	inOnePiece = 1 << 20   // bytes: what is not larger goes with the PUT that ends the upload
	chunkSize  = 256 << 20 // of what is larger, at most with one PATCH: proxies do not let any amount pass
)

var (
	whyExists = kernel.Why{EN: "does the repository have this blob already?", ZH: "仓库里已经有这个 blob 了吗？"}
	whyMount  = kernel.Why{EN: "another repository there should have it: take it from there, without sending a byte", ZH: "那边另一个仓库应该有它：直接挂载过来，一个字节也不用传"}
	whyBegin  = kernel.Why{EN: "begin an upload", ZH: "开始一次上传"}
	whyChunk  = kernel.Why{EN: "the bytes", ZH: "传输数据"}
	whyStatus = kernel.Why{EN: "the connection broke: how much has arrived?", ZH: "连接断了：已经收到多少？"}
	whyFinish = kernel.Why{EN: "that is all: the registry compares the digest", ZH: "传完了：由 Registry 核对 digest"}
)

// upload brings one blob into a repository (specification, "Pushing blobs").
type upload struct {
	e          *endpoint
	repository string
	scopes     []string
	content    content

	location string // where the bytes go: the registry gives it anew with each answer; "" before there is one
	offset   int64  // what the registry has
}

// has asks whether the repository has a blob.
func (e *endpoint) has(ctx context.Context, repository string, blob v1.Descriptor) (bool, error) {
	resp, err := e.do(ctx, &request{
		method: http.MethodHead, path: "/v2/" + repository + "/blobs/" + blob.Digest.String(), scopes: []string{scope(repository, "pull,push")},
		want: []int{http.StatusOK, http.StatusNotFound}, why: whyExists,
	})
	if err != nil {
		return false, err
	}
	drain(resp)
	return resp.StatusCode == http.StatusOK, nil
}

// mount asks for a blob of another repository. If the registry does not want to, it has begun an upload instead.
func (u *upload) mount(ctx context.Context, digest v1.Hash, from string) (bool, error) {
	query := url.Values{"mount": {digest.String()}, "from": {from}}
	resp, err := u.e.do(ctx, &request{
		method: http.MethodPost, path: "/v2/" + u.repository + "/blobs/uploads/?" + query.Encode(), scopes: append(u.scopes, scope(from, "pull")),
		want: []int{http.StatusCreated, http.StatusAccepted}, why: whyMount,
	})
	if err != nil {
		return false, err
	}
	defer drain(resp)
	if resp.StatusCode == http.StatusCreated {
		return true, nil
	}
	return false, u.moved(resp)
}

// begin asks for a place to send bytes to.
func (u *upload) begin(ctx context.Context) error {
	resp, err := u.e.do(ctx, &request{
		method: http.MethodPost, path: "/v2/" + u.repository + "/blobs/uploads/", scopes: u.scopes, want: []int{http.StatusAccepted}, why: whyBegin,
	})
	if err != nil {
		return err
	}
	defer drain(resp)
	u.offset = 0
	return u.moved(resp)
}

// moved takes over the Location of an answer.
func (u *upload) moved(resp *http.Response) error {
	location, err := resp.Location()
	if err != nil {
		return fmt.Errorf("%s accepts an upload, but does not say where: %w", u.e.registry, err)
	}
	u.location = location.String()
	return nil
}

// run sends the content, over as many connections as it takes. It returns what was sent.
func (u *upload) run(ctx context.Context) (v1.Descriptor, error) {
	for failures := 0; ; {
		if u.location == "" {
			if err := u.begin(ctx); err != nil {
				return v1.Descriptor{}, err
			}
		}
		before := u.offset
		blob, err := u.attempt(ctx)
		if err == nil {
			return blob, nil
		}
		if ctx.Err() != nil {
			return blob, context.Cause(ctx)
		}
		if !isWorthAnother(err) {
			return blob, err
		}
		if failures++; failures == attempts {
			return blob, kernel.Advise(fmt.Errorf("upload to %s: it failed %d times in a row: %w", u.e.registry, attempts, err), "try again later: what is complete there is not sent again")
		}
		wait := backOff(failures)
		u.e.client.noteRetry(err, wait)
		if err := u.e.client.o.Pause(ctx, wait); err != nil {
			return blob, err
		}
		if u.findOut(ctx) > before {
			failures = 0
		}
	}
}

// isWorthAnother tells what another attempt may get over: what passes, and a registry that has lost track of the upload.
func isWorthAnother(err error) bool {
	var p *Problem
	if !errors.As(err, &p) {
		return isPassing(err, false)
	}
	switch p.Status {
	case http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable, http.StatusUnauthorized:
		return true // the upload has run out, bytes were lost, the token has
	case http.StatusBadRequest:
		return p.has("DIGEST_INVALID") || p.has("BLOB_UPLOAD_INVALID") || p.has("SIZE_INVALID")
	}
	return isPassingStatus(p.Status)
}

// findOut asks how much has arrived, and returns it. If nobody knows, the upload begins anew.
func (u *upload) findOut(ctx context.Context) int64 {
	if u.location == "" {
		return 0
	}
	resp, err := u.e.do(ctx, &request{
		method: http.MethodGet, path: u.location, scopes: u.scopes, want: []int{http.StatusNoContent, http.StatusAccepted}, why: whyStatus,
	})
	u.offset = 0
	if err != nil {
		u.location = ""
		return 0
	}
	defer drain(resp)
	if resp.Header.Get("Location") != "" && u.moved(resp) != nil {
		u.location = ""
		return 0
	}
	u.offset = received(resp)
	return u.offset
}

// received reads how much a registry has: Range: 0-99 is a hundred bytes. 0-0 is nothing, as they all have it, although one
// byte would look the same.
func received(resp *http.Response) int64 {
	_, end, found := strings.Cut(resp.Header.Get("Range"), "-")
	last, err := strconv.ParseInt(end, 10, 64)
	if !found || err != nil || last <= 0 {
		return 0
	}
	return last + 1
}

// attempt sends what the registry does not have yet, and ends the upload.
func (u *upload) attempt(ctx context.Context) (v1.Descriptor, error) {
	blob, known := u.content.describe()
	if known && blob.Size <= inOnePiece && u.offset == 0 {
		return blob, u.finish(ctx, blob)
	}
	if !known {
		if err := u.send(ctx, -1); err != nil {
			return blob, err
		}
		if blob, known = u.content.describe(); !known {
			return blob, u.startOver(fmt.Errorf("%s did not want all of it", u.e.registry))
		}
	}
	for u.offset < blob.Size {
		if err := u.send(ctx, min(chunkSize, blob.Size-u.offset)); err != nil {
			return blob, err
		}
	}
	if u.offset != blob.Size {
		return blob, u.startOver(fmt.Errorf("%s has %d bytes of an upload of %d", u.e.registry, u.offset, blob.Size))
	}
	return blob, u.finish(ctx, blob)
}

// startOver gives an upload up.
func (u *upload) startOver(err error) error {
	u.location = ""
	return errors.Join(io.ErrUnexpectedEOF, err)
}

// send sends a chunk; length -1: all there is, with nobody knowing how much that is.
func (u *upload) send(ctx context.Context, length int64) error {
	stream, err := u.content.open(u.offset)
	if err != nil {
		return err
	}
	w := watch(ctx, stallTimeout)
	defer w.stop()
	body := &chunk{from: stream, left: length, w: w}
	header := http.Header{"Content-Type": {"application/octet-stream"}}
	if length >= 0 {
		header.Set("Content-Range", fmt.Sprintf("%d-%d", u.offset, u.offset+length-1)) // not as RFC 9110 has it: the specification's own
	}
	resp, err := u.e.do(w.ctx, &request{
		method: http.MethodPatch, path: u.location, header: header, body: func() (io.ReadCloser, error) { return body, nil }, length: length,
		scopes: u.scopes, want: []int{http.StatusAccepted, http.StatusNoContent}, why: whyChunk, once: true,
	})
	n, failure := body.outcome()
	if failure != nil { // our own fault, whatever became of the request
		return failure
	}
	if err != nil {
		if errors.Is(context.Cause(w.ctx), errStalled) {
			err = errStalled
		}
		return err
	}
	defer drain(resp)
	u.offset += n
	if got := received(resp); got > 0 && got != u.offset {
		return u.startOver(fmt.Errorf("%s has received %d bytes, %d were sent", u.e.registry, got, u.offset))
	}
	return u.moved(resp)
}

// finish ends the upload; a small blob goes along.
func (u *upload) finish(ctx context.Context, blob v1.Descriptor) error {
	location, err := url.Parse(u.location)
	if err != nil {
		return err
	}
	query := location.Query()
	query.Set("digest", blob.Digest.String())
	location.RawQuery = query.Encode()
	r := &request{
		method: http.MethodPut, path: location.String(), header: http.Header{"Content-Type": {"application/octet-stream"}},
		scopes: u.scopes, want: []int{http.StatusCreated, http.StatusNoContent}, why: whyFinish, once: true,
	}
	if u.offset == 0 {
		r.body, r.length = func() (io.ReadCloser, error) { return u.content.open(0) }, blob.Size
	}
	resp, err := u.e.do(ctx, r)
	if err != nil {
		u.location = "" // it may have been ended, or not: nobody can say what is at this place
		return u.e.wrongDigest(err, blob)
	}
	drain(resp)
	if said := resp.Header.Get("Docker-Content-Digest"); strings.HasPrefix(said, "sha256:") && said != blob.Digest.String() {
		return fmt.Errorf("wrong content: blob %s was sent, %s calls it %s", blob.Digest, u.e.registry, tidy(said))
	}
	return nil
}

func (e *endpoint) wrongDigest(err error, blob v1.Descriptor) error {
	var p *Problem
	if errors.As(err, &p) && p.has("DIGEST_INVALID") {
		return fmt.Errorf("%s says that what it got is not %s: %w", e.registry, blob.Digest, p)
	}
	return err
}

// chunk is the body of a PATCH: a part of the content. A registry may answer before it has read all, while it is still
// being sent by another goroutine; hence the lock.
type chunk struct {
	from io.ReadCloser
	w    *watchdog

	mu      sync.Mutex
	left    int64 // -1: to the end
	n       int64
	failure error // of reading: the disk's, or the store's
}

func (c *chunk) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return 0, io.EOF
	}
	if c.left > 0 {
		p = p[:min(int64(len(p)), c.left)]
	}
	n, err := c.from.Read(p)
	c.n += int64(n)
	if c.left > 0 {
		c.left -= int64(n)
	}
	c.w.kick()
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, fs.ErrClosed) {
		c.failure = err
	}
	return n, err
}

func (c *chunk) Close() error { return c.from.Close() }

// outcome is how much was read, and what hindered it.
func (c *chunk) outcome() (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n, c.failure
}
