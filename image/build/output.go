package build

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"sandbox/image"
	"sandbox/image/layer"
	"sandbox/kernel"
)

// Output is what --output asks for besides, or instead of, an image in the store.
type Output struct {
	Type string // local: a directory; tar: an archive of the files; oci, docker: an archive of the image; image: the store; cacheonly: nothing
	Dest string // a path; "-": stdout
	Name string // image, oci, docker: what to call it
}

// ParseOutput reads --output: type=TYPE,dest=PATH, or only a path, which is that of a directory, or - for an archive on stdout.
func ParseOutput(option string) (Output, error) {
	if !strings.Contains(option, "=") {
		if option == "-" {
			return Output{Type: "tar", Dest: "-"}, nil
		}
		return Output{Type: "local", Dest: option}, nil
	}
	var o Output
	for field := range strings.SplitSeq(option, ",") {
		key, value, _ := strings.Cut(field, "=")
		switch strings.ToLower(key) {
		case "type":
			o.Type = value
		case "dest", "destination":
			o.Dest = value
		case "name":
			o.Name = value
		case "tar", "compression", "oci-mediatypes", "store", "unpack", "push":
			if key == "push" && value != "false" {
				return o, kernel.Advise(errors.New("--output: a build does not push"), "sandbox push NAME, when it is built")
			}
		default:
			return o, kernel.Advise(fmt.Errorf("--output: unexpected %q", field), "--output type=local,dest=DIR")
		}
	}
	if o.Dest == "" && (o.Type == "tar" || o.Type == "oci" || o.Type == "docker") {
		o.Dest = "-"
	}
	return o, o.check()
}

// ToStdout tells whether an archive goes there, so that nothing else may.
func (o Output) ToStdout() bool { return o.Dest == "-" }

func (o Output) check() error {
	switch o.Type {
	case "local":
		if o.Dest == "" || o.Dest == "-" {
			return kernel.Advise(errors.New("--output type=local needs a directory"), "--output type=local,dest=DIR")
		}
	case "tar", "oci", "docker", "image", "cacheonly":
	case "registry":
		return kernel.Advise(errors.New("--output: a build does not push"), "sandbox push NAME, when it is built")
	default:
		return kernel.Advise(fmt.Errorf("--output: unknown type %q", o.Type), "local, tar, oci, docker or image")
	}
	return nil
}

// Export writes the files of an image: to a directory (local), or as a tar archive to w. No time is later than epoch, if there is one.
func Export(store *image.Store, img *image.Image, o Output, epoch *time.Time, w io.Writer) error {
	dirs, options := store.Stack(img.Layers, ""), layer.PackOptions{ClampTime: epoch}
	if o.Type == "tar" {
		return layer.Export(w, dirs, options)
	}
	if err := os.MkdirAll(o.Dest, 0o755); err != nil {
		return err
	}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(layer.Export(writer, dirs, options)) }()
	err := layer.UnpackOver(reader, o.Dest)
	if err == nil {
		_, err = io.Copy(io.Discard, reader)
	}
	reader.CloseWithError(err)
	return err
}
