// Package rules holds the source to the project's two rules of structure: imports run one way, and whatever changes the
// machine goes through the door (package kernel).
package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// file is one Go source file of the project, tests left out.
type file struct {
	path   string // from the project's root
	syntax *ast.File
}

func sources(t *testing.T) (*token.FileSet, []file) {
	t.Helper()
	set := token.NewFileSet()
	var list []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		syntax, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		list = append(list, file{filepath.ToSlash(relative), syntax})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return set, list
}

// layers: a package may import those of its own row and of rows below it, and of its own row only what lies in its own
// directory: image, net and cgroup do not know each other.
var layers = [][]string{
	{"main"},
	{"labs"},
	{"kernel/container", "kernel/pocket"},
	{"image", "net", "cgroup"},
	{"kernel"},
}

// layerOf is the row and the directory that a package belongs to; the longest match wins.
func layerOf(pkg string) (row int, dir string) {
	row = -1
	for i, dirs := range layers {
		for _, d := range dirs {
			if (pkg == d || strings.HasPrefix(pkg, d+"/")) && len(d) > len(dir) {
				row, dir = i, d
			}
		}
	}
	return row, dir
}

func TestImportDirection(t *testing.T) {
	_, files := sources(t)
	for _, f := range files {
		pkg := filepath.ToSlash(filepath.Dir(f.path))
		if pkg == "." {
			pkg = "main"
		}
		row, dir := layerOf(pkg)
		if row < 0 {
			continue // tests' own packages
		}
		for _, imported := range f.syntax.Imports {
			path, _ := strconv.Unquote(imported.Path.Value)
			other, ours := strings.CutPrefix(path, "sandbox/")
			if !ours {
				continue
			}
			otherRow, otherDir := layerOf(other)
			if otherRow < row || otherRow == row && otherDir != dir {
				t.Errorf("%s imports %s: imports run main → labs → kernel/container → {image, net, cgroup} → kernel", f.path, path)
			}
		}
	}
}

// TestCommandLineLibraries: cobra and goldmark are for what a person touches.
func TestCommandLineLibraries(t *testing.T) {
	_, files := sources(t)
	for _, f := range files {
		for _, imported := range f.syntax.Imports {
			path, _ := strconv.Unquote(imported.Path.Value)
			only := strings.HasPrefix(path, "github.com/spf13/cobra") || strings.HasPrefix(path, "github.com/yuin/goldmark")
			if only && !strings.HasPrefix(f.path, "labs/") {
				t.Errorf("%s imports %s, which is for labs/ only", f.path, path)
			}
		}
	}
}

// exempt are directories and files that may change things without the door, each with the reason.
var exempt = map[string]string{
	"kernel/":                 "the door itself and what stands behind it",
	"image/builtin/userland/": "programs of the base image: they run in containers, on the learner's behalf",
	"image/builtin/shell/":    "the base image's shell: likewise",
	"image/":                  "the image store's own file I/O (blobs, unpacking): the one exception that the design names",
	"labs/course/":            "the learner's own progress file, web pages and pager, and the command lines of lessons, which are the learner's",
	"labs/lab/another.go":     "starts this program again, in pocket hosts",
	"labs/lab/shell.go":       "starts the learner's own shell",
	"testscripts/":            "tests",
	"transcripts/":            "tests",
}

// strict are files of kernel/ that plan and look after containers: they use the door like everybody else.
var strict = []string{"kernel/container/", "kernel/pocket/"}

// allowed are single calls in strict files, each with the reason.
var allowed = map[string]string{
	"kernel/container/log.go: os.OpenFile": "the container's log, written line by line as output comes",
}

// mutating are functions that change the machine, by package.
var mutating = map[string][]string{
	"os": {"Chmod", "Chown", "Chtimes", "Create", "CreateTemp", "Lchown", "Link", "Mkdir", "MkdirAll", "MkdirTemp", "OpenFile", "Remove",
		"RemoveAll", "Rename", "StartProcess", "Symlink", "Truncate", "WriteFile"},
	"os/exec":                        {"Command", "CommandContext"},
	"syscall":                        systemCalls,
	"golang.org/x/sys/unix":          systemCalls,
	"github.com/moby/sys/mount":      {"*"},
	"github.com/creack/pty":          {"*"},
	"golang.org/x/term":              {"MakeRaw", "Restore"},
	"github.com/cilium/ebpf":         {"*"},
	"github.com/google/nftables":     {"*"},
	"github.com/vishvananda/netlink": {"*"},
}

var systemCalls = []string{
	"Acct", "Adjtimex", "Capset", "Chmod", "Chown", "Chroot", "ClockSettime", "Clone", "Creat", "DeleteModule", "Dup2", "Dup3", "Exec", "Fallocate",
	"Fchdir", "Fchmod", "Fchmodat", "Fchown", "Fchownat", "FinitModule", "ForkExec", "Fsconfig", "Fsmount", "Fsopen", "InitModule",
	"IoctlSetInt", "IoctlSetTermios", "IoctlSetWinsize", "KexecFileLoad", "Kill", "Lchown", "Link", "Linkat", "Mkdir", "Mkdirat", "Mkfifo", "Mkfifoat",
	"Mknod", "Mknodat", "Mount", "MountSetattr", "MoveMount", "OpenTree", "PidfdSendSignal", "PivotRoot", "Prctl", "Prlimit", "Reboot", "Rename",
	"Renameat", "Renameat2", "Rmdir", "Setdomainname", "Setgid", "Setgroups", "Sethostname", "Setns", "Setpgid", "Setpriority", "Setregid",
	"Setresgid", "Setresuid", "Setreuid", "Setrlimit", "Setsid", "Settimeofday", "Setuid", "Setxattr", "StartProcess", "Symlink", "Symlinkat",
	"Swapoff", "Swapon", "Sysctl", "Tgkill", "Truncate", "Umask", "Unlink", "Unlinkat", "Unmount", "Unshare",
}

func TestOnlyTheDoorChangesTheMachine(t *testing.T) {
	set, files := sources(t)
	for _, f := range files {
		if isExempt(f.path) {
			continue
		}
		for _, use := range mutatingUses(f.syntax) {
			if _, ok := allowed[f.path+": "+use.name]; !ok {
				t.Errorf("%v: %s changes the machine without the door: make it an effect of package kernel, so that --explain tells of it", set.Position(use.at), use.name)
			}
		}
	}
}

func isExempt(path string) bool {
	for _, prefix := range strict {
		if strings.HasPrefix(path, prefix) {
			return false
		}
	}
	for prefix := range exempt {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

type use struct {
	name string
	at   token.Pos
}

// mutatingUses finds every mention of a function that changes the machine, called or not.
func mutatingUses(syntax *ast.File) []use {
	packages := map[string]string{} // local name → import path
	for _, imported := range syntax.Imports {
		path, _ := strconv.Unquote(imported.Path.Value)
		name := path[strings.LastIndex(path, "/")+1:]
		if imported.Name != nil {
			name = imported.Name.Name
		}
		packages[name] = path
	}
	var list []use
	ast.Inspect(syntax, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		if !ok || pkg.Obj != nil {
			return true
		}
		for _, name := range mutating[packages[pkg.Name]] {
			if name == selector.Sel.Name || name == "*" {
				list = append(list, use{pkg.Name + "." + selector.Sel.Name, selector.Pos()})
			}
		}
		return true
	})
	return list
}

// TestTheRuleCanFail: a file that breaks the rule is found out.
func TestTheRuleCanFail(t *testing.T) {
	const source = `package x
import ("os"; u "golang.org/x/sys/unix"; "os/exec")
func f() { os.WriteFile("/sys/x", nil, 0); u.Mount("", "", "", 0, ""); g := exec.Command; _ = g; os.ReadFile("/sys/x") }`
	syntax, err := parser.ParseFile(token.NewFileSet(), "x.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, use := range mutatingUses(syntax) {
		names = append(names, use.name)
	}
	if got := strings.Join(names, " "); got != "os.WriteFile u.Mount exec.Command" {
		t.Errorf("found %q", got)
	}
}

// TestFilesAreAboutOneThing: the habits of size, as far as a number can say them.
func TestFilesAreAboutOneThing(t *testing.T) {
	set, files := sources(t)
	const lines = 450
	for _, f := range files {
		if n := set.File(f.syntax.Pos()).LineCount(); n > lines && !ast.IsGenerated(f.syntax) && !strings.Contains(f.path, "kernel/seccomp/") {
			t.Errorf("%s has %d lines: split it by what it is about", f.path, n)
		}
	}
}
