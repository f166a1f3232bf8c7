package container

import (
	"os"
	"path"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// etcFiles are made for each container and mounted over the image's.
var etcFiles = []string{"hostname", "hosts", "resolv.conf"}

// writeEtc makes them in memory: a tmpfs over a directory of the host that only this mount namespace sees. Mounted on
// files in the container's /etc it outlives the host's root there.
func (b *birth) writeEtc() []kernel.Step {
	steps := []kernel.Step{kernel.Because(kernel.Mount{Source: "tmpfs", Target: b.etc, Type: "tmpfs", Flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, Data: "mode=755,size=1m"},
		"for files of this container's own in /etc", "放这个容器自己的几个 /etc 文件")}
	for _, file := range etcFiles {
		steps = append(steps, kernel.Because(kernel.CreateFile{Path: path.Join(b.etc, file), Data: b.etcContent(file), Mode: 0o644}, "", ""))
	}
	return kernel.In("3.6", steps...)
}

func (b *birth) etcContent(file string) string {
	name := b.spec.Hostname
	switch {
	case file == "hostname":
		return name + "\n"
	case !b.has(specs.NetworkNamespace):
		data, _ := os.ReadFile("/etc/" + file)
		return string(data)
	case file == "hosts":
		return "127.0.0.1\tlocalhost " + name + "\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
	}
	return "# no network: nobody to ask for names\n"
}
