// Package registry fetches images from registries and brings them there. A registry is an HTTP server that keeps two kinds
// of things (OCI distribution specification 1.1; Docker's registry API v2 is the same):
//
//	blobs      layers and configurations, named by the SHA-256 of their bytes
//	manifests  short JSON texts that name an image's blobs, or (an index) one manifest for each platform.
//	           They are named by digest too, and may have tags: names that can be moved
//
// Everything is below a repository, as in GET /v2/library/ubuntu/blobs/sha256:…  So a pull is (pull.go):
//
//	GET /v2/                           is a registry there, and who is let in?        connect.go
//	GET https://…/token?scope=…        the pass for what we want to do                auth.go
//	GET …/manifests/22.04              the tag's manifest, or index, then manifest    resolve.go
//	GET …/blobs/sha256:…               the configuration, and each layer              download.go
//
// and a push is the other way round (push.go), blobs first, so that a manifest never names what is not there:
//
//	HEAD …/blobs/sha256:…              does the repository have it?
//	POST …/blobs/uploads/              begin an upload, or mount a blob of another repository
//	PATCH LOCATION                     bytes; after a broken connection: GET LOCATION, and go on from there (upload.go)
//	PUT LOCATION?digest=sha256:…       done: the registry checks the digest
//	PUT …/manifests/TAG                the manifest, last
//
// What comes is believed only if its digest is the right one. Each request is told of under --explain (explain.go), and
// what goes wrong is said with its cure (errors.go).
package registry

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sandbox/kernel"
)

// Options are a client's settings.
type Options struct {
	ConfigDir string   // where Docker's config.json is, with the accounts; "" for none
	CertDirs  []string // directories with HOST/*.crt (authorities to trust), HOST/*.cert and *.key (who we are)
	Insecure  []string // registries, as host[:port] or CIDR, that may use plain HTTP or certificates of unknown authorities
	Mirror    string   // a registry that is asked before Docker Hub, as host[:port] or URL; "" for none

	// Note is told of each request; nil: nobody listens.
	Note func(section, line string, why kernel.Why)
	// Pause waits before something is tried again; nil: as time does.
	Pause func(context.Context, time.Duration) error
}

// FromEnvironment reads the settings that people make, as Docker has them and $SANDBOX_INSECURE_REGISTRIES, $SANDBOX_MIRROR.
func FromEnvironment() Options {
	home, _ := os.UserHomeDir()
	o := Options{ConfigDir: os.Getenv("DOCKER_CONFIG"), Mirror: os.Getenv("SANDBOX_MIRROR"), CertDirs: []string{"/etc/docker/certs.d"}}
	if o.ConfigDir == "" && home != "" {
		o.ConfigDir = filepath.Join(home, ".docker")
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if config == "" && home != "" {
		config = filepath.Join(home, ".config")
	}
	if config != "" {
		o.CertDirs = append(o.CertDirs, filepath.Join(config, "sandbox/certs.d"))
	}
	o.Insecure = strings.FieldsFunc(os.Getenv("SANDBOX_INSECURE_REGISTRIES"), func(r rune) bool { return r == ',' || r == ' ' })
	return o
}

// Client speaks with registries. It remembers which it has found, and what they have let it do.
type Client struct {
	o Options

	mu    sync.Mutex
	found map[string]*endpoint // by host
}

// New makes a client; nothing is connected yet.
func New(o Options) *Client {
	if o.Pause == nil {
		o.Pause = pause
	}
	return &Client{o: o, found: map[string]*endpoint{}}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Event is news of one layer of a pull or push, in Docker's words.
type Event struct {
	Layer       string // 12 digits: of the blob's digest in a pull, of the DiffID in a push
	Text        string // "Downloading", "Pull complete"
	Done, Total int64  // bytes; Total is 0 where there is nothing to count or nobody knows
	Final       bool   // nothing more will come of this layer
}

// atOnce is how many layers are on their way at the same time, as Docker has it.
const atOnce = 3

// shortDigest is how Docker writes a layer's digest in lists.
func shortDigest(hex string) string { return hex[:min(12, len(hex))] }
