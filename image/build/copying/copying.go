// Package copying is what the Dockerfile instructions COPY and ADD do: it finds the files that are meant, tells whether
// they are the same as last time, and writes them as one more layer.
//
//	Tree ──────────► select.go ────────► walk.go ─────────┬► Digest   "are they the same as in the last build?"
//	a build context,   patterns, links,    --exclude,     │
//	or a stack of      --parents           directories    └► Write ──► target.go: a layer directory over the layers below,
//	layers (tree.go,                                                   as overlayfs would have written it
//	ignore.go)         URLs (fetch.go), here-documents
//
// Two rules hold everywhere. A name is looked up by the descriptor of the directory that it is in, never by a path, and a
// symbolic link is followed by reading it: so neither a link nor ".." leads out of the context, of the layers or of the
// directory that is written, even if somebody changes the context meanwhile. And what is written is an upper directory of
// overlayfs: a directory that exists below and gets a new file is first copied up with its mode, owner and time.
//
// Docker documents the instructions in the Dockerfile reference; where that is silent, this does what BuildKit does,
// unless a comment says otherwise. It differs in this: a pattern that matches nothing is an error if no other source
// does (as in Docker's first builder, Podman and Buildah), ".." out of the context is an error (as in Docker's first
// builder), and sockets are left out.
package copying

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"sandbox/kernel"
	"strings"
	"time"
)

// Copy is one COPY or ADD instruction, its variables replaced and its flags parsed.
type Copy struct {
	From     *Tree
	Sources  []string // patterns as in path/filepath.Match; with Add also http and https URLs
	Inline   []Inline // here-documents
	Dest     string   // absolute (see Destination); one that ends with / is a directory
	Add      bool     // ADD: fetches URLs and unpacks local tar archives
	Unpack   *bool    // ADD --unpack: nil is "local archives, but nothing that was fetched"
	Checksum string   // ADD --checksum: sha256:… of the one URL
	UID, GID int      // owner of what is copied; -1: as it is in layers and archives, 0 for what comes from a context
	Chmod    string   // --chmod, octal or symbolic (u=rwX,go-w); "" for none
	Link     bool     // --link: takes no notice of the layers below
	Parents  bool     // --parents: keeps the directories of a source's path, from /./ on if it has that
	Exclude  []string // --exclude
	Clamp    *time.Time
	Fetch    func(ctx context.Context, url string) (*http.Response, error) // nil: an ordinary GET

	change    modeChange           // Chmod
	downloads map[string]*download // what has been fetched, by URL
	unmatched []string
	seen      map[string]stamp // the files of a context that Digest has read, by path
	met       map[string]bool  // those that Write has come by
	changed   []string
}

// Inline is a here-document: COPY <<NAME /dest.
type Inline struct{ Name, Content string }

// Destination joins the destination of an instruction to the working directory, and keeps what says that it is a
// directory: a slash or a dot at the end.
func Destination(workdir, dest string) string {
	joined := path.Clean("/" + dest)
	if !path.IsAbs(dest) {
		joined = path.Join("/", workdir, dest)
	}
	if isDirectoryName(dest) && joined != "/" {
		joined += "/"
	}
	return joined
}

// isDirectoryName says whether a name can only mean a directory.
func isDirectoryName(name string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	return base == "" || base == "." || base == ".."
}

// Unmatched are the patterns that matched nothing while others did, known after Digest or Write: worth a warning.
func (c *Copy) Unmatched() []string { return c.unmatched }

// Changed are files of a build context that Write did not find as Digest had left them, because somebody has written
// into the context meanwhile. The layer is as good as any, but must not be remembered by that digest.
func (c *Copy) Changed() []string { return c.changed }

// Close gives back what Digest has fetched.
func (c *Copy) Close() error {
	var errs []error
	for _, d := range c.downloads {
		errs = append(errs, d.file.Close())
	}
	c.downloads = nil
	return errors.Join(errs...)
}

func (c *Copy) verb() string {
	if c.Add {
		return "ADD"
	}
	return "COPY"
}

// check finds what is wrong with the instruction itself.
func (c *Copy) check() error {
	var err error
	if c.change, err = parseMode(c.Chmod); err != nil {
		return err
	}
	if c.Checksum != "" {
		return c.checkChecksum()
	}
	if len(c.Sources)+len(c.Inline) == 0 {
		return fmt.Errorf("%s needs at least one source", c.verb())
	}
	return nil
}

func (c *Copy) checkChecksum() error {
	if !c.Add {
		return errors.New("--checksum is for ADD, not for COPY")
	}
	if len(c.Sources) != 1 || len(c.Inline) > 0 || !isURL(c.Sources[0]) {
		return kernel.Advise(errors.New("ADD --checksum wants exactly one source, an http or https URL"), "write one ADD for each file")
	}
	if digits, ok := strings.CutPrefix(c.Checksum, "sha256:"); !ok || len(digits) != 64 || strings.Trim(digits, "0123456789abcdef") != "" {
		return kernel.Advise(fmt.Errorf("ADD --checksum=%s: not a checksum", c.Checksum), "write sha256: and 64 digits, as `sha256sum` prints them")
	}
	return nil
}

// clamped is a file's time, or SOURCE_DATE_EPOCH if that is earlier.
func (c *Copy) clamped(t time.Time) time.Time {
	if c.Clamp != nil && t.After(*c.Clamp) {
		return *c.Clamp
	}
	return t
}
