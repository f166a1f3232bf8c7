package container

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/cgroup"
	"sandbox/image"
	"sandbox/kernel"
	"sandbox/kernel/capability"
	"sandbox/kernel/rlimit"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden")

// Two machines that the plans are made for.
var (
	rootHost     = Host{UID: 0, IDs: 1 << 32, Major: 6, Minor: 1, Held: capability.All}
	ordinaryHost = Host{UID: 1000, GID: 1000, IDs: 1, Major: 6, Minor: 1, Held: 0}
)

// TestPlan compares the plan of a container's birth, step by step, with what it is known to be.
func TestPlan(t *testing.T) {
	shapes := []struct {
		name   string
		host   Host
		config Config
		hc     HostConfig
		mounts []MountOption
	}{
		{name: "root", host: rootHost},
		{name: "ordinary", host: ordinaryHost},
		{name: "privileged", host: rootHost, hc: HostConfig{Privileged: true}},
		{name: "terminal", host: rootHost, config: Config{Tty: true}},
		{name: "volumes", host: rootHost, mounts: []MountOption{
			{Type: "bind", Source: "/usr", Target: "/data/inner", ReadOnly: true},
			{Type: "bind", Source: "/etc/passwd", Target: "/file", Propagation: "rslave"},
			{Type: "tmpfs", Target: "/data", Options: []string{"nosuid", "noexec", "exec", "size=1m"}},
			{Type: "volume", Source: "/usr", Target: "/part", Subpath: "bin"},
			{Type: "volume", Source: "/disk", Target: "/disk", ReadOnly: true, DriverOptions: map[string]string{"type": "ext4", "device": "/dev/sdb", "o": "noatime"}},
		}},
		{name: "readonly", host: rootHost, hc: HostConfig{ReadonlyRootfs: true, SecurityOpt: []string{"no-new-privileges"}}},
		{name: "shared", host: rootHost, hc: HostConfig{PidMode: "host", NetworkMode: "host", UTSMode: "host"}},
		{name: "user", host: rootHost, config: Config{User: "7:8", WorkingDir: "/srv/app"}, hc: HostConfig{
			Ulimits: []Ulimit{{Name: "nofile", Soft: 10, Hard: 20}}, Sysctls: map[string]string{"net.ipv4.ip_forward": "1"},
		}},
	}
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) { compareGolden(t, s.name, planLines(t, s.host, s.config, s.hc, s.mounts...)) })
	}
}

// throughConfig writes config.json, as the whole specification would have written it, and reads it again.
func throughConfig(t *testing.T, spec *specs.Spec) *specs.Spec {
	t.Helper()
	data, err := encodeConfig(spec)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if json.Unmarshal(data, &a); json.Unmarshal(whole, &b) != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("config.json: %s\nwant: %s", data, whole)
	}
	spec, err = decodeConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// planLines is a plan as --explain would show it.
func planLines(t *testing.T, h Host, config Config, hc HostConfig, mounts ...MountOption) string {
	t.Helper()
	config.Hostname = "box"
	r := newRecord(Request{Config: config, HostConfig: hc, Image: &image.Image{
		Layers: []string{"lower", "upper"}, Config: v1.Config{Cmd: []string{"sh"}, Env: []string{"PATH=/bin"}},
	}})
	if !hc.Privileged { // those that every machine has
		r.HostConfig.MaskedPaths, r.HostConfig.ReadonlyPaths = []string{"/proc/stat", "/proc/self"}, []string{"/proc/sys"}
	}
	noFiles := func(path string) (_ io.ReadCloser, err error) { return nil, os.ErrNotExist }
	u, err := lookupUser(r.Config.User, noFiles)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := makeSpec(r, u, h, mounts)
	if err != nil {
		t.Fatal(err)
	}
	if hc.Privileged { // the devices are the machine's
		spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/bus/usb", Type: "c", Major: 189, Minor: 1}}
	}
	spec = throughConfig(t, spec)
	b := &birth{files: rlimit.Limit{Soft: 1024, Hard: 4096},
		spec: spec, host: h, etc: "/var/lib/sandbox/containers/c0", self: "/bin/sandbox", ends: firstEnds(), rows: 24, cols: 80,
		group:  cgroup.Plan{Join: []kernel.Step{{Effect: kernel.WriteFile{Path: "/sys/fs/cgroup/cpu/sandbox/ID/tasks", Data: "0"}, Section: "3.4"}}},
		rootfs: Rootfs{LayerDir: "/layers", Layers: r.Layers, Upper: "/c/upper", Work: "/c/work", MountPoint: "/run/root"},
	}
	spawn, err := b.Plan()
	if err != nil {
		t.Fatal(err)
	}
	var recorder kernel.Recorder
	recorder.Do(spawn.Steps...)
	recorder.Do(spawn.Programs...)
	lines := spawn.Compile().CloneCall().Shell + "\n" + strings.Join(recorder.Lines, "\n") + "\n"
	return regexp.MustCompile(`len=\d+`).ReplaceAllString(lines, "len=N") // of the filter: it differs with the architecture
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("%s, line %d (-update rewrites it):\n got %s\nwant %s", file, i+1, gotLines[i], wantLines[i])
		}
	}
	t.Fatalf("%s: %d lines, want %d", file, len(gotLines), len(wantLines))
}

// TestPlanIsSafe holds the plan of an ordinary container against what must be true of every one.
func TestPlanIsSafe(t *testing.T) {
	for _, h := range []Host{rootHost, ordinaryHost} {
		lines := planLines(t, h, Config{}, HostConfig{})
		order := []string{
			`MS_REC|MS_PRIVATE`,               // before any mount: the host sees none of them
			`pivot_root(".", ".")`,            // the root changes …
			`MNT_DETACH`,                      // … and the old one goes
			`mount("/dev/null", "/proc/stat"`, // before the program can look
			`seccomp(`, `PR_CAPBSET_DROP, CAP_SYS_ADMIN`, `capset(`, `PR_SET_PDEATHSIG`, `execve(`,
		}
		at := 0
		for _, step := range order {
			next := strings.Index(lines[at:], step)
			if next < 0 {
				t.Fatalf("uid %d: no %s after %q", h.UID, step, lines[:at])
			}
			at += next
		}
	}
}
