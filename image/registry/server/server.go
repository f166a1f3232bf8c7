// Package server is a registry: what `push` sends images to and `pull` gets them from, as the OCI distribution
// specification 1.1 has it, over HTTP.
//
// An image in a registry is a manifest (a small JSON text) and the blobs that it lists (configuration, layers), each
// under the digest of its content. A push sends the blobs first and the manifest last; the manifest is refused while one
// of them is missing. A pull goes the other way.
//
//	POST  /v2/NAME/blobs/uploads/            an upload begins: its address comes back       uploads.go
//	PATCH …/uploads/ID                       a piece of it (as often as need be)
//	PUT   …/uploads/ID?digest=sha256:…       the last piece: from now on it is a blob       session.go
//	PUT   /v2/NAME/manifests/TAG             the manifest, under a tag                      manifests.go
//	GET   /v2/NAME/manifests/TAG             a pull begins
//	GET   /v2/NAME/blobs/sha256:…            and goes on                                    blobs.go
//	GET   /v2/NAME/tags/list                 what is there                                  lists.go
//	GET   /v2/NAME/referrers/sha256:…        what refers to an image: signatures, …         referrers.go
//
// Everything lies in files, in the layout of CNCF distribution (store.go); nothing is only in memory, so that the server
// can be killed at any time. Collect (collect.go) gives back the space of what nobody refers to any more.
package server

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say how a registry behaves.
type Options struct {
	Accounts *Accounts // who may come in; nil: everybody
	Realm    string    // what clients are told that they log in to
	NoDelete bool      // refuse to delete manifests, tags and blobs
	Log      io.Writer // gets a line a request, and what went wrong inside; nil for none
}

// Server is a registry over a directory.
type Server struct {
	store   store
	options Options
	logging sync.Mutex
}

// New makes a registry of a directory, which is made when something comes.
func New(dir string, o Options) *Server {
	if o.Realm == "" {
		o.Realm = "sandbox registry"
	}
	return &Server{store: store{dir}, options: o}
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	log := &recorder{ResponseWriter: w, start: time.Now()}
	log.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	log.Header().Set("X-Content-Type-Options", "nosniff")
	if err := s.answer(log, r); err != nil {
		f := asFailure(err)
		if f.status >= 500 {
			s.printf("%s %s: %v\n", r.Method, r.URL.Path, err)
		}
		if log.status == 0 { // else the answer is on its way already, and the client sees it cut off
			f.write(log)
		}
	}
	s.access(log, r)
}

// answer finds out who asks, for what, and has it done.
func (s *Server) answer(w *recorder, r *http.Request) error {
	if r.URL.Path == "/" {
		return nil // 200: alive
	}
	if s.options.Accounts != nil {
		user, password, _ := r.BasicAuth()
		if !s.options.Accounts.Check(user, password, s.printf) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf("Basic realm=%q, charset=\"UTF-8\"", s.options.Realm))
			return fail(http.StatusUnauthorized, codeUnauthorized, "authentication required")
		}
		w.user = user
	}
	t := parsePath(r.URL.Path)
	if t.kind == nothing {
		return fail(http.StatusNotFound, codeUnsupported, "there is nothing at this address")
	}
	if err := t.check(r.Method); err != nil {
		return err
	}
	return s.dispatch(w, r, t)
}

type handler func(w http.ResponseWriter, r *http.Request, t target) error

// dispatch calls the handler for what is asked for and how.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, t target) error {
	methods := s.methods(t.kind)
	if handle, ok := methods[r.Method]; ok {
		return handle(w, r, t)
	}
	var allowed []string
	for method := range methods {
		allowed = append(allowed, method)
	}
	slices.Sort(allowed)
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	if r.Method == http.MethodDelete && (t.kind == manifest || t.kind == blob) {
		return fail(http.StatusMethodNotAllowed, codeUnsupported, "deletion is switched off in this registry")
	}
	return fail(http.StatusMethodNotAllowed, codeUnsupported, "%s is not possible here", r.Method)
}

// methods is the specification's table of end points.
func (s *Server) methods(k kind) map[string]handler {
	var m map[string]handler
	switch k {
	case base:
		m = map[string]handler{"GET": s.version}
	case catalog:
		m = map[string]handler{"GET": s.listRepositories}
	case manifest:
		m = map[string]handler{"GET": s.getManifest, "PUT": s.putManifest, "DELETE": s.deleteManifest}
	case blob:
		m = map[string]handler{"GET": s.getBlob, "DELETE": s.deleteBlob}
	case uploads:
		m = map[string]handler{"POST": s.startUpload}
	case upload:
		m = map[string]handler{"GET": s.uploadState, "PATCH": s.patchUpload, "PUT": s.finishUpload, "DELETE": s.cancelUpload}
	case tagList:
		m = map[string]handler{"GET": s.listTags}
	case referrers:
		m = map[string]handler{"GET": s.listReferrers}
	}
	if get, ok := m["GET"]; ok {
		m["HEAD"] = get // the same without a body, which net/http leaves out
	}
	if s.options.NoDelete && (k == manifest || k == blob) {
		delete(m, "DELETE")
	}
	return m
}

// version is how a client finds out that it talks to a registry, and whether its password is right.
func (s *Server) version(w http.ResponseWriter, r *http.Request, _ target) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := io.WriteString(w, "{}")
	return err
}
