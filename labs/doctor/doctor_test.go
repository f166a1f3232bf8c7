package doctor

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/kernel"
)

// healthy is a made-up machine on which everything works.
func healthy(t *testing.T) Machine {
	t.Helper()
	m := Machine{
		Root: t.TempDir(), UID: 1000, GID: 1000, User: "ana", Release: "6.1.0-17-amd64", IsTerminal: true,
		Groups:   cgroup.Host{Mode: cgroup.V2, Root: "/sys/fs/cgroup", Base: "/sys/fs/cgroup/user@1000", Delegated: true},
		Try:      func(uint64, ...kernel.Step) error { return nil },
		LookPath: func(name string) (string, error) { return "/usr/bin/" + name, nil },
	}
	for file, text := range map[string]string{
		"/proc/self/status": "Name:\tx\nSeccomp:\t0\n", "/proc/sys/net/ipv4/ip_forward": "1", "/proc/sys/user/max_user_namespaces": "9999",
		"/dev/net/tun": "", "/proc/swaps": "Filename Type\n/swapfile file", "/etc/subuid": "ana:100000:65536", "/etc/subgid": "1000:100000:65536",
		"/sys/block/sda/queue/scheduler": "mq-deadline [bfq] none", "/sys/block/sda/device": "", "/dev/ptmx": "",
		"/sys/fs/cgroup/user@1000/cgroup.controllers": "cpuset cpu io memory pids",
		"/sys/module/nf_tables":                       "", "/sys/module/nft_compat": "", "/sys/module/bridge": "", "/sys/module/veth": "",
	} {
		put(t, m, file, text)
	}
	return m
}

// put writes a file of the made-up machine.
func put(t *testing.T, m Machine, file, text string) {
	t.Helper()
	file = filepath.Join(m.Root, file)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, m Machine, file string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(m.Root, file)); err != nil {
		t.Fatal(err)
	}
}

// find is the finding of a name.
func find(t *testing.T, list []Finding, name string) Finding {
	t.Helper()
	for _, f := range list {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("there is no finding %q", name)
	return Finding{}
}

func TestHealthyMachine(t *testing.T) {
	for _, f := range Examine(healthy(t)) {
		if f.State != OK || f.Cure.EN != "" {
			t.Errorf("%s: %s: %s → %s", f.Name, f.State, f.Detail.EN, f.Cure.EN)
		}
	}
}

// failing makes Try fail with an errno when a namespace of this kind is asked for.
func failing(kind uint64, call string, errno syscall.Errno) func(uint64, ...kernel.Step) error {
	return func(namespaces uint64, _ ...kernel.Step) error {
		if namespaces&kind == 0 {
			return nil
		}
		return &kernel.CallError{Call: kernel.Call{Name: call}, Errno: errno}
	}
}

// illness is one thing that is wrong with a machine: it must be found, and its cure named.
type illness struct {
	name    string
	spoil   func(t *testing.T, m *Machine)
	finding string
	state   State
	cure    string // a part of it
}

var illnesses = []illness{
	{"old kernel", func(t *testing.T, m *Machine) { m.Release = "4.19.0" }, "kernel", Missing, "5.4"},
	{"no net namespaces", func(t *testing.T, m *Machine) { m.Try = failing(unix.CLONE_NEWNET, "clone3", unix.EINVAL) }, "namespace net", Missing, "built with"},
	{"too many", func(t *testing.T, m *Machine) { m.Try = failing(unix.CLONE_NEWPID, "clone3", unix.ENOSPC) }, "namespace pid", Missing, "max_*_namespaces"},
	{"max_user_namespaces", func(t *testing.T, m *Machine) {
		m.Try = failing(unix.CLONE_NEWUSER, "clone3", unix.ENOSPC)
		put(t, *m, "/proc/sys/user/max_user_namespaces", "0")
	}, "namespace user", Missing, "user.max_user_namespaces="},
	{"Debian's switch", func(t *testing.T, m *Machine) {
		m.Try = failing(unix.CLONE_NEWUSER, "clone3", unix.EPERM)
		put(t, *m, "/proc/sys/kernel/unprivileged_userns_clone", "0")
	}, "namespace user", Missing, "unprivileged_userns_clone=1"},
	{"AppArmor", func(t *testing.T, m *Machine) {
		m.Try = failing(unix.CLONE_NEWUSER, "mount", unix.EACCES)
		put(t, *m, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")
	}, "namespace user", Missing, "AppArmor profile"},
	{"outer container", func(t *testing.T, m *Machine) {
		m.Try = failing(unix.CLONE_NEWUSER, "clone3", unix.EPERM)
		put(t, *m, "/proc/self/status", "Seccomp:\t2")
	}, "namespace user", Missing, "seccomp=unconfined"},
	{"root without", func(t *testing.T, m *Machine) { m.UID, m.Try = 0, failing(unix.CLONE_NEWUSER, "clone3", unix.EINVAL) }, "namespace user", Limited, "built with"},
	{"no newuidmap", func(t *testing.T, m *Machine) {
		m.LookPath = func(string) (string, error) { return "", os.ErrNotExist }
	}, "more than one user id", Limited, "uidmap"},
	{"no pasta", func(t *testing.T, m *Machine) {
		m.LookPath = func(string) (string, error) { return "", os.ErrNotExist }
	}, "pasta or slirp4netns", Limited, "passt"},
	{"no tun", func(t *testing.T, m *Machine) { os.Remove(m.Root + "/dev/net/tun") }, "pasta or slirp4netns", Limited, "/dev/net/tun"},
	{"no subuid", func(t *testing.T, m *Machine) { put(t, *m, "/etc/subuid", "anabel:1:2") }, "more than one user id", Limited, "usermod"},
	{"hidden /proc", func(t *testing.T, m *Machine) { m.Try = failing(unix.CLONE_NEWPID, "mount", unix.EPERM) }, "a /proc of its own", Missing, "systempaths"},
	{"old overlay", func(t *testing.T, m *Machine) {
		m.Release, m.Try = "5.10.0", failing(unix.CLONE_NEWNS, "mount", unix.EPERM)
	}, "overlayfs", Missing, "5.11"},
	{"no overlay", func(t *testing.T, m *Machine) { m.Try = failing(unix.CLONE_NEWNS, "mount", unix.ENODEV) }, "overlayfs", Missing, "modprobe"},
	{"not delegated", func(t *testing.T, m *Machine) {
		m.Groups.Refusal, m.Groups.Cure = same("not yours"), same("ask for it")
	}, "control groups", Limited, "ask for it"},
	{"no groups", func(t *testing.T, m *Machine) {
		m.Groups = cgroup.Host{Refusal: same("none"), Cure: same("mount them")}
	}, "control groups", Missing, "mount them"},
	{"no io", func(t *testing.T, m *Machine) {
		put(t, *m, "/sys/fs/cgroup/user@1000/cgroup.controllers", "cpuset cpu memory pids")
	}, "controllers", Limited, "Delegate="},
	{"no swap", func(t *testing.T, m *Machine) { put(t, *m, "/proc/swaps", "Filename Type") }, "swap", Limited, "swapon"},
	{"no BFQ", func(t *testing.T, m *Machine) { put(t, *m, "/sys/block/sda/queue/scheduler", "[none]") }, "--blkio-weight", Limited, "modprobe bfq"},
	{"BFQ unused", func(t *testing.T, m *Machine) { put(t, *m, "/sys/block/sda/queue/scheduler", "[none] bfq") }, "--blkio-weight", Limited, "/sys/block/sda/"},
	{"no nf_tables", func(t *testing.T, m *Machine) {
		m.Netfilter = func() (Netfilter, error) { return Netfilter{}, nil }
	}, "nf_tables", Missing, "modprobe nf_tables"},
	{"no NFT_COMPAT", func(t *testing.T, m *Machine) {
		m.Netfilter = func() (Netfilter, error) { return Netfilter{Tables: true}, nil }
	}, "nf_tables", Limited, "nft_compat"},
	{"cannot know", func(t *testing.T, m *Machine) { remove(t, *m, "/sys/module/nf_tables") }, "nf_tables", Limited, "as root"},
	{"no bridge", func(t *testing.T, m *Machine) { m.Link = func() error { return errors.New("no") } }, "bridge and veth", Missing, "bridge"},
	{"no terminal", func(t *testing.T, m *Machine) { m.IsTerminal = false }, "terminal", Limited, "ssh -t"},
	{"no ptmx", func(t *testing.T, m *Machine) { remove(t, *m, "/dev/ptmx") }, "terminal", Missing, "devpts"},
	{"no seccomp", func(t *testing.T, m *Machine) {
		m.Try = func(namespaces uint64, _ ...kernel.Step) error {
			if namespaces == 0 {
				return &kernel.CallError{Call: kernel.Call{Name: "seccomp"}, Errno: unix.EINVAL}
			}
			return nil
		}
	}, "seccomp", Limited, "CONFIG_SECCOMP_FILTER"},
}

func TestEachIllness(t *testing.T) {
	for _, c := range illnesses {
		t.Run(c.name, func(t *testing.T) {
			m := healthy(t)
			c.spoil(t, &m)
			f := find(t, Examine(m), c.finding)
			if f.State != c.state || !strings.Contains(f.Cure.EN, c.cure) {
				t.Errorf("%s: %s → %q, want %s → …%s…", f.State, f.Detail.EN, f.Cure.EN, c.state, c.cure)
			}
			if f.Section == "" || f.Detail.ZH == "" || f.Cure.ZH == "" {
				t.Errorf("%+v is not complete", f)
			}
		})
	}
}

func TestEvidence(t *testing.T) {
	m := Machine{Root: t.TempDir(), Release: "6.1"}
	if got := m.has("CONFIG_VETH", "veth"); got != unknown {
		t.Errorf("no lists: %v", got)
	}
	put(t, m, "/lib/modules/6.1/modules.dep", "kernel/drivers/net/veth.ko.xz:")
	if m.has("CONFIG_VETH", "veth") != present || m.has("CONFIG_BRIDGE", "bridge") != absent {
		t.Error("modules.dep is not believed")
	}
	put(t, m, "/boot/config-6.1", "# CONFIG_VETH is not set\nCONFIG_BRIDGE=m")
	if m.has("CONFIG_VETH", "veth") != absent || m.has("CONFIG_BRIDGE", "bridge") != present {
		t.Error("the configuration in /boot is not believed")
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write([]byte("CONFIG_VETH=y\n"))
	w.Close()
	put(t, m, "/proc/config.gz", "")
	if err := os.WriteFile(m.Root+"/proc/config.gz", packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if m.has("CONFIG_VETH", "veth") != present || m.has("CONFIG_BRIDGE", "bridge") != absent {
		t.Error("/proc/config.gz is not believed")
	}
}

func TestNewerThan(t *testing.T) {
	for release, want := range map[string]bool{"5.4.0": true, "5.10.0-8": true, "6.1": true, "5.3.18": false, "4.19": false, "odd": false} {
		if got := (Machine{Release: release}).newerThan(5, 4); got != want {
			t.Errorf("%s: %v", release, got)
		}
	}
}

var report = []Finding{
	{Name: "kernel", Section: "1.2", State: OK, Detail: same("Linux 6.1")},
	{Name: "swap", Section: "3.4", State: Limited, Detail: text("none", "没有"), Cure: same("swapon <file>")},
}

func TestPrint(t *testing.T) {
	left := []Leftover{{Name: "veth3f2a", Detail: text("its container is no more", "容器已经不在了")}}
	var table, object bytes.Buffer
	if err := Print(&table, report, left, "zh", ""); err != nil {
		t.Fatal(err)
	}
	const want = `✓ kernel  1.2  Linux 6.1
! swap    3.4  没有
               → swapon <file>

以前异常退出时留下的：
! veth3f2a  容器已经不在了
`
	if table.String() != want {
		t.Errorf("table:\n%s\nwant:\n%s", table.String(), want)
	}
	if err := Print(&object, report, left, "en", "json"); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Findings  []struct{ Name, State, Detail, Cure, Section string }
		Leftovers []struct{ Name, Detail string }
	}
	if err := json.Unmarshal(object.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if f := got.Findings[1]; f.Name != "swap" || f.State != "limited" || f.Detail != "none" || f.Cure != "swapon <file>" || len(got.Leftovers) != 1 {
		t.Errorf("json: %s", object.String())
	}
	if Print(&object, nil, nil, "en", "xml") == nil {
		t.Error("format xml is taken")
	}
}

func TestCleanGoesOn(t *testing.T) {
	removed := 0
	err := Clean([]Leftover{
		{Remove: func() error { return errors.New("busy") }},
		{Remove: func() error { removed++; return nil }},
	})
	if err == nil || removed != 1 {
		t.Errorf("err %v, removed %d", err, removed)
	}
}

// TestThisMachine examines the real one, and looks whether anything is left of it.
func TestThisMachine(t *testing.T) {
	mounts := func() string {
		data, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	var list []Finding
	for try := 1; ; try++ {
		before := mounts()
		list = Examine(ThisMachine())
		after := mounts()
		if after == before {
			break
		}
		if try == 5 { // once it may have been somebody else who mounts
			t.Fatalf("mounts were left behind:\n%s", after)
		}
	}
	var status unix.WaitStatus
	if pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil); err != unix.ECHILD {
		t.Errorf("a child was left behind: %d, %v", pid, err)
	}
	for _, f := range list {
		if f.Section == "" || f.Detail.EN == "" || f.Detail.ZH == "" || f.State != OK && f.Cure.EN == "" {
			t.Errorf("not complete: %+v", f)
		}
	}
}
