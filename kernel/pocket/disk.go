package pocket

import (
	"path"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// diskFile is the one file of a pocket host that is kept where the machine keeps its images, on a disk as a rule, and not
// in memory: for what is about disks. A container reaches it with -v /run/pocket/disk:/disk.
const diskFile = diskDir + "/test.dd"

// DiskPrefix begins the file's name in the machine's directory of images, in the moment that it has one.
const DiskPrefix = "disk-"

// disk makes that file. It has no name on the machine once it is mounted, so the kernel gives its space back when the
// pocket host ends, whatever ends it. A mount of a file without a name cannot be bound again (ENOENT), but goes along with
// the directory that it is in; hence the directory.
func (p *plan) disk() []kernel.Step {
	if p.Store == "" {
		return nil
	}
	plain := func(e kernel.Effect) kernel.Step { return kernel.Because(e, "", "") }
	file := path.Join(p.Store, DiskPrefix+newID()[:12])
	return kernel.In("3.4", kernel.Try(
		plain(kernel.Mkdir{Path: diskDir[1:], Mode: 0o755}),
		plain(kernel.CreateFile{Path: diskFile[1:], Mode: 0o644}),
		plain(kernel.CreateFile{Path: file, Mode: 0o644}),
		kernel.Because(kernel.Mount{Source: file, Target: diskFile[1:], Flags: unix.MS_BIND}, "the only file in here that lies on a disk", "这里唯一放在磁盘上的文件"),
		kernel.Because(kernel.Remove{Path: file}, "without a name: it goes with the pocket host", "名字不留：口袋主机一结束，它也就没了"),
	)...)
}
