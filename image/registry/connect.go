package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"sandbox/kernel"
)

// Docker Hub's names: in names of images; where it answers; and where accounts are concerned, and the search.
const (
	Hub        = "docker.io"
	hubHost    = "registry-1.docker.io"
	HubAccount = "https://index.docker.io/v1/"
)

// endpoint is a registry that has answered.
type endpoint struct {
	client   *Client
	registry string // as names have it: "docker.io"
	base     *url.URL
	http     *http.Client
	pass     passport
}

// connect finds out how a registry wants to be spoken to. Docker Hub is itself here, never the mirror.
func (c *Client) connect(ctx context.Context, registry string) (*endpoint, error) {
	if registry == "" {
		return nil, errors.New("an image without a registry's name, as the built-in ones are, is in no registry")
	}
	host := registry
	if registry == Hub {
		host = hubHost
	}
	return c.connectTo(ctx, registry, host)
}

// sources are the registries that may have what is called registry, in the order in which they are to be asked.
func (c *Client) sources(registry string) []func(context.Context) (*endpoint, error) {
	itself := func(ctx context.Context) (*endpoint, error) { return c.connect(ctx, registry) }
	if registry != Hub || c.o.Mirror == "" {
		return []func(context.Context) (*endpoint, error){itself}
	}
	mirror := func(ctx context.Context) (*endpoint, error) {
		_, host, hasScheme := strings.Cut(strings.TrimSuffix(c.o.Mirror, "/"), "://")
		if !hasScheme {
			host = strings.TrimSuffix(c.o.Mirror, "/")
		}
		return c.connectTo(ctx, host, host)
	}
	return []func(context.Context) (*endpoint, error){mirror, itself}
}

func (c *Client) connectTo(ctx context.Context, registry, host string) (*endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.found[host]; e != nil {
		return e, nil
	}
	insecure := c.isInsecure(host)
	transport, err := c.transport(host, insecure)
	if err != nil {
		return nil, err
	}
	var problem error
	for _, scheme := range schemes(host, insecure) {
		e := &endpoint{client: c, registry: registry, http: &http.Client{Transport: transport}, base: &url.URL{Scheme: scheme, Host: host}}
		e.pass.account = registry
		err := e.ping(ctx)
		if err == nil {
			c.found[host] = e
			return e, nil
		}
		// The first says more, but for a server that does not speak its language.
		if problem == nil || isOtherLanguage(problem) {
			problem = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, problem
}

// schemes are the ways to try. Nothing between two programs of one machine can be overheard or changed on the way, so
// plain HTTP comes first there; elsewhere it is for those registries only that the user has called insecure.
func schemes(host string, insecure bool) []string {
	switch {
	case isLoopback(host):
		return []string{"http", "https"}
	case insecure:
		return []string{"https", "http"}
	}
	return []string{"https"}
}

// hostOnly is a host without its port and brackets.
func hostOnly(host string) string { return (&url.URL{Host: host}).Hostname() }

func isLoopback(host string) bool {
	name := hostOnly(host)
	address, err := netip.ParseAddr(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || err == nil && address.IsLoopback()
}

func (c *Client) isInsecure(host string) bool {
	address, addressErr := netip.ParseAddr(hostOnly(host))
	for _, pattern := range c.o.Insecure {
		if pattern == host || pattern == hostOnly(host) {
			return true
		}
		if prefix, err := netip.ParsePrefix(pattern); err == nil && addressErr == nil && prefix.Contains(address) {
			return true
		}
	}
	return isLoopback(host)
}

var whyPing = kernel.Why{EN: "is a registry there, and whom does it let in?", ZH: "那里有 Registry 吗？要不要登录？"}

// ping is the request with which every conversation begins (specification, end-1). The answer says whether a login is
// wanted, and where to get it.
func (e *endpoint) ping(ctx context.Context) error {
	resp, err := e.send(ctx, &request{method: http.MethodGet, path: "/v2/", why: whyPing, first: true})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusOK:
		return nil
	case resp.StatusCode == http.StatusUnauthorized:
		return e.pass.learn(resp)
	case resp.StatusCode == http.StatusBadRequest && e.base.Scheme == "http" && speaksTLS(resp):
		return &languageError{fmt.Errorf("%s speaks HTTPS", e.base.Host)}
	case resp.StatusCode == http.StatusNotFound:
		return kernel.Advise(fmt.Errorf("%s answers, but is no registry: GET %s/v2/ gives 404", e.base.Host, e.base), "check the host and port in the image's name")
	}
	return e.failed(resp)
}

// at resolves a path or a Location against the registry's address. A registry behind a proxy that ends TLS often does not
// know that it is spoken to by HTTPS; what we say is not to be sent in plain for that.
func (e *endpoint) at(reference string) (*url.URL, error) {
	u, err := e.base.Parse(reference)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s names an address that is none: %q", e.base.Host, reference)
	}
	if u.Host == e.base.Host {
		u.Scheme = e.base.Scheme
	}
	if u.Scheme != e.base.Scheme && u.Scheme != "https" {
		return nil, fmt.Errorf("%s leads to %s, without encryption", e.base.Host, u.Host)
	}
	return u, nil
}
