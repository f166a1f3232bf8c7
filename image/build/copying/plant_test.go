package copying

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// planted is the time of everything that plant makes.
func planted() time.Time { return time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC) }

// plant makes files, one for each word: "d/" is a directory, "f=text" a file, "l->target" a symbolic link, "h==f" a
// hard link; ":700" at the end of a word is a mode other than 755 and 644. Directories on the way are made.
func plant(t testing.TB, words string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	for word := range strings.FieldsSeq(words) {
		word, mode, _ := strings.Cut(word, ":")
		name, content, isFile := strings.Cut(word, "=")
		name, target, isLink := strings.Cut(name, "->")
		full := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		switch {
		case isLink:
			must(t, os.Symlink(target, full))
		case isFile && strings.HasPrefix(content, "="):
			must(t, os.Link(filepath.Join(dir, content[1:]), full))
		case isFile:
			must(t, os.WriteFile(full, []byte(content), 0o644))
		default:
			must(t, os.MkdirAll(full, 0o755))
		}
		if mode != "" {
			bits := uint32(0)
			fmt.Sscanf(mode, "%o", &bits)
			must(t, os.Chmod(full, fileMode(bits)))
		}
	}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type() != fs.ModeSymlink {
			must(t, os.Chtimes(path, planted(), planted()))
		}
		return err
	})
	return dir
}

// harvest lists a directory in the words of plant.
func harvest(t testing.TB, dir string) string {
	t.Helper()
	var words []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		must(t, err)
		word, _ := filepath.Rel(dir, path)
		usual := uint32(0o644)
		switch {
		case d.IsDir():
			word += "/"
			usual = 0o755
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			must(t, err)
			words = append(words, word+"->"+target)
			return nil
		case d.Type().IsRegular():
			content, err := os.ReadFile(path)
			must(t, err)
			word += "=" + string(content)
		default:
			word += " " + d.Type().String()
		}
		if mode := permissions(info.Mode()); mode != usual {
			word += fmt.Sprintf(":%o", mode)
		}
		words = append(words, word)
		return nil
	}))
	return strings.Join(words, " ")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// contextOf opens a build context.
func contextOf(t testing.TB, dir, ignore string) *Tree {
	t.Helper()
	rules, err := ReadIgnore(strings.NewReader(ignore))
	must(t, err)
	tree, err := OpenDirectory(dir, rules)
	must(t, err)
	t.Cleanup(func() { tree.Close() })
	return tree
}

func layersOf(t testing.TB, dirs ...string) *Tree {
	t.Helper()
	tree, err := OpenLayers(dirs)
	must(t, err)
	t.Cleanup(func() { tree.Close() })
	return tree
}

// written performs an instruction, and returns the layer.
func written(t testing.TB, c Copy, below ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() { // so that what is not writable can be removed by an ordinary user
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if d != nil && d.IsDir() {
				os.Chmod(path, 0o700)
			}
			return nil
		})
	})
	defer c.Close()
	return dir, c.Write(context.Background(), dir, below)
}

// copyOf is an instruction without flags.
func copyOf(tree *Tree, args ...string) Copy {
	return Copy{From: tree, Sources: args[:len(args)-1], Dest: args[len(args)-1], UID: -1, GID: -1}
}
