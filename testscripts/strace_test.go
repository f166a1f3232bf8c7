package testscripts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// The explanation is held against strace: every call that changes something and that strace saw is in it, and every
// call in it was made, with those arguments and that result.

// scenario is a few commands in one host. Those that begin with "explain" are `sandbox … --explain=json`: they are
// compared, and must end with the exit code that is given, 0 if none is; "any" where it depends on the machine; "root" is 0
// for root, and any for an ordinary user, who has one user id and no devices to give. The rest prepare.
type scenario struct {
	name     string
	commands string
	terminal bool     // on a terminal
	inject   []string // options with which strace makes a call fail, as another kernel would
}

// warm makes the images, the directories that all containers share, and what else only the first command does.
const warm = "sandbox run --rm base true\n"

var scenarios = []scenario{
	{name: "run", commands: `
explain run --rm base true
explain 7 run base sh -c 'exit 7'
explain run --rm -i base cat
explain run --rm -t base true
explain run --rm --init base true
explain run --rm -v $PWD:/data -v $PWD:/frozen:ro base true
explain run --rm --mount type=bind,source=$PWD,target=/a/b/c,readonly base true
explain run --rm --read-only --tmpfs /scratch:size=1m base true
explain run --rm -w /not/there/yet -e A=1 -h name --domainname example base true
explain run --rm --entrypoint /bin/echo base 'a "quoted" \ word'
`},
	{name: "network", commands: `
explain network create one
explain network create --subnet 10.99.0.0/24 -o com.docker.network.bridge.enable_icc=false two
explain run --rm --network one base true
explain run --rm --network one --network two -p 8080:80 base true
explain run -d --name box -p 8081:80/udp base sleep 1000
explain network connect one box
explain network disconnect bridge box
sandbox rm -f box
explain network rm one two
explain network prune -f
explain run --rm base true
explain network repair
`},
	{name: "confined", commands: `
explain root run --rm -u nobody base true
explain root run --rm -u 1234:5678 base true
explain run --rm --cap-add SYS_TIME --cap-drop MKNOD base true
explain run --rm --cap-drop ALL base true
explain root run --rm -u 1234 --cap-add NET_ADMIN base true
explain run --rm --security-opt no-new-privileges base true
explain run --rm --security-opt seccomp=unconfined base true
explain run --rm --ulimit nofile=512:1024 --ulimit core=0 --ulimit stack=-1 base true
explain run --rm --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=4096 base true
explain root run --rm --privileged base true
explain run --rm --pid host --uts host --network host base true
explain root run --rm --shm-size 1m --device /dev/zero:/dev/nought:r base true
`},
	{name: "another's namespaces", commands: `
sandbox run -d --name one --ipc shareable base sleep 1000
explain run --rm --pid container:one base true
explain run --rm --ipc container:one base true
explain run --rm --pid container:one --ipc container:one base sh -c 'exit 0'
explain run --rm --network container:one base true
explain 127 run --rm --pid container:one base nosuch
sandbox rm -f one
`},
	{name: "exec", commands: `
explain run -d --name one base sleep 1000
explain exec one true
explain exec -i one cat
explain exec -t one true
explain root exec -u nobody one true
explain exec -w /tmp -e A=1 one true
explain 127 exec -w /not/there one true
explain exec --privileged one true
explain exec -d one true
explain 127 exec one nosuchcommand
explain rm -f one
`},
	{name: "life", commands: `
explain create --name two base sleep 1000
explain start two
explain kill -s USR1 two
explain stop -t 0 two
explain start two
explain kill two
sandbox wait two
explain 1 start -a two nosuch
explain 1 rm two nosuch
explain run -d --init --name three base sleep 1000
explain root pause three
explain root unpause three
explain root pause three
explain restart three
explain stop three
explain rm three
explain run -d --rm --name four base sleep 1000
explain rm -f four
`},
	{name: "log", commands: `
explain run --rm --log-opt max-size=10k --log-opt max-file=3 base seq 1 2000
explain run --rm --log-opt max-size=10k --log-opt max-file=1 base seq 1 2000
explain run --rm --log-driver none base true
`},
	{name: "prune", commands: `
sandbox run --name six base true
sandbox run --name seven -v /data base true
explain container prune -f
sandbox run --name eight -v /data base true
explain system prune -f --volumes
explain stats --no-stream
explain ps -a -s
explain info
`},
	{name: "volumes", commands: `
explain volume create --label a=b data
explain run --rm -v data:/d -v /anon base true
explain run --rm -v etc:/etc base true
sandbox run --rm -v etc:/e base mkdir /e/sub
explain run --rm --mount type=volume,source=etc,target=/p,volume-subpath=sub base true
explain run --rm -v $PWD:/s:rslave --tmpfs /s/tmp base true
explain create --name holder -v data:/d -v /anon -v more:/etc base true
explain 1 volume rm data
explain 125 run --rm -v data:/d -v /anon --sysctl net.no.such=1 base true
explain 125 run --rm --mount type=volume,source=data,target=/p,volume-subpath=no base true
explain start -a holder
explain rm -v holder
explain volume rm data
explain volume prune -a -f
`},
	{name: "cp", commands: `
sandbox run -d --name on -v data:/d base sleep 1000
sandbox create --name off -v data:/d -v $PWD:/host:rslave base true
explain cp script on:/root/script
explain cp script off:/d/script
explain cp off:/d/script back
explain cp on:/usr/share tree
explain cp -a on:/etc/. tree
explain 1 cp on:/nosuch .
explain 1 cp on:/etc back
sandbox rm -f on off
`},
	{name: "life with a policy", commands: `
explain create --name five --restart on-failure:3 --health-cmd true base sleep 1000
explain rename five six
explain update --restart always six
explain start six
explain stop -t 0 six
explain start six
explain start --all-restart
explain stop -t 0 --all-restart
explain rm six
`},
	{name: "failures", commands: `
explain 127 run base nosuchcommand
explain 126 run base /etc/passwd
explain 126 run base /etc
explain 125 run --rm -w /etc/passwd base true
explain run --name taken base true
explain 125 run --name taken base true
explain 1 rm taken nosuch
explain events --since 1h --until 0s
`},
	{name: "build", commands: `
mkdir -p context && echo 1 >context/f
printf 'FROM base\nRUN --mount=type=tmpfs,target=/t --mount=type=cache,target=/c --network=none true\nCOPY f /f\n' >context/Dockerfile
explain build context
explain build context
printf 'FROM base\nRUN exit 7\n' >context/fails
explain 7 build -f context/fails context
sandbox run -d --name one base sleep 1000
explain commit one image
explain rm -f one
`},
	{name: "terminal", terminal: true, commands: `
explain run --rm -it base true
explain run -d -it --name one base sh
explain exec -it one true
explain exec -dt one sleep 1000
explain 1 attach --detach-keys nonsense one
explain rm -f one
`},
	{name: "without clone3", inject: []string{"-e", "inject=clone3:error=ENOSYS"}, commands: `
explain any run --rm base true
explain any run -d --name one base sleep 1000
explain any exec one true
explain any rm -f one
`},
	{name: "without clone", inject: []string{"-e", "inject=clone3:error=EPERM"}, commands: `
explain 125 run --rm base true
`},
}

// TestStrace runs the scenarios in pocket hosts of their own.
func TestStrace(t *testing.T) {
	needStrace(t)
	needPocket(t)
	var sum verdict
	t.Run("each", func(t *testing.T) {
		for _, s := range scenarios {
			t.Run(s.name, func(t *testing.T) {
				dir := t.TempDir()
				script := s.write(t, dir)
				cmd := sandbox(t, append([]string{"lab", "host", "--share", dir}, s.underStrace(dir, script)...)...)
				if s.terminal {
					cmd.Stdin = openTerminal(t)
				}
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				sum.add(s.compare(t, dir))
			})
		}
	})
	t.Logf("explained %d of %d, %d invented", sum.explained, sum.explained+len(sum.missing), len(sum.invented))
}

// underStrace is the command that runs a script under strace: -y shows what descriptors lead to, -v and -s all of each argument.
func (s scenario) underStrace(dir, script string) []string {
	strace := append([]string{"strace", "-f", "-y", "-v", "-s", "65536", "-o", filepath.Join(dir, "trace")}, s.inject...)
	return append(strace, "sh", script)
}

// openTerminal makes a terminal at which nobody types.
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, master.Fd(), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		t.Fatal(errno)
	}
	terminal := os.NewFile(fd, "terminal")
	t.Cleanup(func() { terminal.Close() })
	return terminal
}

// needStrace skips the test where there is no strace, or it may not trace.
func needStrace(t *testing.T) {
	t.Helper()
	if *script != "" {
		t.Skip("inside a pocket host")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	if out, err := exec.Command("strace", "-o", os.DevNull, filepath.Join(built, "sandbox"), "--help").CombinedOutput(); err != nil {
		t.Skipf("needs strace [ptrace]: %s", out)
	}
}

// shape is one command that is compared.
type shape struct {
	words string // after "sandbox"
	code  string // how it must end
}

// shapes are the commands of a scenario that are compared.
func (s scenario) shapes() []shape {
	var list []shape
	for _, c := range strings.Split(s.commands, "\n") {
		if words, ok := strings.CutPrefix(c, "explain "); ok {
			code, rest, _ := strings.Cut(words, " ")
			switch _, err := strconv.Atoi(code); {
			case code == "root" && os.Getuid() == 0:
				code = "0"
			case code == "root":
				code = "any"
			case err != nil && code != "any":
				code, rest = "0", words
			}
			list = append(list, shape{rest, code})
		}
	}
	return list
}

// write writes the scenario as a shell script, each explanation into a file of its own.
func (s scenario) write(t *testing.T, dir string) (file string) {
	t.Helper()
	lines := []string{"cd " + dir, "exec >output 2>errors", warm}
	if !s.terminal {
		lines = append(lines, "exec </dev/null")
	}
	shapes, number := s.shapes(), 0
	for _, c := range strings.Split(s.commands, "\n") {
		if strings.HasPrefix(c, "explain ") {
			c = fmt.Sprintf("sandbox --explain=json %s 2>%d.json\necho $? >%[2]d.code", shapes[number].words, number)
			number++
		}
		lines = append(lines, c)
	}
	file = filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte(strings.Join(append(lines, "exit 0\n"), "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// compare compares each command of a scenario that has been run.
func (s scenario) compare(t *testing.T, dir string) (sum verdict) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "trace"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parseTrace(string(text))
	if err != nil {
		t.Fatal(err)
	}
	seen, shapes := commandsOf(parsed), s.shapes()
	if len(seen) != len(shapes) {
		t.Fatalf("strace saw %d commands with --explain, not %d", len(seen), len(shapes))
	}
	for i, shape := range shapes {
		explanation := filepath.Join(dir, fmt.Sprint(i))
		entries := readExplanation(t, explanation+".json")
		v := compare(entries, seen[i].calls(shape.isDetached()))
		for j, e := range v.unfound {
			v.invented[j] += seen[i].evidence(e)
		}
		v.report(t, shape.words)
		sum.add(v)
		shape.checkEnd(t, explanation)
	}
	return sum
}

// checkEnd makes sure that the command did what the comparison is about.
func (s shape) checkEnd(t *testing.T, explanation string) {
	t.Helper()
	code, err := os.ReadFile(explanation + ".code")
	if got := strings.TrimSpace(string(code)); err != nil || got != s.code && s.code != "any" {
		text, _ := os.ReadFile(explanation + ".json")
		t.Errorf("sandbox %s ended with %s, not %s:\n%s", s.words, got, s.code, lastLines(text))
	}
}

// isDetached: after these commands the monitor lives on, and what it does is told to nobody.
func (s shape) isDetached() bool {
	words := strings.Fields(s.words)
	return slices.Contains(words, "-d") || words[0] == "restart" || words[0] == "start" && !slices.Contains(words, "-a")
}

// lastLines are those without an explanation: what a command said before it ended.
func lastLines(text []byte) string {
	var said []string
	for _, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, `{"seq":`) {
			said = append(said, line)
		}
	}
	return strings.Join(said, "\n")
}

// readExplanation reads the entries among a command's error output.
func readExplanation(t *testing.T, file string) (entries []kernel.Record) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range bytes.Split(text, []byte("\n")) {
		var r kernel.Record
		if bytes.HasPrefix(line, []byte(`{"seq":`)) {
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if r.Call == "" {
				continue // no system call: an HTTP request, a decision of the cache
			}
			entries = append(entries, r)
		}
	}
	return entries
}

// report says how a comparison went; it fails the test when the two disagree.
func (v verdict) report(t *testing.T, what string) {
	t.Helper()
	t.Logf("explained %d of %d, %d invented: sandbox %s", v.explained, v.explained+len(v.missing), len(v.invented), what)
	for _, m := range v.missing {
		t.Errorf("not explained    %s", m)
	}
	for _, i := range v.invented {
		t.Errorf("not made like so %s", i)
	}
}

func (v *verdict) add(other verdict) {
	v.explained += other.explained
	v.missing = append(v.missing, other.missing...)
	v.invented = append(v.invented, other.invented...)
}
