package userland

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// copier copies files and trees; cp is one, and mv is one where a rename is not possible.
type copier struct {
	p         *Process
	recursive bool
	preserve  bool // modes, owners and times
	links     bool // symbolic links as such, not what they lead to
	same      bool // a file with two names stays one
	follow    bool // what a symbolic link on the command line leads to
	force     bool
	noClobber bool
	update    bool // only what is newer
	ask       *bufio.Reader
	hardLink  bool
	symLink   bool
	verbose   bool

	copied map[fileID]string
	code   int
}

func (c *copier) fail(format string, args ...any) { c.code = c.p.Fail(format, args...) }

// copy copies from to to, which is the full new name. top is true for what the command line names.
func (c *copier) copy(from, to string, top bool) {
	lookUp := os.Lstat
	if !c.links || top && c.follow {
		lookUp = os.Stat
	}
	info, err := lookUp(from)
	if err != nil {
		c.fail("cannot stat '%s': %s", from, causeText(err))
		return
	}
	if info.IsDir() {
		c.copyDirectory(from, to, info)
		return
	}
	if !c.mayReplace(from, to, info) {
		return
	}
	if c.verbose {
		fmt.Fprintf(c.p.Stdout, "'%s' -> '%s'\n", from, to)
	}
	if c.linkedBefore(to, info) {
		return
	}
	if err := c.copyOne(from, to, info); err != nil {
		c.fail("cannot create '%s': %s", to, causeText(err))
		return
	}
	c.adopt(to, info)
}

func (c *copier) mayReplace(from, to string, info os.FileInfo) bool {
	existing, err := os.Lstat(to)
	if err != nil {
		return true
	}
	target, err := os.Stat(to)
	switch {
	case c.noClobber:
		return false
	case c.update && !info.ModTime().After(existing.ModTime()):
		return false
	case err == nil && os.SameFile(info, target) && !c.hardLink && !c.symLink:
		c.fail("'%s' and '%s' are the same file", from, to)
		return false
	case existing.IsDir():
		c.fail("cannot overwrite directory '%s' with non-directory", to)
		return false
	case c.ask != nil:
		fmt.Fprintf(c.p.Stderr, "%s: overwrite '%s'? ", filepath.Base(c.p.Args[0]), to)
		return readYes(c.ask)
	}
	return true
}

// linkedBefore makes a hard link where cp -a comes to a file again under another name.
func (c *copier) linkedBefore(to string, info os.FileInfo) bool {
	if !c.same || info.Sys().(*syscall.Stat_t).Nlink < 2 {
		return false
	}
	if first, ok := c.copied[idOf(info)]; ok {
		os.Remove(to)
		return os.Link(first, to) == nil
	}
	if c.copied == nil {
		c.copied = map[fileID]string{}
	}
	c.copied[idOf(info)] = to
	return false
}

func (c *copier) copyOne(from, to string, info os.FileInfo) error {
	stat := info.Sys().(*syscall.Stat_t)
	switch {
	case c.hardLink:
		return replacing(to, c.force, func() error { return os.Link(from, to) })
	case c.symLink:
		return replacing(to, c.force, func() error { return os.Symlink(from, to) })
	case info.Mode()&os.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return replacing(to, true, func() error { return os.Symlink(target, to) })
	case !info.Mode().IsRegular() && c.recursive:
		return replacing(to, true, func() error { return unix.Mknod(to, stat.Mode, int(stat.Rdev)) })
	}
	return c.copyContent(from, to, info)
}

// replacing tries once more without the old file, if that is allowed and it was in the way.
func replacing(path string, allowed bool, create func() error) error {
	err := create()
	if allowed && errors.Is(err, fs.ErrExist) {
		if err := os.Remove(path); err != nil {
			return err
		}
		return create()
	}
	return err
}

func (c *copier) copyContent(from, to string, info os.FileInfo) error {
	in, err := os.Open(from)
	if err != nil {
		c.fail("cannot open '%s' for reading: %s", from, causeText(err))
		return nil
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil && c.force && os.Remove(to) == nil {
		out, err = os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in) // the kernel does it: copy_file_range
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (c *copier) copyDirectory(from, to string, info os.FileInfo) {
	if !c.recursive {
		c.fail("-r not specified; omitting directory '%s'", from)
		return
	}
	if inside(from, to) {
		c.fail("cannot copy a directory, '%s', into itself, '%s'", from, to)
		return
	}
	existing, err := os.Stat(to)
	switch {
	case err == nil && !existing.IsDir():
		c.fail("cannot overwrite non-directory '%s' with directory '%s'", to, from)
		return
	case err != nil:
		// Writable for us until it is filled; its own mode comes at the end.
		if err := os.Mkdir(to, info.Mode().Perm()|0o700); err != nil {
			c.fail("cannot create directory '%s': %s", to, causeText(err))
			return
		}
		if c.verbose {
			fmt.Fprintf(c.p.Stdout, "'%s' -> '%s'\n", from, to)
		}
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		c.fail("cannot access '%s': %s", from, causeText(err))
	}
	for _, entry := range entries {
		c.copy(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name()), false)
	}
	if existing == nil && !c.preserve && info.Mode().Perm()&0o700 != 0o700 {
		os.Chmod(to, info.Mode().Perm())
	}
	c.adopt(to, info)
}

// inside tells whether path to lies in directory from, by way of real directories, not of names.
func inside(from, to string) bool {
	root, err := os.Stat(from)
	if err != nil {
		return false
	}
	for dir := filepath.Dir(to); ; dir = filepath.Join(dir, "..") {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		if os.SameFile(info, root) {
			return true
		}
		parent, err := os.Stat(filepath.Join(dir, ".."))
		if err != nil || os.SameFile(info, parent) {
			return false
		}
		if !filepath.IsAbs(dir) {
			if dir, err = filepath.Abs(dir); err != nil {
				return false
			}
		}
	}
}

// adopt gives the copy the original's owner, mode and times. The owner comes first: changing it clears set-user-id.
func (c *copier) adopt(path string, info os.FileInfo) {
	if !c.preserve || c.hardLink || c.symLink {
		return
	}
	stat := info.Sys().(*syscall.Stat_t)
	owned := os.Lchown(path, int(stat.Uid), int(stat.Gid)) == nil
	if info.Mode()&os.ModeSymlink == 0 {
		mode := stat.Mode & 0o7777
		if !owned {
			mode &^= unix.S_ISUID | unix.S_ISGID
		}
		syscall.Chmod(path, mode)
	}
	times := []unix.Timespec{{Sec: stat.Atim.Sec, Nsec: stat.Atim.Nsec}, {Sec: stat.Mtim.Sec, Nsec: stat.Mtim.Nsec}}
	unix.UtimesNanoAt(unix.AT_FDCWD, path, times, unix.AT_SYMLINK_NOFOLLOW)
}
