package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/kernel"
)

var (
	whyConfig = kernel.Why{EN: "the configuration: what a container of it runs, and its layers' DiffIDs", ZH: "配置：容器运行什么，以及各层的 DiffID"}
	whyLayer  = kernel.Why{EN: "a layer: hashed and unpacked while it comes", ZH: "一层：边下载边校验、解包"}
	whyResume = kernel.Why{EN: "the connection broke: only what is missing", ZH: "连接断了：只取剩下的部分"}
)

// errStalled: a transfer was given up because nothing moved any more.
var errStalled = errors.New("nothing has come for a minute")

// download reads a blob. When the connection breaks it asks for the rest (Range, RFC 9110, 14.2) and goes on, so that its
// reader does not notice. Whether the bytes are the right ones is for the reader to find out; not more of them come than
// the manifest says.
type download struct {
	ctx        context.Context
	e          *endpoint
	repository string
	blob       v1.Descriptor
	why        kernel.Why
	progress   func(done int64, text string) // may be nil

	body     io.ReadCloser
	watch    *watchdog
	offset   int64 // what has come
	failures int   // in a row
	failedAt int64 // offset at the last failure
}

// Read goes on where the last one ended, over as many connections as it takes.
func (d *download) Read(p []byte) (int, error) {
	for {
		if d.offset >= d.blob.Size {
			return 0, d.checkEnd()
		}
		err := d.open()
		if err == nil {
			var n int
			n, err = d.body.Read(p[:min(int64(len(p)), d.blob.Size-d.offset)])
			if n > 0 {
				d.arrived(n)
				return n, nil
			}
			if err == nil {
				continue
			}
			if cause := context.Cause(d.watch.ctx); cause != nil && d.ctx.Err() == nil {
				err = cause // errStalled, not "canceled"
			}
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
		}
		if err := d.pauseAfter(err); err != nil {
			return 0, err
		}
	}
}

func (d *download) arrived(n int) {
	d.offset += int64(n)
	d.watch.kick()
	if d.progress != nil {
		d.progress(d.offset, "Downloading")
	}
}

// checkEnd looks whether more comes than the manifest has announced.
func (d *download) checkEnd() error {
	if d.body == nil {
		return io.EOF
	}
	if n, _ := io.ReadFull(d.body, make([]byte, 1)); n > 0 {
		return fmt.Errorf("wrong content: %s sends more than the %d bytes that blob %s has by its manifest", d.e.registry, d.blob.Size, d.blob.Digest)
	}
	return io.EOF
}

// pauseAfter decides whether a failure is one to get over.
func (d *download) pauseAfter(err error) error {
	d.shut()
	if d.ctx.Err() != nil {
		return context.Cause(d.ctx)
	}
	if !isPassing(err, false) {
		return err
	}
	const progress = 1 << 16 // bytes: a connection that brings so much is worth another one
	if d.offset-d.failedAt >= progress {
		d.failures = 0
	}
	d.failures, d.failedAt = d.failures+1, d.offset
	if d.failures == attempts {
		return kernel.Advise(fmt.Errorf("%s breaks off again and again, at byte %d of %d of blob %s: %w", d.e.registry, d.offset, d.blob.Size, d.blob.Digest, err),
			"try again later; what is complete by then is not fetched twice in one go")
	}
	wait := backOff(d.failures)
	if d.progress != nil {
		d.progress(d.offset, "Retrying")
	}
	d.e.client.noteRetry(err, wait)
	return d.e.client.o.Pause(d.ctx, wait)
}

// open makes sure that there is a connection, from d.offset on.
func (d *download) open() error {
	if d.body != nil {
		return nil
	}
	d.watch = watch(d.ctx, stallTimeout)
	r := &request{
		method: http.MethodGet, path: "/v2/" + d.repository + "/blobs/" + d.blob.Digest.String(), header: http.Header{},
		scopes: []string{scope(d.repository, "pull")}, want: []int{http.StatusOK, http.StatusPartialContent}, why: d.why,
	}
	if d.offset > 0 {
		r.header.Set("Range", fmt.Sprintf("bytes=%d-", d.offset))
		r.why = whyResume
	}
	resp, err := d.e.do(d.watch.ctx, r)
	if err != nil {
		return d.e.incomplete("blob "+shortDigest(d.blob.Digest.Hex)+", which its manifest names", err)
	}
	d.body = resp.Body
	d.watch.kick()
	return d.place(resp)
}

// place brings the connection to where we are: not every registry can begin in the middle.
func (d *download) place(resp *http.Response) error {
	start := int64(0)
	if resp.StatusCode == http.StatusPartialContent {
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &start); err != nil || start > d.offset {
			return fmt.Errorf("%s was asked for blob %s from byte %d on, and sends %q", d.e.registry, d.blob.Digest, d.offset, tidy(resp.Header.Get("Content-Range")))
		}
	}
	if length := resp.ContentLength; length >= 0 && start+length > d.blob.Size {
		return fmt.Errorf("wrong content: %s has %d bytes for blob %s, its manifest says %d", d.e.registry, start+length, d.blob.Digest, d.blob.Size)
	}
	for skipped := start; skipped < d.offset; {
		n, err := io.CopyN(io.Discard, d.body, min(1<<20, d.offset-skipped))
		skipped += n
		d.watch.kick()
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *download) shut() {
	if d.watch != nil {
		d.watch.stop()
	}
	if d.body != nil {
		d.body.Close()
		d.body = nil
	}
}

// Close ends the connection.
func (d *download) Close() error {
	d.shut()
	return nil
}

// watchdog ends a transfer in which nothing moves: a machine that has vanished, or a firewall that has forgotten the
// connection, would be waited for forever.
type watchdog struct {
	ctx   context.Context
	end   context.CancelCauseFunc
	limit time.Duration
	timer *time.Timer
}

// watch makes a watchdog that sleeps until the first kick.
func watch(parent context.Context, limit time.Duration) *watchdog {
	w := &watchdog{limit: limit}
	w.ctx, w.end = context.WithCancelCause(parent)
	w.timer = time.AfterFunc(limit, func() { w.end(errStalled) })
	w.timer.Stop()
	return w
}

// kick says that something has moved.
func (w *watchdog) kick() { w.timer.Reset(w.limit) }

func (w *watchdog) stop() {
	w.timer.Stop()
	w.end(nil)
}

// small fetches a blob that is not large: a configuration.
func (e *endpoint) small(ctx context.Context, repository string, blob v1.Descriptor) ([]byte, error) {
	if blob.Size > maxConfig || blob.Size < 0 {
		return nil, fmt.Errorf("the configuration has %d bytes: more than %d are not read", blob.Size, maxConfig)
	}
	d := &download{ctx: ctx, why: whyConfig, e: e, repository: repository, blob: blob}
	defer d.Close()
	data, err := io.ReadAll(d)
	if err != nil {
		return nil, err
	}
	if digest, _, err := v1.SHA256(strings.NewReader(string(data))); err != nil || digest != blob.Digest {
		return nil, fmt.Errorf("wrong content: the manifest names configuration %s, %s sent %s", blob.Digest, e.registry, digest)
	}
	return data, nil
}
