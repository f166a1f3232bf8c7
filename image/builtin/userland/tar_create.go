package userland

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

func (t *tarRequest) create(file string) (err error) {
	if len(t.operands) == 0 {
		return errors.New("cowardly refusing to create an empty archive")
	}
	out := io.Writer(t.p.Stdout)
	if file != "-" {
		f, err := os.Create(file)
		if err != nil {
			return fmt.Errorf("%s: Cannot open: %s", file, causeText(err))
		}
		defer f.Close()
		if t.archive, err = identify(f); err != nil {
			return err
		}
		out = f
	} else if t.opts.has('v') {
		t.verbose = t.p.Stderr // the archive has standard output for itself
	}
	if t.opts.has('z') || t.opts.has('a') && (strings.HasSuffix(file, ".gz") || strings.HasSuffix(file, ".tgz")) {
		compressor := gzip.NewWriter(out)
		defer func() { err = errors.Join(err, compressor.Close()) }()
		out = compressor
	}
	if t.opts.has('j') || t.opts.has('J') {
		return errors.New("only gzip can be written")
	}
	if t.dir != "" {
		if err := os.Chdir(t.dir); err != nil {
			return fmt.Errorf("%s: Cannot open: %s", t.dir, causeText(err))
		}
	}
	archive := tar.NewWriter(out)
	for _, operand := range t.operands {
		t.addTree(archive, operand)
	}
	return archive.Close()
}

func (t *tarRequest) addTree(archive *tar.Writer, path string) {
	if t.excluded(path) {
		return
	}
	lookUp := os.Lstat
	if t.opts.has('h') {
		lookUp = os.Stat
	}
	info, err := lookUp(path)
	if err == nil {
		err = t.add(archive, path, info)
	}
	if err != nil {
		t.fail("%s: %s", path, causeText(err))
		return
	}
	if !info.IsDir() {
		return
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		t.fail("%s: Cannot open: %s", path, causeText(err))
	}
	for _, entry := range entries {
		t.addTree(archive, strings.TrimSuffix(path, "/")+"/"+entry.Name())
	}
}

// add writes one member. Names in an archive do not begin with a slash, so that unpacking it stays where it is done.
func (t *tarRequest) add(archive *tar.Writer, path string, info os.FileInfo) error {
	if info.Mode()&os.ModeSocket != 0 {
		return errors.New("socket ignored")
	}
	if idOf(info) == t.archive {
		t.p.Fail("%s: file is the archive; not dumped", path)
		return nil
	}
	target := ""
	if info.Mode()&os.ModeSymlink != 0 {
		target, _ = os.Readlink(path)
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	header.Name = strings.TrimLeft(path, "/")
	if info.IsDir() {
		header.Name = strings.TrimSuffix(header.Name, "/") + "/"
	}
	if header.Name == "/" || header.Name == "" {
		header.Name = "./"
	}
	users, groups := accounts{file: "/etc/passwd"}, accounts{file: "/etc/group"}
	header.Uname, header.Gname = users.name(header.Uid), groups.name(header.Gid)
	if info.Mode().IsRegular() && info.Sys().(*syscall.Stat_t).Nlink > 1 {
		if first, ok := t.links[idOf(info)]; ok {
			header.Typeflag, header.Linkname, header.Size = tar.TypeLink, first, 0
		}
		t.links[idOf(info)] = header.Name
	}
	fmt.Fprintln(t.verbose, header.Name)
	if header.Typeflag != tar.TypeReg {
		return archive.WriteHeader(header)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, io.LimitReader(f, header.Size))
	return err
}
