package registry

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"sandbox/kernel"
)

func TestSchemes(t *testing.T) {
	c := New(Options{Insecure: []string{"plain.example:5000", "host.example", "10.1.0.0/16"}})
	for host, wanted := range map[string]string{
		"localhost": "http https", "localhost:5000": "http https", "127.3.4.5:5000": "http https", "[::1]:5000": "http https", "demo.localhost:1": "http https",
		"plain.example:5000": "https http", "plain.example": "https", "host.example:7": "https http", "10.1.2.3:5000": "https http", "10.2.0.1": "https",
		"registry-1.docker.io": "https", "localhost.example": "https", "1270.0.0.1": "https",
	} {
		if got := strings.Join(schemes(host, c.isInsecure(host)), " "); got != wanted {
			t.Errorf("%s: %s", host, got)
		}
	}
}

// TestUnreachable: each way of not getting there has its own cause and cure.
func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := listener.Addr().String()
	listener.Close()
	_, err = New(Options{}).Catalog(t.Context(), free)
	wantError(t, err, "nobody listens at "+free+": connection refused", "sandbox registry serve --addr "+free)

	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	host := strings.TrimPrefix(other.URL, "http://")
	_, err = New(Options{}).Catalog(t.Context(), host)
	wantError(t, err, "is no registry", "check the host and port")

	// A registry somewhere else that speaks plain HTTP: only if the user says so.
	c := New(Options{})
	transport, err := c.transport(host, false)
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{client: c, registry: host, base: &url.URL{Scheme: "https", Host: host}, http: &http.Client{Transport: transport}}
	wantError(t, e.ping(t.Context()), "speaks plain HTTP", "SANDBOX_INSECURE_REGISTRIES="+host)

	dns := &net.DNSError{Err: "no such host", Name: "registry.invalid", IsNotFound: true}
	e.base.Host = "registry.invalid:5000"
	wantError(t, e.unreachable(t.Context(), dns), "cannot find out where registry.invalid is", "SANDBOX_MIRROR")
}

// TestGarbageInsteadOfHTTP: something else listens there.
func TestGarbageInsteadOfHTTP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 1))
			fmt.Fprint(conn, "SSH-2.0-OpenSSH_9.2\r\n")
			conn.Close()
		}
	}()
	if _, err := New(Options{Pause: newWorld(t, nil).o.Pause}).Catalog(t.Context(), listener.Addr().String()); err == nil {
		t.Error("no error")
	}
}

// TestNearestTag: a slip of the keys is told what there is.
func TestNearestTag(t *testing.T) {
	s := newShelf()
	s.image(t, "22.04", thisPlatform(), "x")
	s.image(t, "24.04", thisPlatform(), "x")
	w := newWorld(t, s)
	_, _, err := w.pull(newStore(t), "ubuntu:22.40")
	wantError(t, err, `has no tag "22.40" of ubuntu; it has 2, as 22.04`, "sandbox pull "+w.host+"/ubuntu:22.04")
}

// TestPages: lists come in pages, and some have no end.
func TestPages(t *testing.T) {
	w := newWorld(t, nil)
	store := newStore(t)
	img := makeImage(t, store, "x")
	for _, name := range []string{"b:2", "b:1", "c:1", "a/d:1", "b:10"} {
		w.mustPush(store, img, name)
	}
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if query := r.URL.Query(); query.Get("n") == "" {
			query.Set("n", "1")
			r.URL.RawQuery = query.Encode()
		}
		return out
	})
	if tags, err := w.client.Tags(t.Context(), w.name("b")); err != nil || !slices.Equal(tags, []string{"1", "10", "2"}) {
		t.Errorf("%v %v", tags, err)
	}
	if all, err := w.client.Catalog(t.Context(), w.host); err != nil || !slices.Equal(all, []string{"a/d", "b", "c"}) {
		t.Errorf("%v %v", all, err)
	}
	found, err := w.client.Search(t.Context(), w.host, "B", 5)
	if err != nil || len(found) != 1 || found[0].Name != w.host+"/b" {
		t.Errorf("%v %v", found, err)
	}
	_, err = w.client.Tags(t.Context(), w.name("nothing"))
	wantError(t, err, "has no", "check the name")
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if strings.HasSuffix(r.URL.Path, "/list") {
			out.Header().Set("Link", `</v2/b/tags/list?n=1&last=1>; rel="next"`)
			fmt.Fprint(out, `{"tags":["1"]}`)
			return nil
		}
		return out
	})
	_, err = w.client.Tags(t.Context(), w.name("b"))
	wantError(t, err, "has no end", "")
}

// TestExplained: each request is told of, with its reason in both languages.
func TestExplained(t *testing.T) {
	w := newWorld(t, nil)
	var mu sync.Mutex
	var notes []string
	w.o.Note = func(section, line string, why kernel.Why) {
		mu.Lock()
		defer mu.Unlock()
		if section != "2.6" || why.EN == "" || why.ZH == "" {
			t.Errorf("[%s] %s: why? %+v", section, line, why)
		}
		notes = append(notes, line)
	}
	w.fresh()
	store := newStore(t)
	img := makeImage(t, store, noise(2<<20))
	w.mustPush(store, img, "demo:1")
	w.mustPull(newStore(t), "demo:1")
	if got, wanted := len(notes), w.count(""); got != wanted {
		t.Errorf("%d requests, %d told of:\n%s", wanted, got, strings.Join(notes, "\n"))
	}
	if !slices.ContainsFunc(notes, func(s string) bool {
		return strings.HasPrefix(s, "PATCH http://"+w.host) && strings.Contains(s, "→ 202, 2.1 MB in")
	}) {
		t.Errorf("no upload in\n%s", strings.Join(notes, "\n"))
	}
}

func TestParsePlatform(t *testing.T) {
	for s, wanted := range map[string]string{
		"linux/amd64": "linux/amd64", "linux/arm64/v8": "linux/arm64", "aarch64": "linux/arm64", "linux/x86_64": "linux/amd64", "linux/arm": "linux/arm/v7", "linux/arm/6": "linux/arm/v6",
		"windows/amd64": "windows/amd64", "linux/armhf": "linux/arm/v7",
	} {
		if p, err := ParsePlatform(s); err != nil || platformName(p) != wanted {
			t.Errorf("%s: %s %v", s, platformName(p), err)
		}
	}
	for _, s := range []string{"", "/", "linux/", "a/b/c/d", "linux//v7"} {
		if p, err := ParsePlatform(s); err == nil {
			t.Errorf("%q: %+v", s, p)
		}
	}
}
