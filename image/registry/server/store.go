package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// store is the directory, in the layout of CNCF distribution ("docker-registry"): that program can serve it as well.
//
//	docker/registry/v2/blobs/sha256/ab/abcd…/data               every blob and every manifest, once
//	docker/registry/v2/repositories/NAME/
//	    _layers/sha256/HEX/link                                 a blob that the repository has
//	    _manifests/revisions/sha256/HEX/link                    a manifest that it has
//	    _manifests/tags/TAG/current/link                        what the tag means
//	    _manifests/tags/TAG/index/sha256/HEX/link               what it has ever meant
//	    _uploads/ID/{startedat,data,hashstates/sha256/OFFSET}   an upload on its way
//
// A link is a file whose content is a digest.
//
// Whatever appears under its final name is renamed there from _uploads, whole and on the disk: a process that is killed
// leaves a sound store and something in _uploads, which purge takes away after a while. Who removes a directory renames
// it to _uploads first, for the same reason.
//
// A lock (flock on the directory v2) orders changes: those who add share it, for as long as it takes to put finished
// files in place; those who remove things others may be counting on (deletions, garbage collection) have it alone. It
// goes with its process.
type store struct{ dir string }

func (s store) root() string         { return filepath.Join(s.dir, "docker/registry/v2") }
func (s store) repositories() string { return s.root() + "/repositories" }
func (s store) blobs() string        { return s.root() + "/blobs" }

func (s store) blobDir(d Digest) string {
	return s.blobs() + "/" + d.Algorithm + "/" + d.Hex[:2] + "/" + d.Hex
}
func (s store) blobFile(d Digest) string { return s.blobDir(d) + "/data" }

// lock waits for the store's lock. alone: nobody else has it meanwhile, else only nobody who wants it alone.
func (s store) lock(alone bool) (unlock func(), err error) {
	if err := os.MkdirAll(s.root(), 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the registry's directory: %w", err)
	}
	dir, err := os.Open(s.root())
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_SH
	if alone {
		how = unix.LOCK_EX
	}
	if err := flock(dir, how); err != nil {
		dir.Close()
		return nil, fmt.Errorf("cannot lock %s: %w", s.root(), err)
	}
	return func() { dir.Close() }, nil
}

func flock(file *os.File, how int) error {
	for {
		if err := unix.Flock(int(file.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

// repository is a name's part of the store.
type repository struct {
	store
	name string
}

func (s store) repository(name string) repository { return repository{s, name} }

func (r repository) dir() string       { return r.repositories() + "/" + r.name }
func (r repository) layers() string    { return r.dir() + "/_layers" }
func (r repository) uploads() string   { return r.dir() + "/_uploads" }
func (r repository) revisions() string { return r.dir() + "/_manifests/revisions" }
func (r repository) tags() string      { return r.dir() + "/_manifests/tags" }

func linkIn(dir string, d Digest) string           { return dir + "/" + d.Algorithm + "/" + d.Hex + "/link" }
func (r repository) layerLink(d Digest) string     { return linkIn(r.layers(), d) }
func (r repository) revisionLink(d Digest) string  { return linkIn(r.revisions(), d) }
func (r repository) currentLink(tag string) string { return r.tags() + "/" + tag + "/current/link" }
func (r repository) indexLink(tag string, d Digest) string {
	return linkIn(r.tags()+"/"+tag+"/index", d)
}

// exists: somebody has pushed something to it. An upload that was only begun does not make a repository.
func (r repository) exists() bool {
	for _, dir := range []string{"/_manifests", "/_layers"} {
		if _, err := os.Stat(r.dir() + dir); err == nil {
			return true
		}
	}
	return false
}

// readLink gives fs.ErrNotExist for a link that is missing, and for one that a power failure has left empty.
func readLink(path string) (Digest, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, unix.ENOTDIR) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Digest{}, err
	}
	d, err := ParseDigest(strings.TrimSpace(string(content)))
	if err != nil {
		return Digest{}, fmt.Errorf("damaged link %s: %w", path, fs.ErrNotExist)
	}
	return d, nil
}

// has tells whether a link is there and what it means too.
func (r repository) has(link string, d Digest) (bool, error) {
	found, err := readLink(link)
	if err == nil && found == d {
		_, err = os.Stat(r.blobFile(d))
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && found != d {
		return false, nil
	}
	return err == nil, err
}

// writeLink makes path a link to d. One that is there already becomes young again, which the garbage collection respects.
func (r repository) writeLink(path string, d Digest) error {
	if found, err := readLink(path); err == nil && found == d {
		return touch(path)
	}
	return r.place(path, func(w io.Writer) error {
		_, err := io.WriteString(w, d.String())
		return err
	})
}

func touch(path string) error {
	now := time.Now()
	return os.Chtimes(path, now, now)
}

// place writes a file in _uploads and renames it to path when it is whole and on the disk.
func (r repository) place(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(r.uploads(), 0o755); err != nil {
		return err
	}
	temporary := filepath.Join(r.uploads(), newID()+".new")
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := errors.Join(write(file), file.Sync()); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

// rename puts a finished file in its place, and has the disk know.
func rename(from, to string) error {
	dir := filepath.Dir(to)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}

// bury removes a directory at one blow: a reader, and whoever comes after a crash, sees it whole or not at all.
func (r repository) bury(dir string) error {
	if err := os.MkdirAll(r.uploads(), 0o755); err != nil {
		return err
	}
	grave := filepath.Join(r.uploads(), newID()+".old")
	if err := os.Rename(dir, grave); err != nil {
		return err
	}
	return os.RemoveAll(grave)
}

// digestsIn lists the links below a directory ALGORITHM/HEX/link.
func digestsIn(dir string) ([]Digest, error) {
	var list []Digest
	algorithms, err := entries(dir)
	if err != nil {
		return nil, err
	}
	for _, algorithm := range algorithms {
		sums, err := entries(dir + "/" + algorithm)
		if err != nil {
			return nil, err
		}
		for _, sum := range sums {
			if d, err := ParseDigest(algorithm + ":" + sum); err == nil {
				list = append(list, d)
			}
		}
	}
	return list, nil
}

// entries are the names in a directory, sorted; none if it is not there.
func entries(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
		return nil, err
	}
	names := make([]string, len(list))
	for i, entry := range list {
		names[i] = entry.Name()
	}
	return names, nil
}

// each visits every directory that may be a repository, also those in which an upload was only begun.
func (s store) each(visit func(repository) error) error {
	return filepath.WalkDir(s.repositories(), func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !d.IsDir() || path == s.repositories():
			return nil
		case strings.HasPrefix(d.Name(), "_"):
			return fs.SkipDir
		}
		if name, _ := filepath.Rel(s.repositories(), path); validName(name) {
			return visit(s.repository(name))
		}
		return nil
	})
}

// names lists all repositories, sorted.
func (s store) names() ([]string, error) {
	var list []string
	err := s.each(func(r repository) error {
		if r.exists() {
			list = append(list, r.name)
		}
		return nil
	})
	slices.Sort(list) // the walk has a/b before a-b
	return list, err
}
