package container

import (
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

// Options of an image's mount in config.json, which the OCI specification leaves to the runtime.
const (
	optionLayer = "layer=" // a name under LayerDir; several, the lowest first
	optionFile  = "file"   // the source is a file
)

// imageOptions are the options of a mount that shows another image: `RUN --mount=from=…`.
func imageOptions(m MountOption) []string {
	options := slices.Clone(m.Options)
	for _, name := range m.Layers {
		options = append(options, optionLayer+name)
	}
	return options
}

// openImage stacks the layers of another image over a directory that only this mount namespace sees, and takes hold of
// what is to be shown of it. The stack itself goes with the host's root. What is written to it is thrown away with the
// container.
func (b *birth) openImage(m specs.Mount) {
	var layers, options []string
	v := bound{handle: &kernel.Handle{}, dir: true}
	for _, o := range m.Options {
		if name, ok := strings.CutPrefix(o, optionLayer); ok {
			layers = append(layers, name)
		} else if o == optionFile {
			v.dir = false
		} else {
			options = append(options, o)
		}
	}
	v.mount = specs.Mount{Source: m.Source, Destination: m.Destination, Options: options}
	own := path.Dir(b.rootfs.Upper) + "/view" + strconv.Itoa(len(b.volumes))
	stack := Rootfs{Layers: layers, Lowest: b.rootfs.Lowest, Upper: own + "-upper", Work: own + "-work"}
	v.open = kernel.In("2.4.2",
		kernel.Because(kernel.Mkdir{Path: stack.Upper, Mode: 0o755}, "what is written to the other image's files, and thrown away", "写到那个镜像里的内容放这里，之后丢掉"),
		kernel.Because(kernel.Mkdir{Path: stack.Work, Mode: 0o755}, "", ""),
		kernel.Because(kernel.Chdir{Path: b.rootfs.LayerDir}, "", ""),
		kernel.Because(kernel.Mount{Source: "overlay", Target: b.view, Type: "overlay", Data: stack.options(b.host)},
			"the layers of another image or stage, to be looked into", "另一个镜像（或构建阶段）的各层，供这一步查看"),
		kernel.Because(kernel.OpenTree{Path: path.Join(b.view, m.Source), As: v.handle}, "the part of it that is asked for", "只取需要的那一部分"),
		kernel.Because(kernel.Chdir{Path: b.rootfs.MountPoint}, "", ""),
	)
	b.volumes = append(b.volumes, v)
}

// Upper is the directory that takes all that a container writes: its own layer.
func (e *Engine) Upper(r *Record) string { return e.Paths.upper(r.ID) }

// Stack lists the directories of a container's root file system, the uppermost first.
func (e *Engine) Stack(r *Record) []string {
	stack := e.Images.Stack(r.Layers, e.Upper(r))
	if _, err := os.Stat(e.Paths.mountPoints()); err == nil {
		stack = append(stack, e.Paths.mountPoints())
	}
	return stack
}
