// Package builtin makes the images that sandbox brings along: base, hello, httpd, registry and stress. They are made from the running
// program itself, as busybox does it: the image holds a copy of the program, and links to it under the names of the small commands
// (package userland). So every lab runs without a network.
//
// They are ordinary images in the store, but under names without a registry: nobody takes them for Docker Hub's.
package builtin

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/image"
	"sandbox/image/builtin/httpd/port"
)

// recipe says what is in a built-in image.
type recipe struct {
	name   string
	config v1.Config
	layers []layer // the lowest first
}

// layer is the files of one layer. One that several images have is in the store once.
type layer func() ([]tarFile, error)

// recipes is sorted by name.
var recipes = []recipe{
	{"base", v1.Config{Cmd: []string{"sh"}}, []layer{baseFiles}},
	{"hello", v1.Config{Cmd: []string{"/hello"}}, []layer{helloFiles}},
	{"httpd", v1.Config{
		Cmd: []string{port.Foreground}, WorkingDir: "/usr/local/apache2", StopSignal: "SIGWINCH",
		ExposedPorts: map[string]struct{}{"80/tcp": {}},
	}, []layer{baseFiles, httpdFiles}},
	{"registry", v1.Config{
		Entrypoint: []string{"registry"}, Cmd: []string{"serve"},
		ExposedPorts: map[string]struct{}{"5000/tcp": {}}, Volumes: map[string]struct{}{"/var/lib/registry": {}},
	}, []layer{registryFiles}},
	{"stress", v1.Config{Entrypoint: []string{"stress"}}, []layer{baseFiles, stressFiles}},
}

const (
	label       = "sandbox.builtin" // has the name of the built-in image
	defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// Names lists the built-in images, sorted.
func Names() []string {
	var names []string
	for _, r := range recipes {
		names = append(names, r.name)
	}
	return names
}

// find returns the recipe that an image's name asks for: base, base:latest; not somebody's registry's base.
func find(name string) (recipe, bool) {
	short := strings.TrimSuffix(name, ":latest")
	for _, r := range recipes {
		if r.name == short {
			return r, true
		}
	}
	return recipe{}, false
}

// Ensure makes a built-in image if the store has none that was made from this very program. It returns false if name is
// not that of a built-in image. If there is nothing to do it costs some microseconds.
func Ensure(s *image.Store, name string) (bool, error) {
	r, ok := find(name)
	if !ok {
		return false, nil
	}
	if there, _, err := r.isThere(s); there || err != nil {
		return true, err
	}
	// Of several that need it one makes it: what it has made is not replaced, as others may have mounted it by then.
	alone, err := lockStamps(s)
	if err != nil {
		return true, fmt.Errorf("cannot make the built-in image %s: %w", r.name, err)
	}
	defer alone.Close()
	there, now, err := r.isThere(s)
	if there || err != nil {
		return true, err
	}
	img, err := r.make(s)
	if err != nil {
		return true, fmt.Errorf("cannot make the built-in image %s: %w", r.name, err)
	}
	removeOld(s, r.name)
	return true, stamp{program: now.program, image: img.ID}.write(s, r.name)
}

// isThere tells whether the store has the image that this program makes.
func (r recipe) isThere(s *image.Store) (there bool, now stamp, err error) {
	if now, err = observe(s); err != nil {
		return false, now, err
	}
	past := readStamp(s, r.name)
	now.image = past.image
	if past == now {
		return true, now, nil
	}
	if past.program == now.program {
		if img, err := s.Find(r.name); err == nil && img.ID == past.image {
			return true, now, now.write(s, r.name) // the store has changed, but not in what concerns us
		}
	}
	return false, now, nil
}

// make adds the image to the store. The same program gives the same image, to the last bit.
func (r recipe) make(s *image.Store) (*image.Image, error) {
	draft, err := s.Begin()
	if err != nil {
		return nil, err
	}
	defer draft.Discard()
	created := buildTime()
	var history []v1.History
	for _, l := range r.layers {
		if err := l.add(draft, created); err != nil {
			return nil, err
		}
		history = append(history, v1.History{Created: v1.Time{Time: created}, CreatedBy: "sandbox", Comment: "made from the program itself"})
	}
	config := r.config
	config.Env = []string{defaultPath}
	config.Labels = map[string]string{"org.opencontainers.image.title": r.name, label: r.name}
	return draft.Commit(v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, Created: v1.Time{Time: created},
		Config:  config,
		History: history,
	}, image.Name{Repository: r.name, Tag: "latest"})
}

func (l layer) add(draft *image.Draft, created time.Time) error {
	files, err := l()
	if err != nil {
		return err
	}
	output, input := io.Pipe()
	go func() { input.CloseWithError(writeArchive(input, files, created)) }()
	_, err = draft.AddLayer(output)
	output.CloseWithError(err) // ends the writer, if it still writes
	return err
}

// removeOld removes what was made from other programs and is of no use any more: every new build of sandbox would leave
// its copy otherwise. What cannot be removed now is removed after the next build.
func removeOld(s *image.Store, name string) {
	if s.InUse == nil {
		return
	}
	images, _ := s.List()
	for _, img := range images {
		if len(img.Names) == 0 && img.Config.Labels[label] == name && !s.InUse(img.ID) {
			s.Remove(img.ID)
		}
	}
}

// buildTime is the time of the commit that the program was built from: the file's own time would make another image of
// every copy.
func buildTime() time.Time {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if t, err := time.Parse(time.RFC3339, setting.Value); setting.Key == "vcs.time" && err == nil {
				return t.UTC()
			}
		}
	}
	return time.Unix(0, 0).UTC()
}
