// Package transcripts holds what each lab prints, in each language, plainly and with --explain, as the real program
// printed it: 3.5.en.explain.root.txt. Where root and an ordinary user are shown the same there is one file without
// that last part of the name.
//
//	go test ./transcripts            run the labs and compare
//	go test ./transcripts -update    write the files anew (as root: those of both)
//
// Masked is what differs from run to run, or between machines, and nothing else; see mask_test.go. Machines with cgroup
// v2 show other files in 3.5: their transcripts have .v2 in their names. More such parts of names are in mask_limits_test.go.
package transcripts

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"sandbox/labs/course"
	"sandbox/testscripts/built"
)

var (
	update = flag.Bool("update", false, "write the transcripts anew")
	only   = flag.String("who", "", "only as this user: root, or user")
)

// program is the directory with the program, which TestMain builds.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, remove, err := built.Sandbox()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = dir
	// Labs mostly wait: for containers to begin and end, for seconds to pass.
	flag.Set("test.parallel", strconv.Itoa(max(3*runtime.GOMAXPROCS(0), flag.Lookup("test.parallel").Value.(flag.Getter).Get().(int))))
	code := m.Run()
	remove()
	os.Exit(code)
}

// nobody is the ordinary user that root runs labs as.
const nobody = 65534

// who runs a lab, as the transcripts' names have it.
type who struct {
	name string
	uid  uint32
}

// everybody whom this test can run labs as.
func everybody() []who {
	list := []who{{"user", uint32(os.Geteuid())}}
	if os.Geteuid() == 0 {
		list = []who{{"root", 0}, {"user", nobody}}
	}
	return slices.DeleteFunc(list, func(w who) bool { return *only != "" && w.name != *only })
}

// store is where a user's images are, which all labs of that user share: what pocket hosts are made from takes a second to make.
func (w who) store() string {
	if int(w.uid) == os.Geteuid() {
		return built.Store(program)
	}
	return built.Store(program) + "-" + w.name
}

func TestTranscripts(t *testing.T) {
	for _, chapter := range course.Catalogue() {
		if _, err := course.Load(course.Lessons(), chapter.Number, course.English, ""); err != nil {
			continue // not written yet
		}
		for _, lang := range []course.Lang{course.English, course.Chinese} {
			for _, mode := range []string{"plain", "explain"} {
				name := fmt.Sprintf("%s.%s.%s", chapter.Number, lang, mode)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					compareAll(t, name, chapter.Number, string(lang), mode)
				})
			}
		}
	}
}

// compareAll runs one lab as everybody, and compares or writes what it printed.
func compareAll(t *testing.T, name, number, lang, mode string) {
	got := map[string]string{}
	for _, w := range everybody() {
		got[w.name] = run(t, w, number, lang, mode)
	}
	common := name + variant(number) + ".txt"
	own := func(who string) string { return name + "." + who + variant(number) + ".txt" }
	if *update && len(got) == 2 && got["root"] == got["user"] {
		write(t, common, got["root"])
		os.Remove(own("root"))
		os.Remove(own("user"))
		return
	}
	for who, text := range got {
		if *update {
			write(t, own(who), text)
			os.Remove(common)
			continue
		}
		file := own(who)
		if _, err := os.Stat(common); err == nil {
			file = common
		}
		compare(t, file, text)
	}
}

// run performs a lab and masks what it printed.
func run(t *testing.T, w who, number, lang, mode string) string {
	t.Helper()
	args := []string{"--lang=" + lang, "lab", "--seed=" + course.PlainSeed, number}
	if mode == "explain" {
		args = append(args, "--explain")
	}
	out, err := world(t, w, w.store())(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s, %v: %v\n%s", w.name, args, err, out)
	}
	return mask(string(out))
}

// world gives commands of the program to a user with a home directory of their own until the test ends, and a store; ""
// is one in that directory.
func world(t *testing.T, w who, store string) (sandbox func(args ...string) *exec.Cmd) {
	t.Helper()
	dir, err := os.MkdirTemp(program, "home")
	if err != nil {
		t.Fatal(err)
	}
	// A store of one's own is 130 MB: not for longer than the test.
	t.Cleanup(func() { os.RemoveAll(dir) })
	if store == "" {
		store = filepath.Join(dir, "root")
	}
	if err := os.Mkdir(store, 0o755); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	for _, d := range []string{dir, store} {
		if err := os.Chown(d, int(w.uid), -1); err != nil {
			t.Fatal(err)
		}
	}
	sandbox = func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(program, "sandbox"), args...)
		cmd.Dir = dir
		cmd.Env = []string{"HOME=" + dir, "SANDBOX_ROOT=" + store, "PATH=/usr/bin:/bin", "TZ=UTC"}
		if int(w.uid) != os.Geteuid() {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: w.uid, Gid: w.uid}}
		}
		return cmd
	}
	if out, err := sandbox("lab", "host", "true").CombinedOutput(); err != nil {
		t.Skipf("needs [userns]: %s cannot make a pocket host here: %s", w.name, out)
	}
	return sandbox
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// compare shows the first line in which they part.
func compare(t *testing.T, file, got string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		t.Skipf("needs [transcript]: there is no %s yet; go test ./transcripts -update writes it", file)
	}
	if err != nil {
		t.Fatal(err)
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(data), "\n")
	for i := range max(len(g), len(w)) {
		if line(g, i) != line(w, i) {
			t.Errorf("%s:%d\n got: %s\nwant: %s", file, i+1, line(g, i), line(w, i))
			return
		}
	}
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(the end)"
}
