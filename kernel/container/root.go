package container

import (
	"fmt"
	"os"

	"sandbox/kernel"
)

// makeRoot makes the directories that all containers share, for the very first container and the first after a reboot.
func (e *Engine) makeRoot() error {
	p := e.Paths
	if exists(p.view()) && exists(p.mountPoints()) {
		return nil
	}
	for _, dir := range []string{p.containers(), p.names(), p.mountPoint(), p.view()} {
		for _, s := range kernel.MkdirAll(dir, "2.3") {
			if err := e.Door.Do(s); err != nil {
				return err
			}
		}
		if _, err := os.Stat(dir); err != nil {
			return kernel.Advise(fmt.Errorf("cannot make %s: %w", dir, err), "choose another place: --root DIR or $SANDBOX_ROOT")
		}
	}
	return e.makeMountPoints()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// makeMountPoints makes the lowest layer of every container: the names that something is mounted on. An image that lacks
// them (one from scratch lacks all) would otherwise get them in the container's own layer, where `diff` and `commit` take
// them for something that the container has made. Being lowest, it hides nothing of the image.
func (e *Engine) makeMountPoints() error {
	lock, err := lockAlone(e.Paths.view()) // several first containers, of a build's stages say, may come at once
	if err != nil {
		return err
	}
	defer lock.Close()
	p := e.Paths.mountPoints()
	if exists(p) {
		return nil
	}
	unfinished := p + ".new"
	why := kernel.Why{EN: "a layer below all images: names that every container has something mounted on", ZH: "垫在所有镜像下面的一层：每个容器都要用到的挂载点"}
	steps := []kernel.Step{{Effect: kernel.RemoveAll{Path: unfinished}, Optional: true}, {Effect: kernel.Mkdir{Path: unfinished, Mode: 0o755}, Why: why}}
	for _, dir := range []string{"/dev", "/etc", "/proc", "/sys"} {
		steps = append(steps, kernel.Step{Effect: kernel.Mkdir{Path: unfinished + dir, Mode: 0o755}, Why: why},
			kernel.Step{Effect: kernel.Chmod{Path: unfinished + dir, Mode: 0o755}, Why: why}) // whatever the umask
	}
	for _, file := range etcFiles {
		steps = append(steps, kernel.Step{Effect: kernel.CreateFile{Path: unfinished + "/etc/" + file, Mode: 0o644}, Why: why})
	}
	steps = append(steps, kernel.Step{Effect: kernel.Rename{From: unfinished, To: p}, Why: kernel.Why{EN: "now it is whole", ZH: "做好了才用这个名字"}})
	return e.Door.Do(kernel.In("2.3", steps...)...)
}

// rootfsOf is what a container's root directory is made of.
func (e *Engine) rootfsOf(r *Record) Rootfs {
	return Rootfs{
		LayerDir: e.Images.LayerDir(), Layers: r.Layers, Lowest: e.Paths.mountPoints(), Upper: e.Paths.upper(r.ID), Work: e.Paths.work(r.ID),
		MountPoint: e.Paths.mountPoint(),
	}
}
