package registry

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"sandbox/kernel"
)

// Problem is what a registry answered instead of what it was asked for.
type Problem struct {
	Method, URL string
	Status      int
	Codes       []string // as the specification has them: MANIFEST_UNKNOWN; none if the answer was not a registry's
	Message     string   // the registry's own words; "" if it has none
}

func (p *Problem) Error() string {
	s := fmt.Sprintf("%s %s: %d %s", p.Method, p.URL, p.Status, strings.ToLower(http.StatusText(p.Status)))
	if p.Message != "" {
		s += " (" + p.Message + ")"
	}
	return s
}

// has reports whether the registry gave this code.
func (p *Problem) has(code string) bool {
	for _, c := range p.Codes {
		if c == code {
			return true
		}
	}
	return false
}

// maxProblem is how much of an error's text is read.
const maxProblem = 1 << 14

// readProblem reads an answer that is an error (specification, "Error Codes") and closes it.
func readProblem(resp *http.Response) *Problem {
	defer resp.Body.Close()
	p := &Problem{Method: resp.Request.Method, URL: readable(resp.Request.URL), Status: resp.StatusCode}
	data, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	var body struct {
		Errors []struct{ Code, Message string } `json:"errors"`
		// What token servers and proxies say.
		Details string `json:"details"`
		Message string `json:"message"`
	}
	if json.Unmarshal(data, &body) != nil {
		return p
	}
	var words []string
	for _, e := range body.Errors {
		p.Codes = append(p.Codes, e.Code)
		if e.Message != "" {
			words = append(words, e.Message)
		}
	}
	for _, s := range []string{body.Details, body.Message} {
		if s != "" && len(words) == 0 {
			words = append(words, s)
		}
	}
	p.Message = printable(strings.Join(words, "; "))
	return p
}

// printable keeps a foreign text to one line without control characters: it goes to the user's terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 200 {
		s = string(runes[:200]) + "…"
	}
	return s
}

// failed is the error for an answer that nobody wanted, with its cure.
func (e *endpoint) failed(resp *http.Response) error {
	p := readProblem(resp)
	if resp.StatusCode == http.StatusUnauthorized {
		return e.notLetIn(p)
	}
	return e.adviseStatus(p)
}

func (e *endpoint) adviseStatus(p *Problem) error {
	switch {
	case p.Status == http.StatusForbidden:
		return kernel.Advise(fmt.Errorf("%s forbids it: %w", e.registry, p), "another account may be allowed to: sandbox login %s", e.loginArgument())
	case p.Status == http.StatusTooManyRequests && e.registry == Hub:
		return kernel.Advise(fmt.Errorf("%s limits how much may be pulled: %w", e.registry, p), "sandbox login raises the limit; or use a mirror: SANDBOX_MIRROR=host:port")
	case p.Status == http.StatusTooManyRequests:
		return kernel.Advise(fmt.Errorf("%s has had too many requests: %w", e.registry, p), "wait a while")
	case p.Status == http.StatusInsufficientStorage:
		return kernel.Advise(fmt.Errorf("%s has no space left: %w", e.registry, p), "its disk is full, not ours: ask whoever runs it")
	case p.Status >= 500:
		return kernel.Advise(fmt.Errorf("%s is in trouble: %w", e.registry, p), "the fault is the registry's: try again later, or look at its log")
	case p.Status == http.StatusMethodNotAllowed || p.has("UNSUPPORTED"):
		return kernel.Advise(fmt.Errorf("%s does not offer this: %w", e.registry, p), "it may be read-only: a mirror, say")
	}
	return p
}

// notLetIn is the error for a request that was refused although it showed the pass that we could get.
func (e *endpoint) notLetIn(p *Problem) error {
	e.pass.mu.Lock()
	account := e.pass.credential
	e.pass.mu.Unlock()
	if account == (Credential{}) {
		return kernel.Advise(fmt.Errorf("%s does not let everybody do this: %w", e.registry, p), "sandbox login %s   (or there is no such repository: registries often do not say which)", e.loginArgument())
	}
	return kernel.Advise(fmt.Errorf("%s does not let %s do this: %w", e.registry, account.who(), p),
		"check the repository's name; sandbox login %s if the password has changed", e.loginArgument())
}

func (c Credential) who() string {
	if c.Username == "" {
		return "this account"
	}
	return fmt.Sprintf("%q", c.Username)
}

// languageError: plain HTTP was spoken where TLS was expected, or the other way round.
type languageError struct{ error }

func isOtherLanguage(err error) bool {
	var language *languageError
	return errors.As(err, &language)
}

// speaksTLS recognises how a Go, nginx or Apache server answers plain HTTP on a port for HTTPS.
func speaksTLS(resp *http.Response) bool {
	data, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	text := strings.ToLower(string(data))
	return strings.Contains(text, "https") && (strings.Contains(text, "plain http") || strings.Contains(text, "http request") || strings.Contains(text, "ssl-enabled"))
}

// unreachable is the error for a request that got no answer, with its cure.
func (e *endpoint) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err // it has the whole URL in it, with what is nobody's business
	}
	host := e.base.Host
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &dns):
		return e.adviseOffline(fmt.Errorf("cannot find out where %s is: %w", hostOnly(host), dns))
	case errors.Is(err, syscall.ECONNREFUSED):
		return kernel.Advise(fmt.Errorf("nobody listens at %s: connection refused: %w", host, err), "%s", e.cureRefused())
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return e.adviseOffline(fmt.Errorf("cannot reach %s: %w", host, err))
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"), strings.Contains(err.Error(), "first record does not look like a TLS handshake"):
		return kernel.Advise(&languageError{fmt.Errorf("%s speaks plain HTTP, without encryption", host)}, "if that is meant to be: SANDBOX_INSECURE_REGISTRIES=%s", host)
	case strings.Contains(err.Error(), "malformed HTTP response"):
		return &languageError{fmt.Errorf("%s does not speak plain HTTP", host)}
	case errors.As(err, &authority):
		return kernel.Advise(fmt.Errorf("the certificate of %s is from an authority that this machine does not know: %w", host, authority),
			"put the authority's certificate into ~/.config/sandbox/certs.d/%s/ca.crt", host)
	case errors.As(err, &name):
		return kernel.Advise(fmt.Errorf("the certificate of %s is another host's: %w", host, name), "use the name in the certificate")
	case errors.As(err, &invalid):
		return kernel.Advise(fmt.Errorf("the certificate of %s is not valid: %w", host, invalid), "check this machine's clock: date")
	}
	return fmt.Errorf("connection to %s: %w", host, err)
}

func (e *endpoint) cureRefused() string {
	if isLoopback(e.base.Host) {
		return "start a registry: sandbox registry serve --addr " + e.base.Host
	}
	return "is the registry running, is the port right? A firewall may refuse, too"
}

// adviseOffline: there is no way to the registry; in a classroom often to none.
func (e *endpoint) adviseOffline(err error) error {
	return kernel.Advise(err, "is this machine online? Without a network: the built-in images (sandbox run base), sandbox load, or a mirror (SANDBOX_MIRROR=host:port)")
}
