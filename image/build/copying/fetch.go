package copying

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"sandbox/kernel"
	"time"
)

// download is a file that ADD has fetched.
type download struct {
	name     string    // the last element of the URL's path
	sum      string    // sha256:…
	modified time.Time // Last-Modified, or else 1970, so that the same file makes the same layer
	file     *os.File  // temporary and without a name; nil if only the checksum is known as yet
}

// download fetches a URL, once. Without fetch, one whose checksum the instruction gives is left for later.
func (c *Copy) download(ctx context.Context, source string, fetch bool) (*download, error) {
	if d := c.downloads[source]; d != nil {
		return d, nil
	}
	u, err := url.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("ADD %s: %w", source, err)
	}
	d := &download{name: path.Base("/" + u.Path), sum: c.Checksum}
	if d.name == "/" {
		d.name = ""
	}
	if !fetch && c.Checksum != "" {
		return d, nil
	}
	if err := c.get(ctx, source, d); err != nil {
		return nil, fmt.Errorf("ADD %s: %w", source, err)
	}
	if c.downloads == nil {
		c.downloads = map[string]*download{}
	}
	c.downloads[source] = d
	return d, nil
}

func (c *Copy) get(ctx context.Context, source string, d *download) error {
	fetch := c.Fetch
	if fetch == nil {
		fetch = get
	}
	response, err := fetch(ctx, source)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", response.Status)
	}
	d.modified = time.Unix(0, 0)
	if t, err := http.ParseTime(response.Header.Get("Last-Modified")); err == nil {
		d.modified = t
	}
	sum, err := d.keep(response.Body)
	if err != nil {
		return err
	}
	if c.Checksum != "" && sum != c.Checksum {
		d.file.Close()
		return kernel.Advise(fmt.Errorf("its checksum is %s, and --checksum says %s", sum, c.Checksum), "find out which of the two is wrong before you correct --checksum")
	}
	d.sum = sum
	return nil
}

func get(ctx context.Context, source string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(request)
}

// keep writes a body into a temporary file and returns its checksum. The file has no name any more, so that nothing is
// left behind whatever happens.
func (d *download) keep(body io.Reader) (string, error) {
	file, err := os.CreateTemp("", "sandbox-add-")
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	err = os.Remove(file.Name())
	if err == nil {
		_, err = io.Copy(io.MultiWriter(file, hash), body)
	}
	if err != nil {
		file.Close()
		return "", err
	}
	d.file = file
	return "sha256:" + hex.EncodeToString(hash.Sum(nil)), nil
}
