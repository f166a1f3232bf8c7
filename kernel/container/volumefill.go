package container

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/image/build/copying"
	"sandbox/image/layer"
	"sandbox/kernel"
)

// fillVolume copies into an empty volume what the image has where the volume is mounted, with owners, modes and
// extended attributes, as Docker does: a database's image brings its first files like that.
//
// The copy is made beside _data, under the name _new, and then takes its place in one rename. Only if a running container
// has the (empty) volume mounted already, its directory has to stay, and what was copied is moved into it, name by name.
func (e *Engine) fillVolume(r *Record, m MountOption) error {
	stack := e.Images.Stack(r.Layers, "")
	info, err := layer.Stat(stack, m.Target)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || err == nil && !info.IsDir() {
		return nil
	}
	if err != nil {
		return err
	}
	content, err := layer.ReadDir(stack, m.Target)
	if err != nil {
		return err
	}
	plain := info.Mode&0o7777 == 0o755 && info.UID == 0 && info.GID == 0
	if len(content) == 0 && plain || !isEmpty(e.Paths.volumeData(m.Source)) {
		return nil
	}
	lock, err := lockAlone(e.Paths.volume(m.Source))
	if err != nil {
		return err
	}
	defer lock.Close()
	if !isEmpty(e.Paths.volumeData(m.Source)) {
		return nil // somebody was faster
	}
	return e.fillFrom(stack, info, m)
}

func isEmpty(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	names, _ := f.Readdirnames(1)
	return len(names) == 0
}

func (e *Engine) fillFrom(stack []string, info layer.Info, m MountOption) error {
	data, unfinished := e.Paths.volumeData(m.Source), e.Paths.volumeNew(m.Source)
	var steps []kernel.Step
	if exists(unfinished) {
		steps = append(steps, kernel.Because(kernel.RemoveAll{Path: unfinished}, "left by a command that was killed", "被杀掉的命令留下的"))
	}
	var failed error
	write := func() error { failed = copyFromImage(stack, m.Target, unfinished); return failed }
	steps = append(steps,
		kernel.Because(kernel.Mkdir{Path: unfinished, Mode: 0o755}, "what the image has there is copied into the empty volume", "把镜像在这个目录里的内容复制到空的数据卷中"),
		kernel.Because(kernel.WriteTree{From: "IMAGE:" + m.Target, To: unfinished, Write: write},
			"with owners, modes and extended attributes; --mount …,volume-nocopy does without", "连同属主、权限和扩展属性；加 volume-nocopy 就不复制"),
	)
	steps = append(steps, e.attributeSteps(unfinished, info)...)
	if !e.mountedSomewhere(m.Source) {
		steps = append(steps, kernel.Because(kernel.Rename{From: unfinished, To: data}, "all at once, in place of the empty directory", "一次换掉空目录，不会只复制一半"))
		return errors.Join(e.Door.Do(kernel.In("2.5.1", steps...)...), failed)
	}
	if err := e.Door.Do(kernel.In("2.5.1", steps...)...); err != nil {
		return errors.Join(err, failed)
	}
	return e.moveInto(unfinished, data, info)
}

// copyFromImage does what COPY does.
func copyFromImage(stack []string, source, dir string) error {
	tree, err := copying.OpenLayers(stack)
	if err != nil {
		return err
	}
	defer tree.Close()
	pattern := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(source)
	c := &copying.Copy{From: tree, Sources: []string{pattern}, Dest: "/", UID: -1, GID: -1}
	defer c.Close()
	return c.Write(context.Background(), dir, nil)
}

// attributeSteps give a directory the owner and mode that the image's has. An ordinary user has one owner to give.
func (e *Engine) attributeSteps(dir string, info layer.Info) []kernel.Step {
	var steps []kernel.Step
	if info.UID != 0 || info.GID != 0 {
		steps = append(steps, kernel.Try(kernel.Because(kernel.Chown{Path: dir, UID: info.UID, GID: info.GID}, "as in the image", "和镜像里一样"))...)
	}
	return append(steps, kernel.Because(kernel.Chmod{Path: dir, Mode: info.Mode & 0o7777}, "as in the image", "和镜像里一样"))
}

// mountedSomewhere tells whether a running container has the volume.
func (e *Engine) mountedSomewhere(name string) bool {
	users, err := e.VolumeUsers()
	if err != nil {
		return true
	}
	for _, id := range users[name] {
		if r, err := e.Paths.load(id); err == nil && r.State.Running {
			return true
		}
	}
	return false
}

func (e *Engine) moveInto(from, to string, info layer.Info) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	var steps []kernel.Step
	for _, entry := range entries {
		if exists(to + "/" + entry.Name()) {
			continue // the container's own, written meanwhile
		}
		steps = append(steps, kernel.Because(kernel.Rename{From: from + "/" + entry.Name(), To: to + "/" + entry.Name()},
			"into the directory that a running container has mounted", "移进运行中的容器已挂载的目录"))
	}
	steps = append(steps, e.attributeSteps(to, info)...)
	steps = append(steps, kernel.Because(kernel.RemoveAll{Path: from}, "", ""))
	return e.Door.Do(kernel.In("2.5.1", steps...)...)
}
