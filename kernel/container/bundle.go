package container

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/capability"
	"sandbox/kernel/rlimit"
	"sandbox/kernel/seccomp"
)

// Spec is the config.json that a container was made with, for other runtimes: a bundle of this file and of the container's root file
// system, in a directory rootfs beside it, is what the OCI runtime specification has them run.
//
// The file that this runtime keeps (spec.go) leaves out what is the same for every container or has to be found out at each start,
// and has words of its own for a few things. Here all of it is written out: the seccomp profile, the files in /etc, the limit on open
// files, and the processes whose namespaces are used. A network namespace is a new one, without the cables that this runtime lays.
func (e *Engine) Spec(r *Record) (*specs.Spec, error) {
	spec, err := e.loadSpecOf(r)
	if err != nil {
		return nil, err
	}
	if spec.Linux.Seccomp, err = e.seccompOf(spec); err != nil {
		return nil, err
	}
	joined, err := e.namespacePaths(spec)
	if err != nil {
		return nil, err
	}
	mounts, err := e.everyMount(r, spec, joined)
	if err != nil {
		return nil, err
	}
	spec.Mounts = mounts
	if files := openFiles(r); !slices.ContainsFunc(spec.Process.Rlimits, func(l specs.POSIXRlimit) bool { return l.Type == files.Type }) {
		spec.Process.Rlimits = append(spec.Process.Rlimits, files)
	}
	delete(spec.Annotations, annotationSeccomp)
	delete(spec.Annotations, annotationInit)
	return spec, nil
}

// seccompOf is the profile as a list of system calls; nil for none.
func (e *Engine) seccompOf(spec *specs.Spec) (*specs.LinuxSeccomp, error) {
	caps := uint64(capability.SetOf(spec.Process.Capabilities.Bounding))
	version := seccomp.Version{Major: e.Host.Major, Minor: e.Host.Minor}
	switch profile := spec.Annotations[annotationSeccomp]; profile {
	case "unconfined", "":
		return spec.Linux.Seccomp, nil
	case "default":
		return seccomp.DefaultSpec(caps, version), nil
	default:
		file, err := openProfile(profile)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return seccomp.LoadSpec(file, caps, version)
	}
}

// namespacePaths gives the namespaces of another container the names that the kernel has for them, and returns the process whose
// they are; 0 if there are none.
func (e *Engine) namespacePaths(spec *specs.Spec) (ipc int, err error) {
	for i, n := range spec.Linux.Namespaces {
		id := joinedID(n.Path)
		if id == "" {
			continue
		}
		other, err := e.Get(id)
		if err == nil && !other.State.Running {
			err = e.notRunning(other)
		}
		if err != nil {
			return 0, fmt.Errorf("it shares a namespace of another container: %w", err)
		}
		spec.Linux.Namespaces[i].Path = fmt.Sprintf("/proc/%d/ns/%s", other.State.Pid, namespaceFile(n.Type))
		if n.Type == specs.IPCNamespace {
			ipc = other.State.Pid
		}
	}
	return ipc, nil
}

// namespaceFile is what /proc/PID/ns calls it.
func namespaceFile(kind specs.LinuxNamespaceType) string {
	switch kind {
	case specs.MountNamespace:
		return "mnt"
	case specs.NetworkNamespace:
		return "net"
	}
	return string(kind)
}

// everyMount is all that planVolumes has mounted, in its order: first what every container has.
func (e *Engine) everyMount(r *Record, spec *specs.Spec, ipc int) ([]specs.Mount, error) {
	at := slices.IndexFunc(spec.Mounts, isVolume)
	if at < 0 {
		at = len(spec.Mounts)
	}
	list := slices.Clone(spec.Mounts[:at])
	if !e.Host.CanMknod() {
		for _, d := range ordinaryDevices {
			list = append(list, specs.Mount{Destination: d.Path, Type: "bind", Source: d.Path, Options: []string{"bind"}})
		}
	}
	if spec.Annotations[annotationInit] == "true" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		list = append(list, specs.Mount{Destination: InitPath, Type: "bind", Source: self, Options: []string{"bind", "ro", "nosuid", "nodev"}})
	}
	if ipc != 0 {
		list = append(list, specs.Mount{Destination: "/dev/shm", Type: "bind", Source: fmt.Sprintf("/proc/%d/root/dev/shm", ipc), Options: []string{"rbind"}})
	}
	for _, file := range etcFiles {
		list = append(list, specs.Mount{Destination: "/etc/" + file, Type: "bind", Source: path.Join(e.etcDir(r), file), Options: []string{"bind"}})
	}
	for _, m := range spec.Mounts[at:] {
		plain, err := plainMount(m)
		if err != nil {
			return nil, err
		}
		list = append(list, plain)
	}
	return list, nil
}

// plainMount says a mount in the specification's own words.
func plainMount(m specs.Mount) (specs.Mount, error) {
	switch m.Type {
	case "image":
		return m, kernel.Advise(fmt.Errorf("%s shows the files of another image: config.json has no word for that", m.Destination),
			"mount a directory with those files instead: sandbox export makes one")
	case "volume": // a file system of its own
		m.Type, _ = optionValue(m.Options, optionFileSystem)
		m.Options = slices.DeleteFunc(slices.Clone(m.Options), func(o string) bool { return strings.HasPrefix(o, optionFileSystem) })
	case "bind":
		if subpath, ok := optionValue(m.Options, optionSubpath); ok {
			m.Source = path.Join(m.Source, subpath)
			m.Options = slices.DeleteFunc(slices.Clone(m.Options), func(o string) bool { return strings.HasPrefix(o, optionSubpath) })
		}
	}
	return m, nil
}

// openFiles is the limit on open files that a running container has, or that it would get if it were started now.
func openFiles(r *Record) specs.POSIXRlimit {
	limit := specs.POSIXRlimit{Type: "RLIMIT_NOFILE", Soft: rlimit.OpenFiles.Soft, Hard: rlimit.OpenFiles.Hard}
	if !r.State.Running {
		return limit
	}
	data, err := os.ReadFile("/proc/" + strconv.Itoa(r.State.Pid) + "/limits")
	if err != nil {
		return limit
	}
	for line := range strings.Lines(string(data)) {
		words, ok := strings.CutPrefix(line, "Max open files")
		if fields := strings.Fields(words); ok && len(fields) >= 2 {
			limit.Soft, limit.Hard = limitNumber(fields[0]), limitNumber(fields[1])
		}
	}
	return limit
}

func limitNumber(word string) uint64 {
	n, err := strconv.ParseUint(word, 10, 64)
	if errors.Is(err, strconv.ErrSyntax) { // unlimited
		return unix.RLIM_INFINITY
	}
	return n
}
