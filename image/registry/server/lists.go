package server

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// listTags: end-8a and end-8b.
func (s *Server) listTags(w http.ResponseWriter, r *http.Request, t target) error {
	repo := s.store.repository(t.name)
	if !repo.exists() {
		return fail(http.StatusNotFound, codeNameUnknown, "repository name not known to registry").about("name", t.name)
	}
	tags, err := repo.tagNames()
	if err != nil {
		return err
	}
	part, err := page(w, r, tags, lexically)
	if err != nil {
		return err
	}
	return answerJSON(w, struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{t.name, part})
}

// lexically is the order that the specification wants tags in: that of the letters, whether they are capitals or not. (No two
// tags are equal in it: those that differ in nothing else are in the order of bytes.)
func lexically(a, b string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
}

// tagNames are the tags that mean something, in order.
func (r repository) tagNames() ([]string, error) {
	names, err := entries(r.tags())
	if err != nil {
		return nil, err
	}
	tags := []string{}
	for _, tag := range names {
		if _, err := os.Stat(r.currentLink(tag)); err == nil && validTag(tag) {
			tags = append(tags, tag)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	slices.SortFunc(tags, lexically)
	return tags, nil
}

// listRepositories is Docker's _catalog, which the specification leaves to registries.
func (s *Server) listRepositories(w http.ResponseWriter, r *http.Request, _ target) error {
	names, err := s.store.names()
	if err != nil {
		return err
	}
	part, err := page(w, r, names, strings.Compare)
	if err != nil {
		return err
	}
	return answerJSON(w, map[string][]string{"repositories": part})
}

// page cuts out what ?n= and ?last= ask for: at most n, after last, of a list in some order. If there is more, Link (RFC
// 5988) has the way to it.
func page(w http.ResponseWriter, r *http.Request, all []string, order func(a, b string) int) ([]string, error) {
	query := r.URL.Query()
	if last := query.Get("last"); last != "" {
		i, found := slices.BinarySearchFunc(all, last, order)
		if found {
			i++
		}
		all = all[i:]
	}
	if !query.Has("n") {
		return append([]string{}, all...), nil // [], not null, if there is nothing
	}
	n, err := strconv.Atoi(query.Get("n"))
	if err != nil || n < 0 {
		return nil, fail(http.StatusBadRequest, codeUnsupported, "n is how many entries are wanted: a number, not negative").about("n", query.Get("n"))
	}
	if n > 0 && n < len(all) {
		next(w, r, url.Values{"n": {strconv.Itoa(n)}, "last": {all[n-1]}})
	}
	return append([]string{}, all[:min(n, len(all))]...), nil
}

// next tells the client where the rest of a list is.
func next(w http.ResponseWriter, r *http.Request, query url.Values) {
	w.Header().Set("Link", "<"+r.URL.EscapedPath()+"?"+query.Encode()+`>; rel="next"`)
}

func answerJSON(w http.ResponseWriter, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body))) // for HEAD too
	_, err = w.Write(body)
	return err
}
