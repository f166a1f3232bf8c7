package pocket

import (
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// buildRoot puts the root directory together in memory, under p.root, with the machine's directories in it.
func (p *plan) buildRoot() ([]kernel.Step, error) {
	mounts, err := mountPoints()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/")
	if err != nil {
		return nil, err
	}
	steps := []kernel.Step{
		kernel.Because(kernel.Mount{Target: "/", Flags: unix.MS_REC | unix.MS_PRIVATE}, "", ""),
		kernel.Because(kernel.Mount{Source: "tmpfs", Target: p.root, Type: "tmpfs", Data: "mode=755"}, "all that is written in the pocket host stays in memory", "口袋主机里写的一切都只在内存里"),
		kernel.Because(kernel.Mkdir{Path: p.root + "/root", Mode: 0o755}, "", ""),
		kernel.Because(kernel.Mount{Source: "tmpfs", Target: p.root + "/root", Type: "tmpfs", Data: "mode=755"}, "", ""),
		kernel.Because(kernel.Mkdir{Path: p.root + "/layers", Mode: 0o755}, "", ""),
		kernel.Because(kernel.Chdir{Path: p.root + "/root"}, "", ""),
	}
	for _, e := range entries {
		dir := "/" + e.Name()
		switch {
		case slices.Contains(private, dir):
			steps = append(steps, kernel.Because(kernel.Mkdir{Path: e.Name(), Mode: 0o755}, "", ""))
		case e.Type()&os.ModeSymlink != 0:
			if target, err := os.Readlink(dir); err == nil {
				steps = append(steps, kernel.Because(kernel.Symlink{Target: target, Path: e.Name()}, "", ""))
			}
		case e.IsDir():
			steps = append(steps, p.machineDirectory(e.Name(), mounts)...)
		}
	}
	return kernel.In("3.5", steps...), nil
}

// machineDirectory shows one of the machine's directories: as the lower layer of an overlay, so that it can be written;
// read-only where other file systems are mounted in it, which an overlay would not show.
func (p *plan) machineDirectory(name string, mounts []string) []kernel.Step {
	steps := []kernel.Step{kernel.Because(kernel.Mkdir{Path: name, Mode: 0o755}, "", "")}
	if slices.ContainsFunc(mounts, func(m string) bool { return strings.HasPrefix(m, "/"+name+"/") }) {
		return append(steps, kernel.Try(
			kernel.Because(kernel.Mount{Source: "/" + name, Target: name, Flags: unix.MS_BIND | unix.MS_REC}, "", ""),
			kernel.Because(kernel.ReadOnlyTree{Path: name}, "", ""),
		)...)
	}
	return append(steps, p.overlay("/"+name, name, name)...)
}

// private are directories that a pocket host has for itself.
var private = []string{"/proc", "/sys", "/dev", "/run", "/tmp", "/root", "/var"}

// mountPoints are the machine's, from /proc/self/mountinfo.
func mountPoints() ([]string, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var list []string
	for _, line := range strings.Split(string(data), "\n") {
		if fields := strings.Fields(line); len(fields) > 4 {
			list = append(list, unescape(fields[4]))
		}
	}
	return list, nil
}

// labs shows a directory of the machine for reading. A change that is made to it outside can be seen at once.
func (p *plan) labs() []kernel.Step {
	if p.Labs == "" {
		return nil
	}
	steps := kernel.In("3.5",
		kernel.Because(kernel.Mkdir{Path: LabsDir[1:], Mode: 0o755}, "", ""),
		kernel.Because(kernel.Mount{Source: p.Labs, Target: LabsDir[1:], Flags: unix.MS_BIND | unix.MS_REC}, "labs of your own", "自己编写的实验"),
		kernel.Because(kernel.ReadOnlyTree{Path: LabsDir[1:]}, "", ""),
		kernel.Because(kernel.CreateFile{Path: LabsFrom[1:], Data: p.Labs, Mode: 0o644}, "", ""),
	)
	steps[2].Optional = true // before Linux 5.12
	return steps
}

// shared directories come last: they may lie in those that a pocket host has for itself.
func (p *plan) shared() []kernel.Step {
	var steps []kernel.Step
	for _, dir := range p.Shared {
		for _, above := range kernel.MkdirAll(dir, "3.5") {
			above.Effect = kernel.Mkdir{Path: "." + above.Effect.(kernel.Mkdir).Path, Mode: 0o755}
			steps = append(steps, above)
		}
		steps = append(steps, kernel.Because(kernel.Mount{Source: dir, Target: "." + dir, Flags: unix.MS_BIND | unix.MS_REC}, "this directory is the machine's own", "这个目录就是机器上的那个"))
	}
	return kernel.In("3.5", steps...)
}

func under(target string, dirs []string) bool {
	for _, d := range dirs {
		if target == d || strings.HasPrefix(target, d+"/") {
			return true
		}
	}
	return false
}

// unescape reads the octal escapes of /proc/PID/mountinfo: \040 is a space.
func unescape(s string) string {
	for _, e := range []struct{ code, char string }{{`\040`, " "}, {`\011`, "\t"}, {`\012`, "\n"}, {`\134`, `\`}} {
		s = strings.ReplaceAll(s, e.code, e.char)
	}
	return s
}

// ownDirectories are file systems of its own, or new ones of the kernel that show its namespaces.
func (p *plan) ownDirectories() []kernel.Step {
	const plain = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	tmpfs := func(dir, mode string) kernel.Step {
		return kernel.Because(kernel.Mount{Source: "tmpfs", Target: dir, Type: "tmpfs", Data: "mode=" + mode}, "", "")
	}
	mkdir := func(dir string) kernel.Step { return kernel.Because(kernel.Mkdir{Path: dir, Mode: 0o755}, "", "") }
	steps := []kernel.Step{
		kernel.Because(kernel.Mount{Source: "/dev", Target: "dev", Flags: unix.MS_BIND | unix.MS_REC}, "", ""),
		{Effect: tmpfs("dev/shm", "1777").Effect, Optional: true}, // not every machine has one
		tmpfs("run", "755"), tmpfs("tmp", "1777"), tmpfs("var", "755"),
		mkdir("var/lib"), mkdir("var/log"), mkdir("var/tmp"), mkdir("var/lib/sandbox"), // stays empty: no trace of the machine's containers
		kernel.Because(kernel.Mount{Source: "proc", Target: "proc", Type: "proc", Flags: plain}, "", ""),
		kernel.Because(kernel.Mount{Source: "sysfs", Target: "sys", Type: "sysfs", Flags: plain}, "", ""),
	}
	for _, m := range p.group.Mounts {
		target := path.Join("sys/fs/cgroup", m.Target)
		mount := []kernel.Step{kernel.Because(kernel.Mount{Source: m.Type, Target: target, Type: m.Type, Flags: plain, Data: m.Data}, "", "")}
		if m.Target != "" {
			mount = append([]kernel.Step{kernel.Because(kernel.Mkdir{Path: target, Mode: 0o755}, "", "")}, mount...)
		}
		for _, link := range m.Links { // cpu, where one hierarchy has cpu,cpuacct
			mount = append(mount, kernel.Because(kernel.Symlink{Target: m.Target, Path: path.Join("sys/fs/cgroup", link)}, "", ""))
		}
		steps = append(steps, kernel.Try(mount...)...)
	}
	return kernel.In("3.5", steps...)
}

// overlay shows a directory with a layer in memory over it.
func (p *plan) overlay(lower, target, name string) []kernel.Step {
	upper, work := p.root+"/layers/"+name, p.root+"/layers/"+name+".work"
	data := "lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work
	if p.rootless || inUserNamespace() {
		data += ",userxattr"
	}
	return []kernel.Step{
		kernel.Because(kernel.Mkdir{Path: upper, Mode: 0o755}, "", ""),
		kernel.Because(kernel.Mkdir{Path: work, Mode: 0o755}, "", ""),
		kernel.Try(kernel.Because(kernel.Mount{Source: "overlay", Target: target, Type: "overlay", Data: data},
			"what is there, copied when it is written", "原来的文件都在，写的时候才复制"))[0],
	}
}
