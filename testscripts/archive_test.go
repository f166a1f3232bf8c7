package testscripts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// makeTar is the scripts' command `tarball FILE ENTRY…`, for archives that no tar would write. An entry is KIND:NAME[:REST]:
//
//	f:NAME:CONTENT  a file     d:NAME  a directory      l:NAME:TARGET  a symbolic link   h:NAME:TARGET  a hard link
//	c:NAME          /dev/null  b:NAME  a disk           z:NAME         of a type that nobody knows
//	lie:NAME        a file that claims to have a TiB    cut:           the archive ends in the middle of what came last
func makeTar(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: tarball FILE ENTRY...")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), tarOf(args[1:]), 0o644))
}

func tarOf(entries []string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, entry := range entries {
		kind, rest, _ := strings.Cut(entry, ":")
		name, more, _ := strings.Cut(rest, ":")
		h := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(more))}
		switch kind {
		case "f":
			w.WriteHeader(h)
			io.WriteString(w, more)
			continue
		case "lie":
			h.Size = 1 << 40
			w.WriteHeader(h)
			b.WriteString(strings.Repeat("x", 1024))
			return b.Bytes()
		case "cut":
			w.Flush()
			return b.Bytes()[:b.Len()-600]
		}
		h.Size, h.Linkname = 0, more
		h.Typeflag = map[string]byte{"d": tar.TypeDir, "l": tar.TypeSymlink, "h": tar.TypeLink, "c": tar.TypeChar, "b": tar.TypeBlock, "z": 'Z'}[kind]
		if kind == "c" || kind == "b" {
			h.Devmajor, h.Devminor = map[string]int64{"c": 1, "b": 8}[kind], map[string]int64{"c": 3}[kind]
		}
		w.WriteHeader(h)
	}
	w.Close()
	return b.Bytes()
}

// object is JSON on its way.
type object = map[string]any

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // only of what is written below
	}
	return data
}

// makeImage is the scripts' command `ociarchive FILE NAME DEFECT LAYER…`: an OCI archive of an image, whose layers are files
// (archives), the lowest first, with one thing wrong.
func makeImage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: ociarchive FILE NAME DEFECT LAYER...")
	}
	var layers [][]byte
	for _, file := range args[3:] {
		layers = append(layers, []byte(ts.ReadFile(file)))
	}
	files := imageFiles(args[1], args[2], layers)
	if files == nil {
		ts.Fatalf("unknown defect %q", args[2])
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range sortedKeys(files) {
		w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))})
		w.Write(files[name])
	}
	w.Close()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}

func sortedKeys(files map[string][]byte) []string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

const mediaTypes = "application/vnd.oci.image."

// imageFiles are the files of an image layout; nil for a defect that there is not.
func imageFiles(name, defect string, layers [][]byte) map[string][]byte {
	files := map[string][]byte{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)}
	add := func(data []byte) string {
		files["blobs/sha256/"+strings.TrimPrefix(digest(data), "sha256:")] = data
		return digest(data)
	}
	drop := func(d string) { delete(files, "blobs/sha256/"+strings.TrimPrefix(d, "sha256:")) }
	diffIDs, descriptors := []string{}, []object{}
	for _, l := range layers {
		diffIDs = append(diffIDs, digest(l))
		d := object{"mediaType": mediaTypes + "layer.v1.tar", "size": len(l), "digest": digest(l)}
		if defect == "gzip" {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			z.Write(l)
			z.Close()
			l = packed.Bytes()
			d = object{"mediaType": mediaTypes + "layer.v1.tar+gzip", "size": len(l), "digest": digest(l)}
		}
		add(l)
		descriptors = append(descriptors, d)
	}
	first := descriptors[0]
	config := object{"architecture": "amd64", "os": "linux", "config": object{}, "rootfs": object{"type": "layers", "diff_ids": diffIDs}}
	manifest := object{"schemaVersion": 2, "mediaType": mediaTypes + "manifest.v1+json", "layers": descriptors}
	configType := mediaTypes + "config.v1+json"
	switch defect {
	case "none", "gzip", "no-config", "no-manifest", "manifest-size", "cycle":
	case "no-layer":
		drop(digest(layers[0]))
	case "wrong-layer":
		files["blobs/sha256/"+strings.TrimPrefix(digest(layers[0]), "sha256:")] = append(slices.Clone(layers[0]), make([]byte, 512)...)
	case "wrong-diffid":
		diffIDs[0] = digest([]byte("something else"))
	case "few-diffids":
		config["rootfs"] = object{"type": "layers", "diff_ids": []string{}}
	case "size":
		first["size"] = 7
	case "schema1":
		manifest = object{"schemaVersion": 1, "name": "x", "tag": "y", "fsLayers": []object{{"blobSum": digest(layers[0])}}}
	case "type":
		manifest["mediaType"] = "application/x-unknown"
	case "layer-type":
		first["mediaType"] = "application/x-unknown"
	case "artifact":
		configType = "application/vnd.example.chart+json"
	case "layer-path":
		first["digest"] = "sha256:../../../../../../etc/passwd"
	default:
		return nil
	}
	raw := encode(config)
	if defect != "schema1" {
		manifest["config"] = object{"mediaType": configType, "size": len(raw), "digest": add(raw)}
	}
	if defect == "no-config" {
		drop(digest(raw))
	}
	entry := object{"mediaType": mediaTypes + "manifest.v1+json", "size": len(encode(manifest)), "digest": add(encode(manifest)),
		"annotations": object{"org.opencontainers.image.ref.name": name}}
	switch defect {
	case "no-manifest":
		drop(digest(encode(manifest)))
	case "manifest-size":
		entry["size"] = 7
	case "cycle": // as near as one can get without breaking SHA-256: far too many indexes in each other
		for range 20 {
			index := encode(object{"schemaVersion": 2, "manifests": []object{entry}})
			entry = object{"mediaType": mediaTypes + "index.v1+json", "size": len(index), "digest": add(index),
				"annotations": object{"org.opencontainers.image.ref.name": name}}
		}
	}
	files["index.json"] = encode(object{"schemaVersion": 2, "manifests": []object{entry}})
	return files
}
