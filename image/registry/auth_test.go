package registry

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sandbox/image/registry/server"
	"sandbox/kernel"
)

func TestParseChallenge(t *testing.T) {
	for header, wanted := range map[string]challenge{
		`Basic realm="a registry"`: {scheme: "basic", realm: "a registry"},
		`bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"`: {
			"bearer", "https://auth.example/token", "registry.example", "repository:a/b:pull,push"},
		`Bearer Realm = "https://x/\"y\"" , service=plain, error="insufficient_scope"`: {"bearer", `https://x/"y"`, "plain", ""},
		`BASIC`: {scheme: "basic"},
	} {
		if got, err := parseChallenge([]string{"Negotiate", header}); err != nil || got != wanted {
			t.Errorf("%s: %+v %v", header, got, err)
		}
	}
	both, err := parseChallenge([]string{`Basic realm="x"`, `Bearer realm="https://y"`})
	if err != nil || both.scheme != "bearer" {
		t.Errorf("%+v %v", both, err)
	}
	for _, none := range []string{"", "Negotiate", "Bearer", `Bearer service="x"`, `Digest realm="x"`} {
		if c, err := parseChallenge([]string{none}); err == nil {
			t.Errorf("%q: %+v", none, c)
		}
	}
}

// FuzzParseChallenge: whatever a server writes, it is taken apart in the end.
func FuzzParseChallenge(f *testing.F) {
	f.Add(`Bearer realm="https://auth.example/token",service="registry.example",scope="a"`)
	f.Add(`Basic realm="\`)
	f.Add(`Bearer a=,b="",,="`)
	f.Fuzz(func(t *testing.T, header string) {
		c, err := parseChallenge([]string{header})
		if err == nil && c.scheme != "basic" && c.realm == "" {
			t.Errorf("%q: %+v", header, c)
		}
	})
}

// accounts is a registry that wants a name and a password.
func withAccounts(t *testing.T) *server.Server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "accounts")
	if err := server.SetPassword(path, "worden525", "secret"); err != nil {
		t.Fatal(err)
	}
	known, err := server.OpenAccounts(path)
	if err != nil {
		t.Fatal(err)
	}
	return server.New(t.TempDir(), server.Options{Accounts: known})
}

func TestBasic(t *testing.T) {
	w := newWorld(t, withAccounts(t))
	store := newStore(t)
	img := makeImage(t, store, noise(2<<20))
	_, err := w.push(store, img, "demo:1")
	wantError(t, err, "does not let everybody do this", "sandbox login "+w.host)

	_, err = w.fresh().Login(t.Context(), w.host, Credential{Username: "worden525", Password: "wrong"})
	wantError(t, err, `does not accept the name or password of "worden525"`, "sandbox login "+w.host)

	account := Credential{Username: "worden525", Password: "secret"}
	keep, err := w.fresh().Login(t.Context(), w.host, account)
	if err != nil || keep != account {
		t.Fatalf("%+v %v", keep, err)
	}
	if helper, err := w.client.SaveCredential(t.Context(), w.host, keep); err != nil || helper != "" {
		t.Fatalf("%q %v", helper, err)
	}
	w.fresh()
	w.mustPush(store, img, "demo:1")
	w.fresh()
	if got := w.mustPull(newStore(t), "demo:1"); got.ID != img.ID {
		t.Error("not what was pushed")
	}
	if found, err := w.client.EraseCredential(t.Context(), w.host); err != nil || !found {
		t.Error(found, err)
	}
	w.fresh()
	_, _, err = w.pull(newStore(t), "demo:1")
	wantError(t, err, "does not let everybody", "sandbox login")
}

// tokens is a token server, and the guard of a registry that believes in its tokens.
type tokens struct {
	mu       sync.Mutex
	realm    string
	password string
	refresh  string              // an identity token that it gives and accepts
	given    map[string][]string // token: scopes
	asked    []url.Values
	life     int      // seconds; 0: not said
	revoke   []string // methods: when each comes for the first time, all tokens are revoked
}

func (k *tokens) serve(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	k.asked = append(k.asked, r.Form)
	scopes := r.Form["scope"]
	if r.Method == http.MethodPost {
		scopes = strings.Fields(r.Form.Get("scope"))
	}
	user, password, hasPassword := r.BasicAuth()
	known := user == "worden525" && password == k.password || r.Method == http.MethodPost && r.Form.Get("refresh_token") == k.refresh && k.refresh != ""
	if hasPassword && !known || r.Method == http.MethodPost && !known {
		answer(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
		return
	}
	if !known {
		scopes = slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return !strings.HasSuffix(s, ":pull") || strings.Contains(s, "private") })
	}
	token := fmt.Sprint("token", len(k.given))
	k.given[token] = scopes
	reply := map[string]any{"token": token}
	if k.life > 0 {
		reply["expires_in"] = k.life
	}
	if r.Form.Get("offline_token") == "true" && k.refresh != "" {
		reply["refresh_token"] = k.refresh
	}
	json.NewEncoder(w).Encode(reply)
}

// guard lets in who has a token for what the request does.
func (k *tokens) guard(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
	k.mu.Lock()
	defer k.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if i := slices.Index(k.revoke, r.Method); i >= 0 {
		k.revoke = slices.Delete(k.revoke, i, i+1)
		for given := range k.given {
			k.given[given] = nil
		}
	}
	scopes, known := k.given[token]
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	for _, end := range []string{"/blobs/", "/manifests/", "/tags/"} {
		path, _, _ = strings.Cut(path, end)
	}
	allowed := known && (path == "" || slices.ContainsFunc(scopes, func(s string) bool {
		reading := r.Method == http.MethodGet || r.Method == http.MethodHead
		return s == scope(path, "pull,push") || reading && s == scope(path, "pull")
	}))
	if allowed {
		return out
	}
	out.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="registry.example"`, k.realm))
	answer(out, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	return nil
}

func newTokens(t *testing.T, w *world) *tokens {
	k := &tokens{password: "secret", given: map[string][]string{}}
	s := httptest.NewServer(http.HandlerFunc(k.serve))
	t.Cleanup(s.Close)
	k.realm = s.URL + "/token"
	w.set(k.guard)
	return k
}

func (w *world) login(account Credential) {
	w.t.Helper()
	if _, err := w.client.SaveCredential(w.t.Context(), w.host, account); err != nil {
		w.t.Fatal(err)
	}
	w.fresh()
}

// TestBearer: anybody may read what is public; to write takes an account; and the account does not go to the registry.
func TestBearer(t *testing.T) {
	w := newWorld(t, nil)
	k := newTokens(t, w)
	store := newStore(t)
	img := makeImage(t, store, noise(2<<20), "two")
	_, err := w.push(store, img, "demo:1")
	wantError(t, err, "does not let everybody do this", "sandbox login")
	if len(k.asked) > 2 { // one for each layer at most
		t.Errorf("%d tokens, where the first says it all", len(k.asked))
	}
	w.login(Credential{Username: "worden525", Password: "secret"})
	w.mustPush(store, img, "demo:1")
	w.mustPush(store, img, "other:1") // mounts: a token for both
	if n := w.count("POST /v2/other/blobs/uploads/?from=demo"); n != 2 {
		t.Errorf("%d mounts: %v", n, w.requests)
	}
	if _, err := w.client.EraseCredential(t.Context(), w.host); err != nil {
		t.Fatal(err)
	}
	w.fresh()
	k.asked = nil
	if got := w.mustPull(newStore(t), "demo:1"); got.ID != img.ID {
		t.Error("not what was pushed")
	}
	if len(k.asked) != 1 || k.asked[0].Get("scope") != "repository:demo:pull" || k.asked[0].Get("service") != "registry.example" {
		t.Errorf("one token is enough for a pull: %v", k.asked)
	}
}

// TestTokensRunOut in the middle of a push and of a pull.
func TestTokensRunOut(t *testing.T) {
	w := newWorld(t, nil)
	k := newTokens(t, w)
	store := newStore(t)
	img := makeImage(t, store, noise(2<<20)) // one layer: requests come one after the other
	w.login(Credential{Username: "worden525", Password: "secret"})
	k.revoke = []string{http.MethodPatch, http.MethodPut}
	w.mustPush(store, img, "demo:1")
	if _, err := w.client.Tags(t.Context(), w.name("demo")); err != nil { // this gets the token for reading
		t.Fatal(err)
	}
	k.revoke = []string{http.MethodGet}
	if got := w.mustPull(newStore(t), "demo:1"); got.ID != img.ID {
		t.Error("not what was pushed")
	}
	if len(k.given) != 5 {
		t.Errorf("%d tokens", len(k.given))
	}
}

func TestBearerLogin(t *testing.T) {
	w := newWorld(t, nil)
	k := newTokens(t, w)
	_, err := w.client.Login(t.Context(), w.host, Credential{Username: "worden525", Password: "wrong"})
	wantError(t, err, "does not accept the name or password", "sandbox login")
	keep, err := w.fresh().Login(t.Context(), w.host, Credential{Username: "worden525", Password: "secret"})
	if err != nil || keep.Password != "secret" || keep.IdentityToken != "" {
		t.Errorf("%+v %v", keep, err)
	}
	k.refresh = "identity"
	keep, err = w.fresh().Login(t.Context(), w.host, Credential{Username: "worden525", Password: "secret"})
	if err != nil || keep.Password != "" || keep.IdentityToken != "identity" {
		t.Fatalf("%+v %v", keep, err)
	}
	w.login(keep)
	store := newStore(t)
	w.mustPush(store, makeImage(t, store, "one"), "private:1")
	last := k.asked[len(k.asked)-1]
	if last.Get("grant_type") != "refresh_token" || last.Get("scope") != "repository:private:pull,push" {
		t.Errorf("%v", last)
	}
	k.refresh = "another"
	w.fresh()
	_, err = w.push(store, makeImage(t, store, "one"), "private:1")
	wantError(t, err, "does not accept", "sandbox login")
}

// TestNoPasswordInPlain: a registry that speaks TLS cannot have the password sent without.
func TestNoPasswordInPlain(t *testing.T) {
	asked := false
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked = true }))
	defer plain.Close()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token"`, plain.URL))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	client := New(Options{})
	_, err := client.Login(t.Context(), strings.TrimPrefix(s.URL, "https://"), Credential{Username: "a", Password: "b"})
	wantError(t, err, "without encryption", "")
	if asked {
		t.Error("the password was sent")
	}
}

// TestNoPassElsewhere: a registry that keeps its blobs elsewhere, as most large ones do. Our pass stays where it belongs.
func TestNoPassElsewhere(t *testing.T) {
	w := newWorld(t, withAccounts(t))
	store := newStore(t)
	img := makeImage(t, store, noise(2<<20))
	w.login(Credential{Username: "worden525", Password: "secret"})
	w.mustPush(store, img, "demo:1")
	leaked, served := "", 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		leaked += r.Header.Get("Authorization")
		served++
		r.SetBasicAuth("worden525", "secret")
		w.http.Config.Handler.ServeHTTP(out, r)
	}))
	defer elsewhere.Close()
	host := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if isBlob(r) && r.URL.Query().Get("X-Signature") == "" {
			http.Redirect(out, r, host+r.URL.Path+"?X-Signature=secret", http.StatusTemporaryRedirect)
			return nil
		}
		return out
	})
	var notes []string
	var mu sync.Mutex
	w.o.Note = func(_, line string, why kernel.Why) {
		mu.Lock()
		defer mu.Unlock()
		notes = append(notes, line+" # "+why.EN)
	}
	w.fresh()
	if got := w.mustPull(newStore(t), "demo:1"); got.ID != img.ID {
		t.Error("not what was pushed")
	}
	if leaked != "" || served == 0 {
		t.Errorf("the storage server got %q in %d requests", leaked, served)
	}
	all := strings.Join(notes, "\n")
	if strings.Contains(all, "secret") || !strings.Contains(all, "X-Signature=…") || !strings.Contains(all, "→ 307, to "+host) {
		t.Errorf("explained as\n%s", all)
	}
}

// TestCertificates: a registry with a certificate of one's own authority.
func TestCertificates(t *testing.T) {
	s := httptest.NewUnstartedServer(server.New(t.TempDir(), server.Options{}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "https://")
	dir := t.TempDir()
	if _, err := New(Options{CertDirs: []string{dir}}).Catalog(t.Context(), host); err != nil {
		t.Errorf("on this machine anything goes: %v", err)
	}
	c := New(Options{})
	transport, err := c.transport(host, false)
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{client: c, registry: host, base: &url.URL{Scheme: "https", Host: host}, http: &http.Client{Transport: transport}}
	wantError(t, e.ping(t.Context()), "authority that this machine does not know", "certs.d/"+host+"/ca.crt")

	if err := os.Mkdir(filepath.Join(dir, host), 0o700); err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(dir, host, "ca.crt")
	if err := os.WriteFile(ca, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = New(Options{CertDirs: []string{dir}}).Catalog(t.Context(), host)
	wantError(t, err, "has no certificate in it", "*.crt")
	pemBytes := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(ca, pemBytes, 0o600); err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{InsecureSkipVerify: true}
	if err := New(Options{CertDirs: []string{dir}}).loadCertificates(config, host); err != nil || config.InsecureSkipVerify {
		t.Errorf("who gives an authority wants it asked: %v", err)
	}
	if _, err := New(Options{CertDirs: []string{dir}}).Catalog(t.Context(), host); err != nil {
		t.Error(err)
	}
}
