package userland

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// wgetCall is one call of wget.
type wgetCall struct {
	*Process
	quiet, headers, spider bool
	output, directory      string
	patience               time.Duration // how long nothing may come; 0: for ever
	client                 *http.Client
}

// runWget fetches a file over HTTP or HTTPS.
func runWget(p *Process) int {
	opts, words, err := p.options("O:P:qST:U:s2:3:5", map[string]string{
		"output-document": "O", "directory-prefix": "P", "quiet": "q", "server-response": "S", "timeout": "T", "user-agent": "U", "spider": "s",
		"header": "2", "post-data": "3", "no-check-certificate": "5",
	})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(words) == 0 {
		return p.Fail("usage: wget [-q] [-S] [-O FILE] [-P DIRECTORY] [-T SECONDS] [--header TEXT] [--post-data TEXT] [--spider] URL…")
	}
	w := &wgetCall{Process: p, quiet: opts.has('q'), headers: opts.has('S'), spider: opts.has('s'), output: opts.value('O'), directory: opts.value('P')}
	transport := &http.Transport{
		DialContext: w.dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: opts.has('5')}, DisableCompression: true, Proxy: http.ProxyFromEnvironment,
	}
	w.client = &http.Client{Transport: transport}
	if opts.has('T') {
		if w.patience, err = time.ParseDuration(opts.value('T') + "s"); err != nil || w.patience < 0 {
			return p.Fail("invalid number '%s'", opts.value('T'))
		}
	}
	for _, word := range words {
		request, err := newRequest(word, opts)
		if err == nil {
			err = w.fetch(request)
		}
		if err != nil {
			return p.Fail("%s", wgetErrorText(err))
		}
	}
	return 0
}

func newRequest(address string, opts *options) (*http.Request, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	method, body := http.MethodGet, io.Reader(nil)
	if opts.has('3') {
		method, body = http.MethodPost, strings.NewReader(opts.value('3'))
	}
	request, err := http.NewRequest(method, address, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "Wget")
	if opts.has('U') {
		request.Header.Set("User-Agent", opts.value('U'))
	}
	if opts.has('3') {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, header := range opts.values('2') {
		name, value, _ := strings.Cut(header, ":")
		if strings.EqualFold(name, "host") {
			request.Host = strings.TrimSpace(value)
		}
		request.Header.Set(name, strings.TrimSpace(value))
	}
	return request, nil
}

// say reports progress, on stderr as the file may go to stdout.
func (w *wgetCall) say(format string, args ...any) {
	if !w.quiet {
		fmt.Fprintf(w.Stderr, format, args...)
	}
}

// badAddress is a host that nobody knows.
type badAddress string

func (b badAddress) Error() string { return fmt.Sprintf("bad address '%s'", string(b)) }

// dial announces each connection, also those of redirections.
func (w *wgetCall) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ip, err := resolve(host, false, false)
	if err != nil {
		return nil, badAddress(host)
	}
	shown := host
	if port != "80" && port != "443" {
		shown = address
	}
	endpoint := netip.MustParseAddrPort(net.JoinHostPort(ip.String(), port)).String()
	w.say("Connecting to %s (%s)\n", shown, endpoint)
	dialer := net.Dialer{Timeout: w.patience}
	conn, err := dialer.DialContext(ctx, network, endpoint)
	if err != nil || w.patience == 0 {
		return conn, err
	}
	return &impatient{conn, w.patience}, nil
}

// impatient is a connection that is given up when nothing has come for some time. A download may take as long as it likes.
type impatient struct {
	net.Conn
	patience time.Duration
}

func (c *impatient) Read(data []byte) (int, error) {
	c.SetReadDeadline(time.Now().Add(c.patience))
	return c.Conn.Read(data)
}

// wgetErrorText finds the sentence that matters in an error of net/http.
func wgetErrorText(err error) string {
	var unknown badAddress
	var dial *net.OpError
	var failed *url.Error
	switch {
	case os.IsTimeout(err):
		return "download timed out"
	case errors.As(err, &unknown):
		return unknown.Error()
	case errors.As(err, &dial) && dial.Op == "dial" && dial.Addr != nil:
		host, _, _ := net.SplitHostPort(dial.Addr.String())
		return fmt.Sprintf("can't connect to remote host (%s): %s", host, causeText(err))
	case errors.As(err, &failed) && failed.Timeout():
		return "download timed out"
	case errors.As(err, &failed):
		return failed.Err.Error()
	}
	return err.Error()
}

func (w *wgetCall) fetch(request *http.Request) error {
	response, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if w.headers {
		w.printHeaders(response)
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("server returned error: %s %s", response.Proto, response.Status)
	}
	if w.spider {
		w.say("remote file exists\n")
		return nil
	}
	if w.output == "-" {
		w.say("writing to stdout\n")
		if err := w.save(w.Stdout, response, "-"); err != nil {
			return err
		}
		w.say("written to stdout\n")
		return nil
	}
	return w.saveFile(response)
}

func (w *wgetCall) printHeaders(response *http.Response) {
	fmt.Fprintf(w.Stderr, "  %s %s\n", response.Proto, response.Status)
	names := make([]string, 0, len(response.Header))
	for name := range response.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range response.Header[name] {
			fmt.Fprintf(w.Stderr, "  %s: %s\n", name, value)
		}
	}
	fmt.Fprintln(w.Stderr, "  ")
}

// saveFile names the file after the URL's last part. It overwrites only what was named with -O.
func (w *wgetCall) saveFile(response *http.Response) error {
	name, flags := w.output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC
	if name == "" {
		name, flags = path.Base(response.Request.URL.Path), os.O_WRONLY|os.O_CREATE|os.O_EXCL
		if strings.HasSuffix(response.Request.URL.Path, "/") || name == "." || name == "/" {
			name = "index.html"
		}
		name = filepath.Join(w.directory, name)
	}
	file, err := os.OpenFile(name, flags, 0o666)
	if err != nil {
		return fmt.Errorf("can't open '%s': %s", name, causeText(err))
	}
	w.say("saving to '%s'\n", name)
	if err := w.save(file, response, filepath.Base(name)); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	w.say("'%s' saved\n", name)
	return nil
}

// save copies the body and draws how far it is.
func (w *wgetCall) save(to io.Writer, response *http.Response, name string) error {
	bar := &progressBar{out: w.Stderr, name: name, total: response.ContentLength, started: time.Now(), quiet: w.quiet}
	_, _, bar.live = terminalSize(w.Stderr)
	_, err := io.Copy(io.MultiWriter(to, bar), response.Body)
	if err == nil && response.ContentLength > bar.done {
		err = fmt.Errorf("connection closed prematurely")
	}
	bar.draw(true)
	return err
}
