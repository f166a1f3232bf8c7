package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"sandbox/image"
	"sandbox/kernel"
)

// Lists come in pages (specification, end-8b): the header Link says where the next one is.
const maxPages = 1000

var (
	whyTags    = kernel.Why{EN: "the tags of this repository", ZH: "这个仓库有哪些 tag"}
	whyCatalog = kernel.Why{EN: "the repositories of this registry", ZH: "这个 Registry 有哪些仓库"}
	whySearch  = kernel.Why{EN: "Docker Hub's own search, no part of the registry protocol", ZH: "Docker Hub 自己的搜索接口，不属于 Registry 协议"}
)

// Tags lists a repository's tags, sorted.
func (c *Client) Tags(ctx context.Context, name image.Name) ([]string, error) {
	var problem error
	for _, source := range c.sources(name.Registry) {
		e, err := source(ctx)
		if err == nil {
			var tags []string
			if tags, err = e.tags(ctx, name.Repository); err == nil {
				return tags, nil
			}
			err = e.notFound(ctx, image.Name{Registry: name.Registry, Repository: name.Repository}, err)
		}
		problem = err
	}
	return nil, problem
}

func (e *endpoint) tags(ctx context.Context, repository string) ([]string, error) {
	var page struct {
		Tags []string `json:"tags"`
	}
	var all []string
	r := request{path: "/v2/" + repository + "/tags/list", scopes: []string{scope(repository, "pull")}, why: whyTags}
	err := e.pages(ctx, r, &page, func() {
		all = append(all, page.Tags...)
		page.Tags = nil
	})
	slices.Sort(all)
	return slices.Compact(all), err
}

// Catalog lists a registry's repositories, where it tells: Docker Hub does not.
func (c *Client) Catalog(ctx context.Context, registry string) ([]string, error) {
	e, err := c.connect(ctx, registry)
	if err != nil {
		return nil, err
	}
	var page struct {
		Repositories []string `json:"repositories"`
	}
	var all []string
	err = e.pages(ctx, request{path: "/v2/_catalog", scopes: []string{"registry:catalog:*"}, why: whyCatalog}, &page, func() {
		all = append(all, page.Repositories...)
		page.Repositories = nil
	})
	slices.Sort(all)
	return slices.Compact(all), err
}

// pages decodes one page after the other into page, and calls f after each.
func (e *endpoint) pages(ctx context.Context, r request, page any, f func()) error {
	r.method, r.want = http.MethodGet, []int{http.StatusOK}
	var seen []string
	for r.path != "" {
		if slices.Contains(seen, r.path) || len(seen) == maxPages {
			return fmt.Errorf("the list that %s gives has no end", e.registry)
		}
		seen = append(seen, r.path)
		resp, err := e.do(ctx, &r)
		if err != nil {
			return err
		}
		data, err := readAll(resp, maxManifest)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, page); err != nil {
			return kernel.Advise(fmt.Errorf("%s: the list is no valid JSON: %w", readable(resp.Request.URL), err), "is that a registry?")
		}
		f()
		if r.path, err = nextPage(resp); err != nil {
			return err
		}
	}
	return nil
}

// nextPage reads Link: <address>; rel="next" (RFC 8288). Addresses are relative to that of the page.
func nextPage(resp *http.Response) (string, error) {
	for _, header := range resp.Header.Values("Link") {
		address, parameters, found := strings.Cut(strings.TrimPrefix(strings.TrimSpace(header), "<"), ">")
		if !found || !strings.Contains(strings.ReplaceAll(parameters, `"`, ""), "rel=next") {
			continue
		}
		u, err := resp.Request.URL.Parse(address)
		if err != nil {
			return "", fmt.Errorf("%s: damaged Link header: %w", readable(resp.Request.URL), err)
		}
		return u.String(), nil
	}
	return "", nil
}

// Found is a repository that a search has found.
type Found struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Stars       int    `json:"star_count"`
	Official    bool   `json:"is_official"`
	Automated   bool   `json:"is_automated"`
}

// Search asks a registry for repositories whose names, or with Docker Hub descriptions, have a word in them; at most limit.
func (c *Client) Search(ctx context.Context, registry, term string, limit int) ([]Found, error) {
	if registry == Hub {
		return c.searchHub(ctx, term, limit)
	}
	all, err := c.Catalog(ctx, registry)
	if err != nil {
		return nil, err
	}
	var found []Found
	for _, repository := range all {
		if strings.Contains(repository, strings.ToLower(term)) && len(found) < limit {
			found = append(found, Found{Name: registry + "/" + printable(repository)})
		}
	}
	return found, nil
}

// searchHub speaks the one part of Docker's first registry API that is still there.
func (c *Client) searchHub(ctx context.Context, term string, limit int) ([]Found, error) {
	address, err := url.Parse(HubAccount)
	if err != nil {
		return nil, err
	}
	transport, err := c.transport(address.Host, false)
	if err != nil {
		return nil, err
	}
	e := &endpoint{client: c, registry: Hub, base: &url.URL{Scheme: address.Scheme, Host: address.Host}, http: &http.Client{Transport: transport}}
	query := url.Values{"q": {term}, "n": {fmt.Sprint(limit)}}
	resp, err := e.do(ctx, &request{method: http.MethodGet, path: "/v1/search?" + query.Encode(), want: []int{http.StatusOK}, why: whySearch, first: true})
	if err != nil {
		return nil, err
	}
	data, err := readAll(resp, maxManifest)
	if err != nil {
		return nil, err
	}
	var page struct {
		Results []Found `json:"results"`
	}
	if err := json.Unmarshal(data, &page); err != nil {
		return nil, fmt.Errorf("docker Hub's answer is no valid JSON: %w", err)
	}
	for i := range page.Results {
		page.Results[i].Name, page.Results[i].Description = printable(page.Results[i].Name), printable(page.Results[i].Description)
	}
	return page.Results[:min(limit, len(page.Results))], nil
}
