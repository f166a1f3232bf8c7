package testscripts

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/image"
)

// mostLayers is how many layers an image may have with Docker.
const mostLayers = 127

// TestManyLayers runs an image of 127 layers. Each adds a file of its own and writes over that of the one before.
func TestManyLayers(t *testing.T) {
	if *script != "" {
		t.Skip("inside a pocket host")
	}
	needPocket(t)
	root := filepath.Join(built, "layers")
	if err := makeManyLayers(&image.Store{Dir: root}); err != nil {
		t.Fatal(err)
	}
	cmd := sandbox(t, "lab", "host", "--share", root, "sandbox", "--root", root, "run", "--rm", "many", "cat", "/own/2", "/own/64", "/own/127", "/last")
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "2\n64\n127\n127\n" {
		t.Errorf("%v: %q", err, out)
	}
}

func makeManyLayers(store *image.Store) error {
	draft, err := store.Begin()
	if err != nil {
		return err
	}
	defer draft.Discard()
	program, err := os.ReadFile(filepath.Join(built, "sandbox"))
	if err != nil {
		return err
	}
	config := v1.ConfigFile{OS: "linux"}
	for n := 1; n <= mostLayers; n++ {
		files := map[string]string{fmt.Sprintf("own/%d", n): fmt.Sprintln(n), "last": fmt.Sprintln(n)}
		if n == 1 {
			files["bin/cat"] = string(program)
		}
		id, err := draft.AddLayer(archive(files))
		if err != nil {
			return err
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, id)
	}
	name, err := image.ParseName("many")
	if err != nil {
		return err
	}
	_, err = draft.Commit(config, name)
	return err
}

// archive is a layer of small programs and files.
func archive(files map[string]string) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))})
		io.Copy(w, strings.NewReader(content))
	}
	w.Close()
	return &b
}
