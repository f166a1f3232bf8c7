package copying

import (
	"os"
	"path/filepath"
	"sandbox/kernel"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestReference goes through what the Dockerfile reference says of COPY. A want that begins with ! is an error.
func TestReference(t *testing.T) {
	for _, c := range []struct{ name, context, below, args, want string }{
		{"file to file", "a=1", "", "a /b", "b=1"},
		{"file to directory", "a=1", "", "a /d/", "d/ d/a=1"},
		{"file to a dot", "a=1", "", "a /d/.", "d/ d/a=1"},
		{"file into a directory that is there", "a=1", "d/", "a /d", "d/ d/a=1"},
		{"missing directories are made", "a=1", "", "a /x/y/z", "x/ x/y/ x/y/z=1"},
		{"several files", "a=1 b=2", "", "a b /d/", "d/ d/a=1 d/b=2"},
		{"several files need a directory", "a=1 b=2", "", "a b /d", "!more than one source"},
		{"several files, a directory that is there", "a=1 b=2", "d/", "a b /d", "d/ d/a=1 d/b=2"},
		{"several by a pattern", "a=1 b=2", "", "* /d", "!more than one source"},
		{"several directories", "a/1=1 b/2=2", "", "a b /d", "d/ d/1=1 d/2=2"},
		{"a directory's content", "d/a=1 d/e/b=2", "", "d /x", "x/ x/a=1 x/e/ x/e/b=2"},
		{"slashes after a source mean nothing", "d/a=1", "", "d/ /x", "x/ x/a=1"},
		{"a dot after a source", "d/a=1", "", "d/. /x/", "x/ x/a=1"},
		{"all", "d/a=1 b=2", "", ". /", "b=2 d/ d/a=1"},
		{"a slash before a source", "a=1", "", "/a /b", "b=1"},
		{"inner dots", "a=1 d/", "", "d/../a /b", "b=1"},
		{"an empty directory", "d/", "", "d /x", "x/"},
		{"an empty directory over one that is there", "d/", "x/", "d /x", ""},
		{"modes stay", "d/a=1:4755 d/b=2:600 d/e/:700", "", "d /x", "x/ x/a=1:4755 x/b=2:600 x/e/:700"},
		{"the directory itself does not count", "d/:700 d/a=1", "", "d /x", "x/ x/a=1"},

		{"pattern: *", "a.png=1 b.png=2 c.txt=3", "", "*.png /d/", "d/ d/a.png=1 d/b.png=2"},
		{"pattern: ?", "index.js=1 index.ts=2 index.css=3", "", "index.?s /d/", "d/ d/index.js=1 d/index.ts=2"},
		{"pattern: class", "arr[0].txt=1 arr0.txt=2", "", "arr[[]0].txt /d/", "d/ d/arr[0].txt=1"},
		{"pattern: escaped", "a*=1 ab=2", "", `a\* /d/`, "d/ d/a*=1"},
		{"pattern: in the middle", "a/x/f=1 b/x/f=2", "", "*/x/f /d/", "d/ d/f=2"},
		{"pattern: * matches no slash", "a/x/f=1", "", "*/f /d/", "!nothing in"},
		{"pattern: ** is * without --parents", "a/x/f=1 b/f=2", "", "**/f /d/", "d/ d/f=2"},
		{"pattern: directories by their content", "d1/a=1 d2/b=2", "", "d* /x/", "x/ x/a=1 x/b=2"},
		{"pattern: one of two matches", "a=1", "", "a b* /d/", "d/ d/a=1"},
		{"pattern: none matches", "a=1", "", "b* /d/", "!nothing in"},
		{"pattern: bad", "a=1", "", "[ /d/", "!syntax error in pattern"},

		{"merged", "d/new=1 d/sub/x=2", "x/old=0 x/sub/y=0", "d /x", "x/ x/new=1 x/sub/ x/sub/x=2"},
		{"file by file", "d/a=new", "x/a=old", "d /x/", "x/ x/a=new"},
		{"file over file", "a=new", "a=old", "a /a", "a=new"},
		{"file over link in a directory", "a=new", "d/a->b d/b=old", "a /d/", "d/ d/a=new"},
		{"file over directory", "a=1", "d/a/", "a /d/", "!/d/a is a directory"},
		{"file in a directory over directory", "s/a=1", "d/a/", "s /d/", "!/d/a is a directory"},
		{"directory over file", "d/a=1", "x=1", "d /x", "!/x is a file in the image"},
		{"inner directory over file", "d/a/b=1", "x/a=1", "d /x", "!/x/a is a file in the image"},
		{"inner directory over link", "d/bin/b=1", "usr/bin/ bin->usr/bin", "d /", "!/bin is a symbolic link (to usr/bin)"},
		{"file as a directory", "a=1", "x=1", "a /x/", "!/x is a file in the image"},
		{"file under a file", "a=1", "x=1", "a /x/y", "!/x is a file in the image"},
		{"last one wins", "a/f=1 b/f=2", "", "a b /d/", "d/ d/f=2"},

		{"destination through a link", "a=1", "usr/bin/ bin->usr/bin", "a /bin/", "usr/ usr/bin/ usr/bin/a=1"},
		{"destination through an absolute link", "a=1", "usr/bin/ x/bin->/usr/bin", "a /x/bin/a", "usr/ usr/bin/ usr/bin/a=1"},
		{"destination is a link to a file", "a=new", "bin/dash=old bin/sh->dash", "a /bin/sh", "bin/ bin/dash=new"},
		{"destination through a link to nothing", "a=1", "l->../tmp/t", "a /l/", "tmp/ tmp/t/ tmp/t/a=1"},
		{"destination is a link to nothing", "a=1", "l->t/f", "a /l", "t/ t/f=1"},
		{"destination with dots", "a=1", "", "a /../../x/../b", "b=1"},
		{"destination through links out", "a=1", "l->../../../../tmp", "a /l/x", "tmp/ tmp/x=1"},
		{"destination through a circle", "a=1", "l->m m->l", "a /l/x", "!too many levels"},

		{"source through a link", "link->sub sub/foo=1", "", "link/foo /", "foo=1"},
		{"source is a link", "foo->bar bar=1", "", "foo /", "foo=1"},
		{"source is a link to a directory", "l->d d/a=1", "", "l /x/", "x/ x/a=1"},
		{"sources are links by a pattern", "l0->f l1->l2 l2->g f=1 g=2", "", "l[01] /d/", "d/ d/l0=1 d/l1=2"},
		{"source is an absolute link", "l->/d/a d/a=1", "", "l /b", "b=1"},
		{"links in a directory stay", "d/l->a d/a=1 d/dead->/nowhere", "", "d /x", "x/ x/a=1 x/dead->/nowhere x/l->a"},
		{"source is a link out", "l->../../../../../../etc/passwd", "", "l /b", `!leads to "../../../../../../etc/passwd"`},
		{"source through a link out", "l->/etc", "", "l/passwd /b", `!leads to "/etc"`},
		{"one of the matches is a link to nothing", "la=1 lb->/nowhere", "", "l* /d/", `!COPY lb: a symbolic link leads to "/nowhere"`},
		{"sources in a circle", "l->m m->l", "", "l /b", "!leads to"},
		{"source under a file", "a=1", "", "a/b /b", "!not found"},

		{"out of the context", "a=1", "", "../a /b", "!forbidden path outside the build context"},
		{"out of the context, hidden", "a=1", "", "d/../../a /b", "!forbidden path outside the build context"},
		{"out of the context, absolute", "a=1", "", "/../a /b", "!forbidden path outside the build context"},
		{"a name with dots", "..a=1", "", "..a /b", "b=1"},
		{"not there", "a=1", "", "b /b", "!COPY b: not found in the build context"},
		{"a URL", "", "", "http://h/a /b", "!COPY copies no URLs"},
		{"a repository", "", "", "git@github.com:a/b.git /b", "!git repositories"},
		{"a whiteout", "d/.wh.a=1", "", "d /b", `!an image cannot hold a file called ".wh.a"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, err := written(t, copyOf(contextOf(t, plant(t, c.context), ""), strings.Fields(c.args)...), plant(t, c.below))
			if want, isError := strings.CutPrefix(c.want, "!"); isError {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want %q", err, want)
				}
				return
			}
			must(t, err)
			if got := harvest(t, dir); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestFlags: --link, --parents, --exclude, --chmod, and what the ignore file leaves.
func TestFlags(t *testing.T) {
	const project = "src/a.txt=1 src/x/b.txt=2 src/x/y/c.txt=3 src/x/y/d.md=4 top.txt=5"
	for _, c := range []struct {
		name, context, ignore, below string
		copy                         Copy
		args, want                   string
	}{
		{"link", "a=1", "", "usr/bin/ bin->usr/bin", Copy{Link: true}, "a /bin/", "bin/ bin/a=1"},
		{"link over a directory", "a=1", "", "d/a/", Copy{Link: true}, "a /d/", "d/ d/a=1"},
		{"parents", project, "", "", Copy{Parents: true}, "src/x/b.txt top.txt /p/", "p/ p/src/ p/src/x/ p/src/x/b.txt=2 p/top.txt=5"},
		{"parents of a directory", project, "", "", Copy{Parents: true}, "./src/x/y /p/", "p/ p/src/ p/src/x/ p/src/x/y/ p/src/x/y/c.txt=3 p/src/x/y/d.md=4"},
		{"parents after a pivot", project, "", "", Copy{Parents: true}, "./src/./x/*.txt /p/", "p/ p/x/ p/x/b.txt=2"},
		{"parents after a pivot, a directory", project, "", "", Copy{Parents: true}, "/src/x/./y /p/", "p/ p/y/ p/y/c.txt=3 p/y/d.md=4"},
		{"parents after the first of two pivots", project, "", "", Copy{Parents: true}, "/src/./x/./y /p/", "p/ p/x/ p/x/y/ p/x/y/c.txt=3 p/x/y/d.md=4"},
		{"parents and **", project, "", "", Copy{Parents: true}, "./src/**/*.txt /p/", "p/ p/src/ p/src/a.txt=1 p/src/x/ p/src/x/b.txt=2 p/src/x/y/ p/src/x/y/c.txt=3"},
		{"parents with a pattern before the pivot", "a1/c/e=1 a2/c/f=2", "", "", Copy{Parents: true}, "a*/./c /p/", "p/ p/c/ p/c/e=1 p/c/f=2"},
		{"parents keep modes", "d/:700 d/e/:750 d/e/f=1", "", "", Copy{Parents: true}, "d/e/f /", "d/:700 d/e/:750 d/e/f=1"},
		{"parents that are there stay", "d/:700 d/f=1", "", "d/:711", Copy{Parents: true}, "d/f /", "d/:711 d/f=1"},
		{"parents of what is not there", project, "", "", Copy{Parents: true}, "src/none /p/", "!not found"},
		{"parents of no match", project, "", "", Copy{Parents: true}, "src/*.c /p/", "!nothing in"},
		{"exclude", "hom.txt=1 home=2 hom.md=3", "", "", Copy{Exclude: []string{"*.txt", "*.md"}}, "hom* /d/", "d/ d/home=2"},
		{"exclude in a directory", "d1/a.png=1 d1/b.txt=2 d2/c.png=3", "", "", Copy{Exclude: []string{"*/*.png"}}, ". /x/", "x/ x/d1/ x/d1/b.txt=2 x/d2/"},
		{"exclude counts from the source", "d1/a.mp3=1 d1/b=2", "", "", Copy{Exclude: []string{"*.mp3"}}, "d* /x", "x/ x/b=2"},
		{"exclude all", "d/a=1", "", "", Copy{Exclude: []string{"*"}}, "d /x", "x/"},
		{"exclude with an exception", "d/a=1 d/b=2 e/c=3", "", "", Copy{Exclude: []string{"d", "!d/b"}}, ". /", "d/ d/b=2 e/ e/c=3"},
		{"exclude and parents", project, "", "", Copy{Parents: true, Exclude: []string{"**/*.md"}}, "src/x /", "src/ src/x/ src/x/b.txt=2 src/x/y/ src/x/y/c.txt=3"},
		{"chmod", "d/a=1:600 d/e/:700", "", "", Copy{Chmod: "4711"}, "d /x", "x/:4711 x/a=1:4711 x/e/:4711"},
		{"chmod in letters", "d/a=1:700 d/b=2:600 d/e/:700", "", "", Copy{Chmod: "u=rwX,go=rX"}, "d /x", "x/ x/a=1:755 x/b=2 x/e/"},
		{"chmod +x", "a=1", "", "", Copy{Chmod: "+x"}, "a /d/a", "d/ d/a=1:755"},
		{"chmod g=u", "a=1:640", "", "", Copy{Chmod: "g=u"}, "a /", "a=1:660"},
		{"chmod bad", "a=1", "", "", Copy{Chmod: "64a"}, "a /", "!not a mode"},
		{"chmod too large", "a=1", "", "", Copy{Chmod: "10000"}, "a /", "!not a mode"},

		{"ignored", "a=1 b.log=2 d/c.log=3 d/e=4", "*.log\n", "", Copy{}, ". /", "a=1 d/ d/c.log=3 d/e=4"},
		{"ignored anywhere", "a=1 b.log=2 d/c.log=3 d/e=4", "# logs\n\n**/*.log\n", "", Copy{}, ". /", "a=1 d/ d/e=4"},
		{"ignored directory", "a=1 n/x=2 n/y/z=3", "/n/\n", "", Copy{}, ". /", "a=1"},
		{"ignored but for", "a.md=1 README.md=2", "*.md\n!README.md\n", "", Copy{}, ". /", "README.md=2"},
		{"the last one decides", "a.md=1 README.md=2", "*.md\n!README.md\nREAD*\n", "", Copy{}, ". /", ""},
		{"all ignored but for", "a=1 src/b=2 src/t/c=3 x/y=4", "*\n!src/t\n", "", Copy{}, ". /", "src/ src/t/ src/t/c=3"},
		{"all ignored but for, deep", "a=1 x/y/z=4 x/w=5", "**\n!x/y/z\n", "", Copy{}, ". /", "x/ x/y/ x/y/z=4"},
		{"ignored and asked for", "secret=1", "# no\nsec*\n", "", Copy{}, "secret /", "!.dockerignore, line 2: sec*"},
		{"ignored and asked for by a pattern", "a/secret=1", "a\n", "", Copy{}, "*/sec* /", "!.dockerignore, line 1: a"},
		{"ignored behind a link", "l->secret secret=1", "secret\n", "", Copy{}, "l /", "!.dockerignore, line 1: secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := strings.Fields(c.args)
			instruction := c.copy
			instruction.From, instruction.UID, instruction.GID = contextOf(t, plant(t, c.context), c.ignore), -1, -1
			instruction.Sources, instruction.Dest = args[:len(args)-1], args[len(args)-1]
			dir, err := written(t, instruction, plant(t, c.below))
			if want, isError := strings.CutPrefix(c.want, "!"); isError {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want %q", err, want)
				}
				if kernel.CureOf(err) == "" {
					t.Errorf("%v: no cure", err)
				}
				return
			}
			must(t, err)
			if got := harvest(t, dir); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestNotFoundTeaches(t *testing.T) {
	tree := contextOf(t, plant(t, "main.go=1 src/server.go=2 README.md=3 x.log=4"), "*.log")
	for source, want := range map[string]string{
		"mian.go":   "there is main.go",
		"server.go": "there is src/server.go",
		"readme.MD": "there is README.md",
		"x.log":     "take the line out of .dockerignore, or add this one at its end: !x.log",
	} {
		_, err := written(t, copyOf(tree, source, "/"))
		if got := kernel.CureOf(err); got != want {
			t.Errorf("%s: %v: %q, want %q", source, err, got, want)
		}
	}
	if got := tree.Ignored(); !slices.Equal(got, []string{"x.log (.dockerignore, line 1: *.log)"}) {
		t.Errorf("ignored %q", got)
	}
}

// TestCopyUp: a directory below that gets a file is copied up as it is, and its parents too.
func TestCopyUp(t *testing.T) {
	below := plant(t, "usr/share/:2750 usr/share/x=1 usr/bin/")
	must(t, unix.Setxattr(below+"/usr/share", "user.color", []byte("blue"), 0))
	must(t, unix.Setxattr(below+"/usr/share", "user.overlay.opaque", []byte("y"), 0))
	dir, err := written(t, copyOf(contextOf(t, plant(t, "a=1"), ""), "a", "/usr/share/"), below)
	must(t, err)
	if got, want := harvest(t, dir), "usr/ usr/share/:2750 usr/share/a=1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, name := range []string{"", "usr", "usr/share", "usr/share/a"} {
		info, err := os.Lstat(filepath.Join(dir, name))
		must(t, err)
		if !info.ModTime().Equal(planted()) {
			t.Errorf("%q: time %v", name, info.ModTime())
		}
	}
	names := make([]byte, 1000)
	n, err := unix.Llistxattr(dir+"/usr/share", names)
	if got := string(names[:max(0, n)]); err != nil || got != "user.color\x00" {
		t.Errorf("extended attributes %q, %v", got, err)
	}
}

func TestTimes(t *testing.T) {
	source := plant(t, "d/a=1 d/e/f=2 n=3")
	later := planted().Add(time.Hour)
	must(t, os.Chtimes(source+"/n", later, later))
	clamp := planted().Add(time.Minute)
	c := copyOf(contextOf(t, source, ""), "d", "n", "/x/y/")
	c.Clamp = &clamp
	dir, err := written(t, c)
	must(t, err)
	for name, want := range map[string]time.Time{"x": clamp, "x/y": planted(), "x/y/a": planted(), "x/y/e": planted(), "x/y/e/f": planted(), "x/y/n": clamp, "": time.Unix(0, 0)} {
		info, err := os.Lstat(filepath.Join(dir, name))
		must(t, err)
		if !info.ModTime().Equal(want) {
			t.Errorf("%q: time %v, want %v", name, info.ModTime(), want)
		}
	}
}

func TestHardLinksAndHoles(t *testing.T) {
	source := plant(t, "d/a=1 d/b==d/a d/e/c==d/a")
	holes, err := os.Create(source + "/d/holes")
	must(t, err)
	must(t, holes.Truncate(10<<20))
	_, err = holes.WriteAt([]byte("middle"), 5<<20)
	must(t, err)
	must(t, holes.Close())
	dir, err := written(t, copyOf(contextOf(t, source, ""), "d", "/"))
	must(t, err)
	var one, two, big, original unix.Stat_t
	must(t, unix.Lstat(dir+"/a", &one))
	must(t, unix.Lstat(dir+"/e/c", &two))
	if one.Ino != two.Ino || one.Nlink != 3 {
		t.Errorf("hard links: inodes %d and %d, %d links", one.Ino, two.Ino, one.Nlink)
	}
	must(t, unix.Lstat(source+"/d/holes", &original))
	must(t, unix.Lstat(dir+"/holes", &big))
	if original.Blocks*512 < original.Size && big.Blocks*512 > 1<<20 {
		t.Errorf("%d blocks for a file of %d: the holes are filled", big.Blocks, original.Blocks)
	}
	content, err := os.ReadFile(dir + "/holes")
	must(t, err)
	if len(content) != 10<<20 || string(content[5<<20:5<<20+6]) != "middle" || strings.Trim(string(content[:5<<20]), "\x00") != "" {
		t.Error("the file with holes has another content")
	}
}

func TestSpecialFiles(t *testing.T) {
	source := plant(t, "d/a=1")
	must(t, unix.Mkfifo(source+"/d/pipe", 0o622))
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(t, err)
	defer unix.Close(fd)
	t.Chdir(source + "/d") // a socket's address is short
	must(t, unix.Bind(fd, &unix.SockaddrUnix{Name: "socket"}))
	dir, err := written(t, copyOf(contextOf(t, source, ""), "d", "/"))
	must(t, err)
	var pipe, original unix.Stat_t
	must(t, unix.Lstat(source+"/d/pipe", &original))
	must(t, unix.Lstat(dir+"/pipe", &pipe))
	if got := harvest(t, dir); strings.Contains(got, "socket") || pipe.Mode != original.Mode {
		t.Errorf("got %s", got)
	}
	if _, err := written(t, copyOf(contextOf(t, source, ""), "d/socket", "/")); err == nil || !strings.Contains(err.Error(), "socket") {
		t.Errorf("a socket as source: %v", err)
	}
}

func TestLargeFile(t *testing.T) {
	source := plant(t, "")
	content := strings.Repeat("0123456789abcdef", 20<<10)
	must(t, os.WriteFile(source+"/big", []byte(content), 0o644))
	must(t, os.WriteFile(source+"/edge", []byte(content[:smallFile]), 0o644))
	must(t, os.WriteFile(source+"/empty", nil, 0o644))
	dir, err := written(t, copyOf(contextOf(t, source, ""), ".", "/"))
	must(t, err)
	for name, want := range map[string]string{"big": content, "edge": content[:smallFile], "empty": ""} {
		if got, err := os.ReadFile(dir + "/" + name); err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestInline(t *testing.T) {
	c := Copy{Inline: []Inline{{"one", "1\n"}, {"two", "2\n"}}, Dest: "/d/", UID: 5, GID: 6, Chmod: "600"}
	dir, err := written(t, c)
	must(t, err)
	if got, want := harvest(t, dir), "d/ d/one=1\n:600 d/two=2\n:600"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	info, err := layersOf(t, dir).view().lookup("d/two")
	must(t, err)
	defer info.close()
	a, err := layersOf(t, dir).attributesOf(info.end, -1)
	if err != nil || a.uid != 5 || a.gid != 6 {
		t.Errorf("owner %d:%d, %v", a.uid, a.gid, err)
	}
}

func TestDestination(t *testing.T) {
	for _, c := range [][3]string{{"/work", "x", "/work/x"}, {"/work", ".", "/work/"}, {"/work", "./x/", "/work/x/"}, {"", "..", "/"}, {"/a/b", "..", "/a/"},
		{"/work", "/x/.", "/x/"}, {"/work", "/", "/"}, {"/work", "", "/work/"}, {"/work", "/x", "/x"}} {
		if got := Destination(c[0], c[1]); got != c[2] {
			t.Errorf("Destination(%q, %q) = %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
