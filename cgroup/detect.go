package cgroup

import (
	"bytes"
	"errors"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// usualRoot is where every distribution mounts control groups.
const usualRoot = "/sys/fs/cgroup"

// controllers of v1 that we look for in their usual places.
var controllers = []string{"memory", "cpu", "cpuacct", "blkio", "pids", "devices", "freezer", "cpuset"}

// Detect looks at the machine. It is on the way of every `run` and takes about a dozen system calls (statfs,
// lstat, access; 40 µs on a slow virtual machine); only where the usual places do not fit it reads /proc/self/mountinfo.
//
// Mode of github.com/containerd/cgroups/v3 does the first half of it as fast (importing that package costs nothing
// that can be measured: 18 small packages, 0.2 ms in all). It does not say where a controller is mounted nor who may
// write there, and it cannot be pointed to another root. Its packages cgroup1 and cgroup2 bring protobuf, D-Bus and
// the eBPF loader with them: 0.8 ms at each start and 2.8 MB, so the program does not import those.
func Detect() Host {
	h := detectAt(usualRoot)
	if h.Mode == None {
		if mounts, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
			h = fromMountinfo(string(mounts))
		}
	}
	h.Sys = "/sys"
	switch {
	case h.Mode == None && os.Getenv("SANDBOX_POCKET") != "": // pocket.Variable; a pocket host mounts what its maker can use
		h.refuse("this pocket host has no control groups, as whoever made it may not make any", "这台口袋主机里没有 cgroup，因为创建它的用户没有建组的权限")
		h.cure("sandbox doctor   outside the lab, says what this user lacks; as root it is all there", "在实验外面执行 sandbox doctor，看看缺什么；以 root 运行则什么都有")
	case h.Mode == None:
		h.refuse("no control groups are mounted", "没有挂载 cgroup 文件系统")
		h.cure("mount -t cgroup2 none "+usualRoot, "")
	case h.Mode == V2:
		h.findBase()
	default:
		h.tryHierarchies()
	}
	return h
}

// detectAt looks at the usual places under root.
func detectAt(root string) Host {
	switch kind, device := fileSystem(root); {
	case device == 0:
		return Host{}
	case kind == unix.CGROUP2_SUPER_MAGIC:
		return Host{Mode: V2, Root: root}
	default:
		h := Host{Hierarchies: hierarchiesAt(root, device)}
		if len(h.Hierarchies) == 0 {
			return h
		}
		h.Mode = V1
		if kind, _ := fileSystem(root + "/unified"); kind == unix.CGROUP2_SUPER_MAGIC {
			h.Mode, h.Root = Hybrid, root+"/unified"
		}
		return h
	}
}

// fileSystem gives a directory's type of file system (statfs(2)) and its device number; 0 if there is none.
func fileSystem(dir string) (kind int64, device uint64) {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return 0, 0
	}
	return int64(fs.Type), deviceOf(dir)
}

func deviceOf(dir string) uint64 {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return 0
	}
	return st.Dev
}

// hierarchiesAt finds each controller's tree by its name under root. Controllers that were mounted together have one
// file system, hence one device number; their names are links to a directory that is named after them all.
func hierarchiesAt(root string, rootDevice uint64) []Hierarchy {
	var list []Hierarchy
	at := map[uint64]int{}
	for _, name := range controllers {
		dir := path.Join(root, name)
		device, target := lookAt(dir)
		if device == 0 || device == rootDevice {
			continue // not there, or a plain directory in root
		}
		i, known := at[device]
		if !known {
			i = len(list)
			at[device] = i
			list = append(list, Hierarchy{Path: dir})
		}
		h := &list[i]
		h.Controllers = append(h.Controllers, name)
		if target != "" {
			h.Path = path.Join(root, target)
			h.Links = append(h.Links, name)
		}
	}
	return list
}

// lookAt gives a directory's device number, and where it is if dir is a link to it.
func lookAt(dir string) (device uint64, target string) {
	var st unix.Stat_t
	if unix.Lstat(dir, &st) != nil {
		return 0, ""
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		target, _ = os.Readlink(dir)
		return deviceOf(dir), target
	}
	return st.Dev, ""
}

// tryHierarchies asks, for v1, whether groups can be made: the kernel lets only those who may write the directory.
// They are all mounted by the same hand, so the first one speaks for all.
func (h *Host) tryHierarchies() {
	dir := h.Hierarchies[0].Path
	switch err := writable(dir); {
	case errors.Is(err, unix.EROFS):
		h.refuseReadOnly(dir)
	case err != nil:
		h.refuse("control groups of version 1 are for root: "+dir+": "+err.Error(), "cgroup v1 只有 root 能用："+dir+" 不能写")
		h.cure("run it as root of the machine, or boot with systemd.unified_cgroup_hierarchy=1: in version 2 users have groups of their own",
			"用机器的 root 运行；或者加启动参数 systemd.unified_cgroup_hierarchy=1 换成 v2，普通用户就有自己的组")
	}
}

func (h *Host) refuseReadOnly(dir string) {
	h.refuse(dir+" is mounted read-only, so no control group can be made", dir+" 是只读挂载的，不能建组")
	h.cure("start the outer container with --privileged, or mount "+dir+" writable", "启动外层容器时加 --privileged，或把 "+dir+" 挂成可写")
}

func (h *Host) refuse(english, chinese string) { h.Refusal = kernel.Why{EN: english, ZH: chinese} }

func (h *Host) cure(english, chinese string) { h.Cure = kernel.Why{EN: english, ZH: chinese} }

// findBase finds the group of v2 under which ours can be made. Root of the machine makes them at the top. Everybody
// else needs a part of the tree that was handed over (delegated) to them, and may move processes only within it; so
// it is the highest group above our own that we can write.
func (h *Host) findBase() {
	h.Base = h.Root
	if writable(path.Join(h.Root, "cgroup.procs")) == nil && writable(h.Root) == nil {
		h.Delegated = inUserNamespace()
		return
	}
	h.Delegated = true
	own, err := ownGroup("/proc/self/cgroup")
	if err == nil {
		h.Base, err = highestWritable(h.Root, own)
	}
	switch {
	case errors.Is(err, unix.EROFS):
		h.refuseReadOnly(h.Root)
	case err != nil:
		h.refuse("no control group is delegated to this user (it is in "+own+")", "没有委派给当前用户的组（现在在 "+own+"）")
		h.cure("start it with: systemd-run --user --scope -p Delegate=yes sandbox …", "这样启动：systemd-run --user --scope -p Delegate=yes sandbox …")
	}
}

// ownGroup is the group of v2 that this process is in: the line that begins with "0::".
func ownGroup(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(data)) {
		if group, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSpace(group), nil
		}
	}
	return "", errors.New("this process is in no group of version 2")
}

// highestWritable walks up from our own group as long as we may write what moving a process needs.
func highestWritable(root, own string) (string, error) {
	base := ""
	var err error
	for group := path.Clean(own); ; group = path.Dir(group) {
		dir := path.Join(root, group)
		for _, file := range []string{dir, dir + "/cgroup.procs", dir + "/cgroup.subtree_control"} {
			if err = writable(file); err != nil {
				break
			}
		}
		if err != nil || group == "/" {
			break
		}
		base = dir
	}
	if base == "" {
		return "", err
	}
	return base, nil
}

// writable asks the kernel whether this process may write a file or make entries in a directory.
func writable(file string) error {
	return unix.Faccessat(unix.AT_FDCWD, file, unix.W_OK, unix.AT_EACCESS)
}

func exists(file string) bool { return unix.Access(file, unix.F_OK) == nil }

// inUserNamespace tells whether root here is root of a user namespace only: then not all ids are mapped to themselves.
func inUserNamespace() bool {
	ids, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && !bytes.Equal(bytes.Join(bytes.Fields(ids), []byte(" ")), []byte("0 0 4294967295"))
}
