package userland

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// aTree makes a small tree in a new directory, and goes there.
func aTree(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("dir/sub", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "file", "hello\n")
	write(t, "dir/a.txt", "text of a\n")
	write(t, "dir/sub/b.txt", "text of b\n")
	if os.Symlink("a.txt", "dir/link") != nil || os.Link("dir/a.txt", "dir/twin") != nil {
		t.Fatal("no links")
	}
	old := time.Unix(1700000000, 0)
	for _, name := range []string{"file", "dir/a.txt", "dir/sub/b.txt", "dir/sub", "dir"} {
		os.Chtimes(name, old, old)
	}
}

func succeed(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := call(t, "", args...)
	if code != 0 || stderr != "" {
		t.Fatalf("%q: code %d, %s", args, code, stderr)
	}
	return stdout
}

// sortedLines is for what comes in the order of the directory.
func sortedLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return strings.Join(lines, " ")
}

func TestLs(t *testing.T) {
	aTree(t)
	mustPrint(t, "dir\nfile\n", "ls")
	mustPrint(t, "a.txt\nlink@\nsub/\ntwin\n", "ls", "-F", "dir")
	syscall.Chmod("file", 0o4751)
	words := strings.Fields(succeed(t, "ls", "-ln", "file"))
	check(t, "the mode", words[0], "-rwsr-x--x")
	check(t, "the links", words[1], "1")
	check(t, "the size", words[4], "6")
	check(t, "the year", words[7], "2023")
	if listing := succeed(t, "ls", "-l", "dir"); !strings.HasPrefix(listing, "total ") || !strings.Contains(listing, "link -> a.txt\n") {
		t.Errorf("ls -l dir printed\n%s", listing)
	}
	if device := succeed(t, "ls", "-l", "/dev/null"); !strings.HasPrefix(device, "crw") || !strings.Contains(device, " 1, 3 ") {
		t.Errorf("a device is shown as %s", device)
	}
	mustRefuse(t, "ls: cannot access 'nothing': No such file or directory\n", 2, "ls", "nothing")
}

func TestCopyMoveRemove(t *testing.T) {
	aTree(t)
	succeed(t, "cp", "-a", "dir", "copy")
	mustPrint(t, "", "diff", "-r", "dir", "copy")
	if target, _ := os.Readlink("copy/link"); target != "a.txt" {
		t.Error("cp -a did not copy the link as a link")
	}
	if !sameFile("copy/a.txt", "copy/twin") {
		t.Error("cp -a made two files of one with two names")
	}
	if info, _ := os.Stat("copy/sub"); info.ModTime().Unix() != 1700000000 {
		t.Error("cp -a did not keep the time")
	}
	succeed(t, "cp", "dir/link", "plain")
	if info, _ := os.Lstat("plain"); !info.Mode().IsRegular() {
		t.Error("cp of a link has to copy the file")
	}
	mustRefuse(t, "cp: -r not specified; omitting directory 'dir'\n", 1, "cp", "dir", "x")
	mustRefuse(t, "cp: 'file' and 'file' are the same file\n", 1, "cp", "file", "file")
	mustRefuse(t, "cp: cannot copy a directory, 'dir', into itself, 'dir/sub/dir'\n", 1, "cp", "-r", "dir", "dir/sub")

	succeed(t, "mv", "file", "plain", "copy")
	mustPrint(t, "a.txt\nfile\nlink\nplain\nsub\ntwin\n", "ls", "copy")
	mustRefuse(t, "mv: cannot stat 'file': No such file or directory\n", 1, "mv", "file", "x")

	mustRefuse(t, "rm: cannot remove 'copy': Is a directory\n", 1, "rm", "copy")
	succeed(t, "rm", "-r", "copy")
	succeed(t, "rm", "-f", "nothing")
	mustRefuse(t, "rm: it is dangerous to operate recursively on '/'\n", 1, "rm", "-r", "/")
	mustPrint(t, "dir\n", "ls")
}

func TestModes(t *testing.T) {
	for _, c := range []struct {
		mode string
		old  uint32
		dir  bool
		want uint32
	}{
		{"755", 0o600, false, 0o755}, {"u+x", 0o644, false, 0o744}, {"go-r", 0o644, false, 0o600}, {"a=rX", 0o600, false, 0o444},
		{"a=rX", 0o600, true, 0o555}, {"u=rw,go=", 0o777, false, 0o600}, {"+t", 0o755, true, 0o1755}, {"g=u", 0o640, false, 0o660},
		{"u+s", 0o755, false, 0o4755}, {"ug+s", 0o755, false, 0o6755}, {"a-w+x", 0o666, false, 0o555},
	} {
		change, err := parseMode(c.mode)
		if err != nil {
			t.Errorf("%s: %v", c.mode, err)
		} else if got := change(c.old, c.dir); got != c.want {
			t.Errorf("%s makes %o of %o, not %o", c.mode, got, c.old, c.want)
		}
	}
	for _, bad := range []string{"zz", "u", "8", "a+q"} {
		if _, err := parseMode(bad); err == nil {
			t.Errorf("mode %s is accepted", bad)
		}
	}
	aTree(t)
	succeed(t, "chmod", "-R", "go=", "dir")
	mustPrint(t, "600 dir/a.txt\n", "stat", "-c", "%a %n", "dir/a.txt")
	succeed(t, "chmod", "-w", "file")
	mustPrint(t, "444 regular file\n", "stat", "-c", "%a %F", "file")
}

func TestFind(t *testing.T) {
	aTree(t)
	for _, c := range []struct{ args, want string }{
		{"-name *.txt", "./dir/a.txt ./dir/sub/b.txt"},
		{"-type d", ". ./dir ./dir/sub"},
		{"-maxdepth 1", ". ./dir ./file"},
		{"-type f -links 2", "./dir/a.txt ./dir/twin"},
		{"-name sub -prune -o -type f -print", "./dir/a.txt ./dir/twin ./file"},
		{"! -type d -size -7c", "./dir/link ./file"},
		{"( -name file -o -name twin ) -print", "./dir/twin ./file"},
		{"-path */sub/*", "./dir/sub/b.txt"},
		{"-mtime +1 -name file", "./file"},
	} {
		args := append([]string{"find", "."}, strings.Fields(c.args)...)
		check(t, "find "+c.args, sortedLines(succeed(t, args...)), c.want)
	}
	succeed(t, "find", "dir", "-name", "*.txt", "-delete")
	mustPrint(t, "link\nsub\ntwin\n", "ls", "dir")
	mustRefuse(t, "find: missing argument to '-name'\n", 1, "find", ".", "-name")
}

func TestArchives(t *testing.T) {
	aTree(t)
	succeed(t, "tar", "czf", "a.tgz", "dir")
	check(t, "tar t", sortedLines(succeed(t, "tar", "tf", "a.tgz")), "dir/ dir/a.txt dir/link dir/sub/ dir/sub/b.txt dir/twin")
	succeed(t, "mkdir", "out")
	succeed(t, "tar", "-x", "-f", "a.tgz", "-C", "out")
	mustPrint(t, "", "diff", "-r", "dir", "out/dir")
	if !sameFile("out/dir/a.txt", "out/dir/twin") {
		t.Error("tar made two files of one with two names")
	}
	if info, _ := os.Stat("out/dir/sub"); info.ModTime().Unix() != 1700000000 {
		t.Error("tar did not keep the time of a directory")
	}
	succeed(t, "gzip", "file")
	mustPrint(t, "hello\n", "zcat", "file.gz")
	succeed(t, "gunzip", "file.gz")
	mustPrint(t, "hello\n", "cat", "file")
}

// An archive whose link leads outside must not be a way to write there.
func TestTarStaysInside(t *testing.T) {
	aTree(t)
	outside := t.TempDir()
	succeed(t, "ln", "-s", outside, "evil")
	succeed(t, "tar", "cf", "one.tar", "evil")
	succeed(t, "rm", "evil")
	succeed(t, "mkdir", "evil")
	write(t, "evil/file", "caught\n")
	succeed(t, "tar", "cf", "two.tar", "evil/file")
	succeed(t, "mkdir", "out")
	succeed(t, "tar", "xf", "one.tar", "-C", "out")
	call(t, "", "tar", "xf", "two.tar", "-C", "out")
	if _, err := os.Stat(outside + "/file"); err == nil {
		t.Error("a member was written outside")
	}
}

func TestDd(t *testing.T) {
	aTree(t)
	_, stderr, code := call(t, "", "dd", "if=file", "of=out", "bs=4")
	if code != 0 || !strings.HasPrefix(stderr, "1+1 records in\n1+1 records out\n6 bytes copied, ") {
		t.Errorf("dd: code %d, %s", code, stderr)
	}
	succeed(t, "dd", "if=file", "of=out", "bs=1", "skip=1", "seek=2", "count=2", "conv=notrunc", "status=none")
	mustPrint(t, "heelo\n", "cat", "out")
	mustRefuse(t, "dd: failed to open 'nothing': No such file or directory\n", 1, "dd", "if=nothing")
}

func TestSmallFileCommands(t *testing.T) {
	aTree(t)
	succeed(t, "mkdir", "-p", "x/y/z")
	mustRefuse(t, "mkdir: cannot create directory 'x': File exists\n", 1, "mkdir", "x")
	succeed(t, "rmdir", "-p", "x/y/z")
	succeed(t, "ln", "-s", "file", "l")
	mustPrint(t, "file\n", "readlink", "l")
	succeed(t, "ln", "-sf", "dir", "l")
	mustPrint(t, "dir\n", "readlink", "l")
	succeed(t, "touch", "-d", "2020-01-02 03:04:05Z", "new")
	succeed(t, "truncate", "-s", "1K", "new")
	mustPrint(t, "1024\n", "stat", "-c", "%s", "new")
	succeed(t, "mkfifo", "pipe")
	mustPrint(t, "fifo\n", "stat", "-c", "%F", "pipe")
	mustPrint(t, "4\tdir/sub/b.txt\n", "du", "dir/sub/b.txt")
	succeed(t, "sed", "-i", "s/hello/bye/", "file")
	mustPrint(t, "bye\n", "cat", "file")
	mustRefuse(t, "cat: /nowhere: No such file or directory\n", 1, "cat", "/nowhere")
	sums := succeed(t, "sha256sum", "file")
	write(t, "sums", sums)
	mustPrint(t, "file: OK\n", "sha256sum", "-c", "sums")
	write(t, "file", "other\n")
	if _, _, code := call(t, "", "sha256sum", "-c", "sums"); code != 1 {
		t.Error("a wrong sum goes unnoticed")
	}
}

// The table is searched by halves.
func TestCommandsAreSorted(t *testing.T) {
	if names := Names(); !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Error("the commands are not sorted by name")
	}
	if _, ok := Lookup("/bin/ls"); !ok {
		t.Error("no ls")
	}
}
