package server

import (
	"context"
	"crypto/rand"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// errHungUp is a body that ended before its time.
var errHungUp = errors.New("the client hung up")

// session is an upload that a request is at work on. All that it is lies on disk, in _uploads/ID, so that another
// request, after a restart of the server too, can go on:
//
//	startedat                  when it began
//	data                       what has come
//	hashstates/sha256/OFFSET   the hash of the first OFFSET bytes, unfinished: it saves reading data again
//
// A lock on the directory keeps two requests from writing at once. It ends with its process.
type session struct {
	repo repository
	id   string
	lock *os.File // the directory
	data *os.File
	size int64 // of data

	algorithm string
	sum       hash.Hash // of data; nil until somebody needs it
}

func (r repository) uploadDir(id string) string { return r.uploads() + "/" + id }

// newID is a random UUID (RFC 9562, version 4).
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// begin makes an upload.
func (r repository) begin() (id string, err error) {
	id = newID()
	dir := r.uploadDir(id)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	started := []byte(time.Now().UTC().Format(time.RFC3339))
	err = errors.Join(os.WriteFile(dir+"/startedat", started, 0o644), os.WriteFile(dir+"/data", nil, 0o644))
	return id, err
}

func unknownUpload(id string) error {
	return fail(404, codeUploadUnknown, "no such upload: it is finished, was cancelled or has timed out; start again").about("upload", id)
}

// received is how much of an upload has come.
func (r repository) received(id string) (int64, error) {
	info, err := os.Stat(r.uploadDir(id) + "/data")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, unknownUpload(id)
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// patience is how long a request waits for another one that is at work on the same upload: a client that lost its
// connection comes back sooner than the server has noticed.
const patience = 10 * time.Second

// resume opens an upload and keeps others from it until close.
func (r repository) resume(ctx context.Context, id string) (*session, error) {
	dir, err := os.Open(r.uploadDir(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unknownUpload(id)
	}
	if err != nil {
		return nil, err
	}
	u := &session{repo: r, id: id, lock: dir}
	if err := u.wait(ctx); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	// Only now: whoever had the lock may have finished the upload, and its data be a blob.
	u.data, err = os.OpenFile(u.dir()+"/data", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		err = unknownUpload(id)
	}
	if err == nil {
		u.size, err = u.data.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return u, nil
}

// wait for the lock.
func (u *session) wait(ctx context.Context) error {
	for end := time.Now().Add(patience); ; {
		err := flock(u.lock, unix.LOCK_EX|unix.LOCK_NB)
		if err != unix.EWOULDBLOCK {
			return err
		}
		if time.Now().After(end) {
			return fail(409, codeUploadInvalid, "another request is writing to this upload")
		}
		select {
		case <-ctx.Done():
			return errHungUp
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (u *session) dir() string { return u.repo.uploadDir(u.id) }

// hashWith gets the hash of what has come: from the state that the request before left, else by reading the data.
func (u *session) hashWith(algorithm string) error {
	if u.sum != nil && u.algorithm == algorithm {
		return nil
	}
	u.algorithm, u.sum = algorithm, newHash(algorithm)
	if u.size == 0 {
		return nil
	}
	state, err := os.ReadFile(u.statePath())
	if restorable, ok := u.sum.(encoding.BinaryUnmarshaler); ok && err == nil && restorable.UnmarshalBinary(state) == nil {
		return nil
	}
	u.sum.Reset()
	_, err = io.Copy(u.sum, io.NewSectionReader(u.data, 0, u.size))
	return err
}

func (u *session) states() string    { return u.dir() + "/hashstates/" + u.algorithm }
func (u *session) statePath() string { return u.states() + "/" + strconv.FormatInt(u.size, 10) }

// saveState is called with all data on the disk: a state of data that a power failure took would make a damaged blob pass.
func (u *session) saveState() error {
	state, ok := u.sum.(encoding.BinaryMarshaler)
	if !ok || u.size == 0 {
		return nil
	}
	content, err := state.MarshalBinary()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(u.states(), 0o755); err != nil {
		return err
	}
	old, err := entries(u.states())
	if err != nil {
		return err
	}
	for _, name := range old {
		_ = os.Remove(u.states() + "/" + name) // nobody asks for it any more
	}
	temporary := u.dir() + "/state.new"
	if err := os.WriteFile(temporary, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, u.statePath())
}

// append adds what body has, hashed on its way to the disk. Should it end early, or the disk be full, what has come is kept.
func (u *session) append(body io.Reader, algorithm string) (n int64, err error) {
	if err := u.hashWith(algorithm); err != nil {
		return 0, err
	}
	from := &source{Reader: body}
	n, err = io.CopyBuffer(hashing{u.data, u.sum}, from, make([]byte, 256<<10))
	u.size += n
	if from.err != nil {
		return n, fmt.Errorf("%w: %w", errHungUp, from.err)
	}
	return n, err
}

// hashing hashes what the file took, which on a full disk is a part (io.MultiWriter would leave that part out).
type hashing struct {
	file *os.File
	sum  hash.Hash
}

func (h hashing) Write(p []byte) (int, error) {
	n, err := h.file.Write(p)
	h.sum.Write(p[:n])
	return n, err
}

// source tells errors of reading from those of writing.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// keep ends a request that leaves the upload unfinished. The errors of it only cost time later.
func (u *session) keep() {
	if u.sum != nil && u.data.Sync() == nil {
		_ = u.saveState()
	}
}

// commit makes the upload a blob of the repository. One that is not what its digest says is thrown away: no more bytes
// can make it right.
func (u *session) commit(d Digest) error {
	if err := u.hashWith(d.Algorithm); err != nil {
		return err
	}
	if found := digestOf(d.Algorithm, u.sum); found != d {
		_ = os.RemoveAll(u.dir()) // what stays, purge takes
		return fail(400, codeDigestInvalid, "the content is %s, not what its digest says", found).about("digest", d.String())
	}
	if err := u.data.Sync(); err != nil {
		return err
	}
	unlock, err := u.repo.lock(false)
	if err != nil {
		return err
	}
	defer unlock()
	if err := touch(u.dir() + "/data"); err != nil { // young, for the garbage collection, however long it took
		return err
	}
	// Should the blob be there already, this one takes its place: it is the same, and known to be sound.
	if err := rename(u.dir()+"/data", u.repo.blobFile(d)); err != nil {
		return err
	}
	if err := u.repo.writeLink(u.repo.layerLink(d), d); err != nil {
		return err
	}
	_ = os.RemoveAll(u.dir())
	return nil
}

// close lets others go on.
func (u *session) close() {
	u.data.Close()
	u.lock.Close()
}

// purge removes what uploads, and writers that were killed, left in all repositories: what nothing has been added to
// since before, and nobody is at work on. It returns what it removed, or would remove.
func (s store) purge(before time.Time, dryRun bool) ([]string, error) {
	var removed []string
	err := s.each(func(r repository) error {
		names, err := entries(r.uploads())
		if err != nil {
			return err
		}
		for _, name := range names {
			done, err := purgeOne(r.uploads()+"/"+name, before, dryRun)
			if err != nil {
				return err
			}
			if done {
				removed = append(removed, r.name+"/_uploads/"+name)
			}
		}
		return nil
	})
	return removed, err
}

func purgeOne(path string, before time.Time, dryRun bool) (bool, error) {
	for _, part := range []string{path, path + "/data"} {
		info, err := os.Stat(part)
		if err == nil && !info.ModTime().Before(before) || err != nil && part == path {
			return false, nil // young, or gone meanwhile
		}
	}
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	if flock(file, unix.LOCK_EX|unix.LOCK_NB) != nil {
		return false, nil
	}
	if dryRun {
		return true, nil
	}
	return true, os.RemoveAll(path)
}
