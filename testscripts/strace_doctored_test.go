package testscripts

import (
	"strings"
	"testing"

	"sandbox/kernel"
)

// A small trace as strace writes it, with most of what it can surprise with: a call that another thread interrupts, threads
// and preemption of Go's, a program that is executed and not followed, a descriptor with its path, an escaped string, a thread whose
// clone has no outcome, a number that another process gets later.
const recorded = `10 execve("/bin/sandbox", ["sandbox", "--explain=json", "run", "base", "true"], ["A=1", "B=2"]) = 0
10 prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, 0x7f0000000000, 262144, " Go: immortal metadata") = -1 EINVAL (Invalid argument)
10 prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1024*1024, rlim_max=1024*1024}, NULL) = 0
10 clone(child_stack=0xc000, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS, tls=0xc090) = 11
11 tgkill(10, 10, SIGURG)                = 0
10 --- SIGURG {si_signo=SIGURG, si_code=SI_TKILL, si_pid=10, si_uid=0} ---
11 mkdirat(AT_FDCWD</root>, "/run/a", 0755 <unfinished ...>
10 write(2</tmp/errors>, "mkdirat(", 8)  = 8
11 <... mkdirat resumed>)                = -1 EEXIST (File exists)
11 write(9</sys/fs/cgroup/pids/tasks>, "0", 1) = -1 EINTR (Interrupted system call)
11 write(9</sys/fs/cgroup/pids/tasks>, "0", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
11 write(9</sys/fs/cgroup/pids/tasks>, "0", 1) = 1
10 clone3({flags=CLONE_VM|CLONE_NEWNS|CLONE_CHILD_CLEARTID|CLONE_CLEAR_SIGHAND, child_tid=0x7f00, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 88 <unfinished ...>
12 mount("overlay", "/a, \"b\" (c)", "overlay", 0, "lowerdir=x") = 0
12 dup3(8</dev/null<char 1:3>>, 0, 0)    = 0</dev/null<char 1:3>>
12 capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=1<<CAP_CHOWN, permitted=1<<CAP_CHOWN, inheritable=0}) = 0
12 umask(022)                            = 000
12 seccomp(SECCOMP_SET_MODE_FILTER, 0, {len=2, filter=[BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0x4), BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)]}) = 0
12 execve("/bin/true", ["true"], ["A=1"] <unfinished ...>
10 <... clone3 resumed>)                 = 12
12 <... execve resumed>)                 = 0
12 mount("nobody", "/asks", "tmpfs", 0, NULL) = 0
12 +++ exited with 0 +++
10 unlinkat(AT_FDCWD</root>, "/run/a", 0) = -1 EISDIR (Is a directory)
10 unlinkat(7</run/a>, "file", 0)        = 0
10 unlinkat(6</run>, "a", AT_REMOVEDIR)  = 0
10 openat(AT_FDCWD</root>, "/run/r.new", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0600) = 9</run/r.new>
10 clone(child_stack=0xc000, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS <unfinished ...>
13 renameat(AT_FDCWD</root>, "/run/r.new", AT_FDCWD</root>, "/run/r") = 0
13 exit_group(0)                         = ?
10 <... clone resumed> <unfinished ...>) = ?
13 +++ exited with 0 +++
10 +++ exited with 0 +++
13 execve("/bin/another", ["another"], ["A=1"]) = 0
`

// truth is the explanation of it.
func truth() []kernel.Record {
	entry := func(process, call string, result int, args ...string) kernel.Record {
		return kernel.Record{Process: process, Call: call, Args: args, Result: result}
	}
	mkdir := entry("client", "mkdirat", -1, "AT_FDCWD", `"/run/a"`, "0755")
	mkdir.Errno = "EEXIST"
	all := entry("client", "unlinkat", 0, "AT_FDCWD", `"/run/a"`, "AT_REMOVEDIR")
	all.Line = "rm -rf /run/a"
	return []kernel.Record{
		mkdir,
		entry("client", "write", 1, `"/sys/fs/cgroup/pids/tasks"`, `"0"`),
		entry("client", "clone3", 12, "{flags=CLONE_VM|CLONE_NEWNS|CLONE_CHILD_CLEARTID|CLONE_CLEAR_SIGHAND, exit_signal=SIGCHLD, stack=NULL, stack_size=0}"),
		entry("container", "mount", 0, `"overlay"`, `"/a, \"b\" (c)"`, `"overlay"`, "0", `"lowerdir=x"`),
		entry("container", "dup3", 0, "8", "0", "0"),
		entry("container", "capset", 0, "{version=_LINUX_CAPABILITY_VERSION_3, pid=0}", "{effective=1<<CAP_CHOWN, permitted=1<<CAP_CHOWN, inheritable=0}"),
		entry("container", "umask", 0, "022"),
		entry("container", "seccomp", 0, "SECCOMP_SET_MODE_FILTER", "0", "{len=2, filter=…}"),
		entry("container", "execve", 0, `"/bin/true"`, `["true"]`, "/* 1 var */"),
		all,
		entry("client", "renameat", 0, "AT_FDCWD", `"/run/r.new"`, "AT_FDCWD", `"/run/r"`),
	}
}

func compareRecorded(t *testing.T, entries []kernel.Record) verdict {
	t.Helper()
	parsed, err := parseTrace(recorded)
	if err != nil {
		t.Fatal(err)
	}
	commands := commandsOf(parsed)
	if len(commands) != 1 {
		t.Fatalf("found %d commands", len(commands))
	}
	return compare(entries, commands[0].calls(false))
}

func TestComparisonAgrees(t *testing.T) {
	v := compareRecorded(t, truth())
	if len(v.missing)+len(v.invented) != 0 || v.explained != len(truth()) {
		t.Errorf("explained %d of %d\nmissing %q\ninvented %q", v.explained, len(truth()), v.missing, v.invented)
	}
}

// TestComparisonNotices doctors the explanation: the comparison must say so, whatever entry it is.
func TestComparisonNotices(t *testing.T) {
	for i, e := range truth() {
		changes := e.Call != "dup3" // which need not be explained, but must be true
		t.Run("dropped "+e.Call, func(t *testing.T) {
			v := compareRecorded(t, append(truth()[:i], truth()[i+1:]...))
			if changes && len(v.missing) == 0 || len(v.invented) != 0 {
				t.Errorf("missing %q, invented %q", v.missing, v.invented)
			}
		})
		t.Run("another argument of "+e.Call, func(t *testing.T) {
			doctored := truth()
			doctored[i].Args[len(e.Args)-1] += "x"
			if e.Call == "unlinkat" {
				doctored[i].Args[1] = `"/run/b"`
			}
			if v := compareRecorded(t, doctored); changes && len(v.missing) == 0 || len(v.invented) != 1 {
				t.Errorf("missing %q, invented %q", v.missing, v.invented)
			}
		})
		t.Run("another process makes "+e.Call, func(t *testing.T) {
			doctored := truth()
			doctored[i].Process = "monitor"
			if v := compareRecorded(t, doctored); len(v.invented) != 1 {
				t.Errorf("invented %q", v.invented)
			}
		})
		t.Run("another outcome of "+e.Call, func(t *testing.T) {
			doctored := truth()
			doctored[i].Errno, doctored[i].Result = "EIO", -1
			if v := compareRecorded(t, doctored); len(v.invented) != 1 {
				t.Errorf("invented %q", v.invented)
			}
		})
	}
}

// TestComparisonNoticesInvention adds calls that were not made: one that never was, one told twice, two in the wrong order.
func TestComparisonNoticesInvention(t *testing.T) {
	entries := truth()
	never := kernel.Record{Process: "container", Call: "sethostname", Args: []string{`"x"`, "1"}}
	swapped := truth()
	swapped[5], swapped[6] = swapped[6], swapped[5]
	for name, doctored := range map[string][]kernel.Record{
		"never made": append(truth(), never), "told twice": append(truth(), entries[6]), "wrong order": swapped,
	} {
		if v := compareRecorded(t, doctored); len(v.invented) != 1 {
			t.Errorf("%s: invented %q", name, v.invented)
		}
	}
}

// TestParserRefuses what it does not understand: it must not overlook a call.
func TestParserRefuses(t *testing.T) {
	for _, text := range []string{"mount() = 0", "10 <... mount resumed>) = 0", "10 mount(\"a", "10 mount() 0", "10 what is this"} {
		if _, err := parseTrace(text); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

// TestExemptions: what Go's runtime does by itself is recognised exactly, and nothing that is like it.
func TestExemptions(t *testing.T) {
	for text, changes := range map[string]bool{
		`10 tgkill(10, 12, SIGURG) = 0`:                                                false,
		`10 tgkill(11, 12, SIGURG) = 0`:                                                true,
		`10 tgkill(10, 12, SIGKILL) = 0`:                                               true,
		`10 prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, 0x1, 2, "x") = 0`:                  false,
		`10 prctl(PR_GET_DUMPABLE) = 0`:                                                false,
		`10 prctl(PR_SET_NAME, "x") = 0`:                                               true,
		`10 prctl(PR_CAPBSET_READ, CAP_CHOWN) = 0`:                                     false,
		`10 prctl(PR_CAPBSET_DROP, CAP_CHOWN) = 0`:                                     true,
		`10 prlimit64(0, RLIMIT_NOFILE, NULL, {rlim_cur=1, rlim_max=2}) = 0`:           false,
		`10 prlimit64(0, RLIMIT_NOFILE, {rlim_cur=2*1024, rlim_max=2*1024}, NULL) = 0`: false,
		`10 prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1, rlim_max=2}, NULL) = 0`:           true,
		`10 prlimit64(0, RLIMIT_CORE, {rlim_cur=2, rlim_max=2}, NULL) = 0`:             true,
		`10 ioctl(0</dev/pts/1>, TCGETS, {c_iflag=ICRNL}) = 0`:                         false,
		`10 ioctl(0</dev/pts/1>, TCSETS, {c_iflag=ICRNL}) = 0`:                         true,
		`10 ioctl(0</dev/pts/1>, SNDCTL_TMR_STOP or TCSETSW, {c_lflag=ECHO}) = 0`:      true,
		`10 openat(AT_FDCWD</>, "/a", O_RDONLY) = 3</a>`:                               false,
		`10 openat(AT_FDCWD</>, "/a", O_RDWR|O_CREAT, 0600) = 3</a>`:                   true,
		`10 write(1</proc/1/uid_map>, "0 0 1", 5) = 5`:                                 true,
		`10 write(1</home/sys/a>, "0 0 1", 5) = 5`:                                     false,
	} {
		parsed, err := parseTrace(text)
		if err != nil {
			t.Fatal(err)
		}
		if m := newMade(&parsed.calls[0], &process{pid: 10, role: "client"}); m.must != changes {
			t.Errorf("%s: %v", strings.TrimPrefix(text, "10 "), m.must)
		}
	}
}

// TestAdoption: a thread whose birth strace has seen the beginning of, and not the end, is still that process's.
func TestAdoption(t *testing.T) {
	const begin = `10 execve("/s", ["s", "--explain=json"], ["A=1"]) = 0
10 clone(child_stack=NULL, flags=CLONE_VM|CLONE_THREAD) = 11
`
	for name, rest := range map[string]string{
		"no outcome": `11 clone(child_stack=NULL, flags=CLONE_VM|CLONE_THREAD <unfinished ...>
12 openat(AT_FDCWD</>, "/a", O_RDWR|O_CREAT, 0600) = 3</a>
11 <... clone resumed>) = ?
11 +++ exited with 0 +++`,
		"no second half": `11 clone(child_stack=NULL, flags=CLONE_VM|CLONE_THREAD <unfinished ...>
12 openat(AT_FDCWD</>, "/a", O_RDWR|O_CREAT, 0600) = 3</a>
11 +++ exited with 0 +++`,
	} {
		parsed, err := parseTrace(begin + rest)
		if err != nil {
			t.Fatal(err)
		}
		w := commandsOf(parsed)[0]
		if v := compare([]kernel.Record{{Process: "client", Call: "openat", Args: []string{"AT_FDCWD", `"/a"`, "O_RDWR|O_CREAT", "0600"}, Result: 3}}, w.calls(false)); v.explained != 1 {
			t.Errorf("%s: invented %q", name, v.invented)
		}
	}
}

// TestEvidence: of an entry that was not found the failure says what there is of the kind, and whose that was.
func TestEvidence(t *testing.T) {
	parsed, err := parseTrace(`10 execve("/s", ["s", "--explain=json"], ["A=1"]) = 0
10 openat(AT_FDCWD</>, "/a", O_RDWR|O_CREAT, 0600) = 3</a>
12 openat(AT_FDCWD</>, "/a", O_RDWR|O_CREAT, 0600) = 4</a>
10 openat(AT_FDCWD</>, "/b", O_RDWR|O_CREAT, 0600) = 4</b>
10 +++ exited with 0 +++`)
	if err != nil {
		t.Fatal(err)
	}
	says := commandsOf(parsed)[0].evidence(kernel.Record{Process: "monitor", Call: "openat", Args: []string{"AT_FDCWD", `"/a"`}})
	for _, want := range []string{"2 to 2: 10 openat", "client 10; this thread", "3 to 3: 12 openat", "nobody's of this command"} {
		if !strings.Contains(says, want) {
			t.Errorf("%q is missing in %s", want, says)
		}
	}
	if strings.Contains(says, `"/b"`) {
		t.Errorf("another file's call: %s", says)
	}
}
