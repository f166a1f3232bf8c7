package pocket

import (
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// imagesDir is where a pocket host finds the images that it begins with.
const imagesDir = "/run/pocket/images"

// store gives the pocket host a store of images of its own, in memory, which begins with those of p.Store: links lead to
// their layers and blobs, which are seen and not changed. It is not an overlay like the rest of the root directory, because
// overlayfs would not let an image's layers have whiteouts in it, nor take one of its directories for a container to write to.
func (p *plan) store() []kernel.Step {
	const dir = "var/lib/sandbox"
	if p.Store == "" {
		return nil
	}
	plain := func(e kernel.Effect) kernel.Step { return kernel.Because(e, "", "") }
	steps := []kernel.Step{
		plain(kernel.Mkdir{Path: imagesDir[1:], Mode: 0o755}),
		kernel.Because(kernel.Mount{Source: p.Store, Target: imagesDir[1:], Flags: unix.MS_BIND}, "the built-in images", "内置镜像"),
		plain(kernel.ReadOnlyTree{Path: imagesDir[1:]}),
	}
	steps[2].Optional = true // before Linux 5.12
	for _, d := range []string{"/oci", "/oci/blobs", "/oci/blobs/sha256", "/layers", "/builtin"} {
		steps = append(steps, plain(kernel.Mkdir{Path: dir + d, Mode: 0o700}))
	}
	for _, links := range []string{"layers", "oci/blobs/sha256"} {
		for _, name := range namesIn(path.Join(p.Store, links)) {
			steps = append(steps, plain(kernel.Symlink{Target: path.Join(imagesDir, links, name), Path: path.Join(dir, links, name)}))
		}
	}
	for _, files := range []string{"oci", "builtin"} {
		for _, name := range namesIn(path.Join(p.Store, files)) {
			if data, err := os.ReadFile(path.Join(p.Store, files, name)); err == nil {
				steps = append(steps, plain(kernel.CreateFile{Path: path.Join(dir, files, name), Data: string(data), Mode: 0o600}))
			}
		}
	}
	return kernel.In("3.5", steps...)
}

// namesIn lists a directory, without the files that another process is just writing there to rename them.
func namesIn(dir string) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".new") {
			names = append(names, e.Name())
		}
	}
	return names
}
