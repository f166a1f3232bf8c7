package container

import (
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// bound is something that is brought into the container from outside: a directory or file of the host, a volume, a part
// of another image. A tmpfs (--tmpfs) is among them for the order's sake: a mount may lie within another.
//
// It is done in two halves, open_tree before the root changes and move_mount after it, because a target must be looked
// up inside the container: an image may have a symbolic link to / where the volume goes.
type bound struct {
	mount  specs.Mount
	handle *kernel.Handle
	dir    bool
	open   []kernel.Step // the first half
	shared bool          // mounts on the host are to be seen in the container, or the other way round; or it is another container's
}

// Options in config.json of a volume's mount, which the OCI specification leaves to the runtime.
const (
	optionSubpath    = "subpath=" // what of the volume is mounted
	optionFileSystem = "fstype="  // the volume is a file system of its own: its type
	optionReadOnly   = "rro"      // read-only with all that is mounted below
)

// isVolume tells the mounts that come after the kernel's own file systems.
func isVolume(m specs.Mount) bool {
	switch m.Type {
	case "bind", "image", "volume":
		return true
	case "tmpfs":
		return sectionOf(m) != "3.5"
	}
	return false
}

// planVolumes lists all that is brought in, parents before what lies in them.
func (b *birth) planVolumes() {
	if !b.host.CanMknod() {
		for _, d := range ordinaryDevices {
			b.bind(specs.Mount{Source: d.Path, Destination: d.Path, Options: []string{"bind"}})
		}
	}
	if b.spec.Annotations[annotationInit] == "true" {
		b.bind(specs.Mount{Source: b.self, Destination: InitPath, Options: []string{"bind", "ro", "nosuid", "nodev"}})
	}
	for _, j := range b.joined {
		if j.flags&unix.CLONE_NEWIPC != 0 && !b.mounts("/dev/shm") {
			b.volumes = append(b.volumes, b.openSharedMemory(j))
		}
	}
	for _, file := range etcFiles {
		b.bind(specs.Mount{Source: path.Join(b.etc, file), Destination: "/etc/" + file, Options: []string{"bind"}})
	}
	for _, m := range b.spec.Mounts {
		switch {
		case !isVolume(m):
		case m.Type == "tmpfs":
			b.volumes = append(b.volumes, bound{mount: m, dir: true})
		case m.Type == "image":
			b.openImage(m)
		case m.Type == "volume":
			b.openFileSystem(m)
		default:
			b.bind(m)
		}
	}
}

// bind plans a bind mount.
func (b *birth) bind(m specs.Mount) {
	v := bound{mount: m, handle: &kernel.Handle{}}
	subpath, hasSubpath := optionValue(m.Options, optionSubpath)
	if info, err := os.Stat(path.Join(m.Source, subpath)); err == nil {
		v.dir = info.IsDir()
	}
	flags, propagation, _ := parseOptions(m.Options)
	v.shared = propagation&^unix.MS_REC == unix.MS_SHARED || propagation&^unix.MS_REC == unix.MS_SLAVE
	recursive := flags&unix.MS_REC != 0
	if hasSubpath {
		v.open = openSubpath(m.Source, subpath, recursive, v.handle)
	} else {
		v.open = kernel.In("3.5", kernel.Because(kernel.OpenTree{Path: m.Source, Recursive: recursive, As: v.handle},
			"the source is looked up on the host …", "源路径在 host 上查找……"))
	}
	b.volumes = append(b.volumes, v)
}

// openSubpath opens a part of a volume. A container that has written into the volume may have left symbolic links there:
// they do not lead out of it.
func openSubpath(root, subpath string, recursive bool, as *kernel.Handle) []kernel.Step {
	top, part := &kernel.Handle{}, &kernel.Handle{}
	return kernel.In("3.5",
		kernel.Because(kernel.Open{Path: root, Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, As: top}, "the volume …", "先打开数据卷……"),
		kernel.Because(kernel.OpenInRoot{Root: top.FD(), Path: subpath, As: part}, "… and a part of it: no link in it leads out of it", "……再打开其中一部分：里面的链接都出不去"),
		kernel.Because(kernel.OpenTree{From: part.FD(), Recursive: recursive, As: as}, "the source is looked up on the host …", "源路径在 host 上查找……"),
	)
}

// openFileSystem mounts a volume that is a file system of its own (volume create -o type=ext4 …) over a directory that
// only this mount namespace sees, and takes hold of it.
func (b *birth) openFileSystem(m specs.Mount) {
	v := bound{mount: m, handle: &kernel.Handle{}, dir: true}
	kind, _ := optionValue(m.Options, optionFileSystem)
	var own []string
	for _, o := range m.Options {
		if !strings.HasPrefix(o, optionFileSystem) && o != optionReadOnly {
			own = append(own, o)
		}
	}
	flags, _, data := parseOptions(own)
	v.mount.Options = nil
	if m.Options[len(m.Options)-1] == optionReadOnly {
		v.mount.Options = []string{optionReadOnly}
	}
	v.open = kernel.In("2.5.1",
		kernel.Because(kernel.Mount{Source: m.Source, Target: b.view, Type: kind, Flags: flags, Data: data}, "the volume is a file system of its own", "这个数据卷本身是一个文件系统"),
		kernel.Because(kernel.OpenTree{Path: b.view, As: v.handle}, "", ""),
	)
	b.volumes = append(b.volumes, v)
}

func optionValue(options []string, prefix string) (value string, ok bool) {
	for _, o := range options {
		if value, ok := strings.CutPrefix(o, prefix); ok {
			return value, true
		}
	}
	return "", false
}

// openShared opens the sources whose mounts are to be passed on (rshared, rslave) while the mounts of this namespace still
// are what they were copied from. A clone stays what it is, whatever becomes of its original.
func (b *birth) openShared() []kernel.Step { return b.openThose(true) }

// openVolumes opens the other sources while the host's root is still there.
func (b *birth) openVolumes() []kernel.Step { return b.openThose(false) }

func (b *birth) openThose(shared bool) []kernel.Step {
	var steps []kernel.Step
	for _, v := range b.volumes {
		if v.shared == shared {
			steps = append(steps, v.open...)
		}
	}
	return steps
}

// attachVolumes puts the opened mounts in their places, looked up in the container.
func (b *birth) attachVolumes() []kernel.Step {
	var steps []kernel.Step
	for _, v := range b.volumes {
		target := v.mount.Destination
		if v.dir {
			steps = append(steps, kernel.MkdirAll(target, "2.3")...)
		} else {
			steps = append(steps, kernel.MkdirAll(path.Dir(target), "2.3")...)
			file := kernel.Because(kernel.CreateFile{Path: target, Mode: 0o644}, "a file needs a file to be mounted on", "文件要挂载在文件上")
			steps = append(steps, kernel.Try(kernel.In("2.3", file)...)...)
		}
		if v.handle == nil {
			flags, _, data := parseOptions(v.mount.Options)
			steps = append(steps, kernel.In("2.3", kernel.Because(
				kernel.Mount{Source: v.mount.Source, Target: target, Type: v.mount.Type, Flags: flags, Data: data}, whyMount["tmpfs"].EN, whyMount["tmpfs"].ZH))...)
			continue
		}
		steps = append(steps, kernel.In("3.5", kernel.Because(kernel.MoveMount{From: v.handle.FD(), Target: target},
			"… and its place in the container", "……挂载点在容器里查找"))...)
		steps = append(steps, kernel.In("3.5", flagSteps(target, v.mount.Options)...)...)
	}
	return steps
}

// flagSteps sets what a bind mount cannot be given at once: its propagation and its flags.
func flagSteps(target string, options []string) []kernel.Step {
	flags, propagation, data := parseOptions(options)
	var steps []kernel.Step
	if propagation != 0 && propagation != unix.MS_PRIVATE|unix.MS_REC {
		steps = append(steps, kernel.Because(kernel.Mount{Target: target, Flags: propagation}, "which mounts are passed on from here", "挂载事件如何传播"))
	}
	if bits := flags &^ (unix.MS_BIND | unix.MS_REC); bits != 0 {
		steps = append(steps, kernel.Because(kernel.Mount{Target: target, Flags: bits | unix.MS_REMOUNT | unix.MS_BIND}, "read-only for the container, whoever owns it", "对容器只读"))
	}
	if strings.Contains(data, optionReadOnly) {
		steps = append(steps, kernel.Because(kernel.ReadOnlyTree{Path: target}, "read-only for the container, whoever owns it, with all that is mounted below", "对容器只读，连同下面挂载的一切"))
	}
	return steps
}

// mounts tells whether something is asked to be mounted there.
func (b *birth) mounts(target string) bool {
	return slices.ContainsFunc(b.spec.Mounts, func(m specs.Mount) bool { return m.Destination == target })
}
