package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// CollectOptions say what garbage collection may take away.
type CollectOptions struct {
	DryRun   bool          // only say what it would
	Untagged bool          // also manifests without a tag that no index lists and that have no subject which stays
	Keep     time.Duration // leave what is younger than this; 0 for an hour
	Uploads  time.Duration // leave unfinished uploads to which something was added since; 0 for a week
}

const (
	keepYoung   = time.Hour
	keepUploads = 7 * 24 * time.Hour
)

// Report is what garbage collection took away, or would.
type Report struct {
	Manifests []string // NAME@DIGEST
	Layers    []string // NAME@DIGEST: blobs that a repository had and that none of its manifests refers to
	Blobs     []string // digests: content that is gone from the disk
	Uploads   []string
	Damaged   []string // NAME@DIGEST: manifests whose content is missing or cannot be read; they are left alone
	Bytes     int64    // what Blobs had
}

// Collect gives back the space of what nobody refers to: mark and sweep. Marked are the manifests of each repository and
// what they refer to; indexes, subjects and all. The rest goes, first from the repositories, then from the disk: should
// it be killed, the next run goes on, and nothing is left that refers to what is gone.
//
// It is safe next to a running server of this package. While it works, nobody adds to the store (see store, the lock:
// pushes wait, pulls do not). And a client that is in the middle of a push, with blobs here that no manifest refers to
// yet, or has just been told that it need not send one, finds them an hour later: what was sent, mounted or asked for
// (HEAD) within Keep stays. Debian's docker-registry does not know the lock: stop it first.
func Collect(dir string, o CollectOptions) (Report, error) {
	if o.Keep == 0 {
		o.Keep = keepYoung
	}
	if o.Uploads == 0 {
		o.Uploads = keepUploads
	}
	s := store{dir}
	if _, err := os.Stat(s.root()); err != nil {
		return Report{}, fmt.Errorf("there is no registry in %s: %w", dir, err)
	}
	unlock, err := s.lock(true)
	if err != nil {
		return Report{}, err
	}
	defer unlock()
	c := &collection{store: s, options: o, young: time.Now().Add(-o.Keep), marked: map[Digest]bool{}}
	if err := s.each(c.repository); err != nil {
		return c.report, err
	}
	if err := c.sweep(); err != nil {
		return c.report, err
	}
	c.report.Uploads, err = s.purge(time.Now().Add(-o.Uploads), o.DryRun)
	return c.report, err
}

type collection struct {
	store   store
	options CollectOptions
	young   time.Time
	marked  map[Digest]bool // blobs that stay
	report  Report
}

// repository marks what one needs, and takes from it what it does not.
func (c *collection) repository(r repository) error {
	manifests, err := c.read(r)
	if err != nil {
		return err
	}
	staying, err := c.staying(r, manifests)
	if err != nil {
		return err
	}
	needed := map[Digest]bool{}
	byName := func(a, b Digest) int { return strings.Compare(a.String(), b.String()) }
	for _, d := range slices.SortedFunc(maps.Keys(manifests), byName) {
		if !staying[d] {
			c.report.Manifests = append(c.report.Manifests, r.name+"@"+d.String())
			if !c.options.DryRun {
				if err := r.remove(d); err != nil {
					return err
				}
			}
			continue
		}
		c.marked[d] = true
		for _, ref := range manifests[d].refers {
			c.marked[ref], needed[ref] = true, true
		}
	}
	return c.layers(r, needed)
}

// layers takes the blobs from a repository that it has no use for.
func (c *collection) layers(r repository, needed map[Digest]bool) error {
	list, err := digestsIn(r.layers())
	if err != nil {
		return err
	}
	for _, d := range list {
		if needed[d] {
			continue
		}
		if c.isYoung(r.layerLink(d)) {
			c.marked[d] = true
			continue
		}
		c.report.Layers = append(c.report.Layers, r.name+"@"+d.String())
		if !c.options.DryRun {
			if err := r.bury(filepath.Dir(r.layerLink(d))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *collection) isYoung(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.ModTime().After(c.young)
}

// node is a manifest as garbage collection sees it.
type node struct {
	refers  []Digest
	subject string
}

// read reads a repository's manifests.
func (c *collection) read(r repository) (map[Digest]node, error) {
	list, err := digestsIn(r.revisions())
	if err != nil {
		return nil, err
	}
	manifests := map[Digest]node{}
	for _, d := range list {
		content, err := os.ReadFile(r.blobFile(d))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err // what it refers to is not known: nothing may go
		}
		n, err := nodeOf(content)
		if err != nil {
			c.report.Damaged = append(c.report.Damaged, r.name+"@"+d.String())
			c.marked[d] = true
			continue
		}
		manifests[d] = n
	}
	return manifests, nil
}

// nodeOf finds what a manifest refers to. Of one that this registry does not understand (another registry may have put it
// there), everything in it that looks like a digest.
func nodeOf(content []byte) (node, error) {
	m, err := parseManifest(content, "")
	if err != nil {
		var any any
		if err := json.Unmarshal(content, &any); err != nil {
			return node{}, err
		}
		return node{refers: digestsAmong(any, nil)}, nil
	}
	var n node
	for _, ref := range m.references() {
		d, err := ParseDigest(ref.Digest)
		if err != nil {
			return node{}, err
		}
		n.refers = append(n.refers, d)
	}
	if m.Subject != nil {
		n.subject = m.Subject.Digest
	}
	return n, nil
}

func digestsAmong(value any, list []Digest) []Digest {
	switch v := value.(type) {
	case string:
		if d, err := ParseDigest(v); err == nil {
			list = append(list, d)
		}
	case []any:
		for _, item := range v {
			list = digestsAmong(item, list)
		}
	case map[string]any:
		for _, item := range v {
			list = digestsAmong(item, list)
		}
	}
	return list
}

// staying are the manifests that stay: all, or, with Untagged, those with a tag, the young, what stays' indexes list,
// and what has as its subject one that stays.
func (c *collection) staying(r repository, manifests map[Digest]node) (map[Digest]bool, error) {
	staying := map[Digest]bool{}
	tags, err := r.tagNames()
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		if d, err := readLink(r.currentLink(tag)); err == nil {
			staying[d] = true
		}
	}
	for d := range manifests {
		if !c.options.Untagged || c.isYoung(r.revisionLink(d)) {
			staying[d] = true
		}
	}
	for grown := true; grown; {
		before := len(staying)
		for d, m := range manifests {
			if subject, err := ParseDigest(m.subject); err == nil && staying[subject] {
				staying[d] = true
			}
			if staying[d] {
				for _, ref := range m.refers {
					staying[ref] = true
				}
			}
		}
		grown = len(staying) > before
	}
	return staying, nil
}

// sweep removes the blobs that are not marked.
func (c *collection) sweep() error {
	algorithms, err := entries(c.store.blobs())
	if err != nil {
		return err
	}
	for _, algorithm := range algorithms {
		prefixes, err := entries(c.store.blobs() + "/" + algorithm)
		if err != nil {
			return err
		}
		for _, prefix := range prefixes {
			sums, err := entries(c.store.blobs() + "/" + algorithm + "/" + prefix)
			if err != nil {
				return err
			}
			for _, sum := range sums {
				if err := c.sweepBlob(algorithm + ":" + sum); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *collection) sweepBlob(name string) error {
	d, err := ParseDigest(name)
	if err != nil || c.marked[d] || c.isYoung(c.store.blobFile(d)) {
		return nil // not a blob of ours, or one that stays
	}
	if info, err := os.Stat(c.store.blobFile(d)); err == nil {
		c.report.Bytes += info.Size()
	}
	c.report.Blobs = append(c.report.Blobs, name)
	if c.options.DryRun {
		return nil
	}
	return os.RemoveAll(c.store.blobDir(d))
}
