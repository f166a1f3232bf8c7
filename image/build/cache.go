package build

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sandbox/image"
)

// cache remembers which image a step has made, so that the same step on the same parent need not be done again:
//
//	DIR/steps/PARENT/KEY.json    a record; KEY is the digest of all that the step's result depends on
//	DIR/steps/PARENT/KEY.files   for COPY and ADD, a digest of each file: read only to say which one has changed
//
// A record is worth nothing without its image, and does no harm then. It is not an image's history that is searched, since
// that does not tell what the files were, nor the values that RUN saw.
type cache struct {
	dir   string
	store *image.Store
}

// record is a step with everything that its result depends on, and the image that it made.
type record struct {
	Parent      string   `json:"parent,omitempty"` // image ID; "" for FROM scratch
	Instruction string   `json:"instruction"`      // variables replaced
	Args        []string `json:"args,omitempty"`   // NAME=value of each ARG that RUN sees
	More        []string `json:"more,omitempty"`   // flags, mounts …
	Content     string   `json:"content,omitempty"`
	Image       string   `json:"image,omitempty"` // the result

	files map[string]string // path to digest
}

// maxRemembered is the number of files up to which it is worth keeping what each was like.
const maxRemembered = 20000

func (r *record) key() string {
	question := *r
	question.Image = ""
	data, err := json.Marshal(question)
	if err != nil {
		return "" // cannot be: strings only
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// parentDir is where the records of a parent's children are.
func (c *cache) parentDir(parent string) string {
	name := strings.TrimPrefix(parent, "sha256:")
	if name == "" {
		name = scratch
	}
	return filepath.Join(c.dir, "steps", name[:min(32, len(name))])
}

// get finds the image that a step has made. gone: there was one, and it is not in the store any more.
func (c *cache) get(r *record) (img *image.Image, gone string, err error) {
	if c.dir == "" {
		return nil, "", nil
	}
	found, err := readRecord(filepath.Join(c.parentDir(r.Parent), r.key()+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	var missing *image.NotFoundError
	img, err = c.store.Find(found.Image)
	if errors.As(err, &missing) {
		return nil, found.Image, nil
	}
	return img, "", err
}

func readRecord(path string) (*record, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &record{}
	return r, json.Unmarshal(data, r)
}

// put remembers what a step has made.
func (c *cache) put(r *record, img *image.Image) error {
	if c.dir == "" {
		return nil
	}
	r.Image = img.ID
	dir := c.parentDir(r.Parent)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, r.key())
	if n := len(r.files); n > 0 && n <= maxRemembered {
		if err := replace(path+".files", r.files); err != nil {
			return err
		}
	}
	return replace(path+".json", r)
}

// replace writes a file whole: who reads it meanwhile sees the old content or the new.
func replace(path string, content any) error {
	data, err := json.Marshal(content)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// children are the records of a parent, whether their images are still there or not.
func (c *cache) children(parent string) []*record {
	return readRecords(filepath.Join(c.parentDir(parent), "*.json"))
}

func readRecords(pattern string) []*record {
	var all []*record
	paths, _ := filepath.Glob(pattern)
	for _, path := range paths {
		if r, err := readRecord(path); err == nil { // they only serve to explain
			all = append(all, r)
		}
	}
	return all
}

// filesOf reads the digests of the files that a step has copied.
func (c *cache) filesOf(r *record) map[string]string {
	data, err := os.ReadFile(filepath.Join(c.parentDir(r.Parent), r.key()+".files"))
	if err != nil {
		return nil
	}
	var files map[string]string
	if json.Unmarshal(data, &files) != nil {
		return nil
	}
	return files
}

// elsewhere finds a record of the same instruction on another parent.
func (c *cache) elsewhere(r *record) *record {
	for _, other := range readRecords(filepath.Join(c.dir, "steps", "*", "*.json")) {
		if other.Instruction == r.Instruction && other.Parent != r.Parent {
			return other
		}
	}
	return nil
}

// Prune forgets steps whose images are gone, and empties the cache mounts that no build uses. It returns how many bytes that
// gives back.
func Prune(cacheDir string, store *image.Store) (int64, error) {
	images, err := store.List()
	if err != nil {
		return 0, err
	}
	there := map[string]bool{}
	for _, img := range images {
		there[img.ID] = true
	}
	paths, err := filepath.Glob(filepath.Join(cacheDir, "steps", "*", "*.json"))
	freed := int64(0)
	for _, path := range paths {
		r, readErr := readRecord(path)
		if readErr == nil && there[r.Image] {
			continue
		}
		for _, file := range []string{path, strings.TrimSuffix(path, ".json") + ".files"} {
			if info, err := os.Stat(file); err == nil && os.Remove(file) == nil {
				freed += info.Size()
			}
		}
		_ = os.Remove(filepath.Dir(path)) // if it was the last one
	}
	mounts, mountsErr := pruneMounts(filepath.Join(cacheDir, "mounts"))
	return freed + mounts, errors.Join(err, mountsErr)
}
