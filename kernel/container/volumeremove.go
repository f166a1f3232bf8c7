package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// VolumeInUseError is a volume that may not be removed yet.
type VolumeInUseError struct {
	Name  string
	Users []string // the containers' ids
}

func (e *VolumeInUseError) Error() string {
	return fmt.Sprintf("remove %s: volume is in use - [%s]", e.Name, strings.Join(e.Users, ", "))
}

// RemoveVolume takes a volume away that no container has.
func (e *Engine) RemoveVolume(name string) error {
	if _, err := e.Volume(name); err != nil {
		return err
	}
	gone, err := e.detachVolumes([]string{name}, "")
	if err != nil {
		return err
	}
	return e.dropVolumes(gone)
}

// detachVolumes takes volumes' names away from them, so that nobody can use them any more, if no container but one has
// them; it returns what is left to be removed. Of several volumes, those that are in use stay; of a single one it is an
// error.
func (e *Engine) detachVolumes(names []string, but string) (gone []string, err error) {
	lock, err := lockAlone(e.Paths.volumes())
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	users, err := e.VolumeUsers()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		others := slices.DeleteFunc(slices.Clone(users[name]), func(id string) bool { return id == but })
		if len(others) > 0 {
			err = &VolumeInUseError{name, others}
			continue
		}
		to := e.Paths.volumes() + "/.gone-" + suffix()
		failed := e.Door.Do(kernel.Step{
			Effect: kernel.Rename{From: e.Paths.volume(name), To: to}, Section: "3.3",
			Why: kernel.Why{EN: "from this moment on there is no such volume", ZH: "从这一刻起，这个数据卷就不存在了"},
		})
		if failed == nil {
			gone = append(gone, to)
			e.Event(NewEvent("volume", "destroy", name, "driver", "local"))
		} else if !errors.Is(failed, unix.ENOENT) {
			err = failed
		}
	}
	if len(names) > 1 {
		var inUse *VolumeInUseError
		if errors.As(err, &inUse) {
			err = nil
		}
	}
	return gone, err
}

// dropVolumes removes what detachVolumes has taken the names from.
func (e *Engine) dropVolumes(gone []string) error {
	var errs []error
	for _, dir := range gone {
		errs = append(errs, e.Door.Do(kernel.Step{
			Effect: kernel.RemoveAll{Path: dir}, Section: "3.3",
			Why: kernel.Why{EN: "what was in the volume is lost", ZH: "卷里的数据就此删除"},
		}))
	}
	return errors.Join(errs...)
}

// removeOwnVolumes removes the anonymous volumes of a container that is going, but not those that another one has too
// (--volumes-from).
func (e *Engine) removeOwnVolumes(id string) {
	data, err := os.ReadFile(e.Paths.ownVolumes(id))
	if err != nil {
		return
	}
	names := slices.DeleteFunc(strings.Fields(string(data)), func(name string) bool {
		_, err := e.Volume(name)
		return err != nil
	})
	if len(names) == 0 {
		return
	}
	gone, _ := e.detachVolumes(names, id)
	e.dropVolumes(gone)
}

// PruneVolumes removes the volumes that no container has and that match wants gone, and tells how many bytes they had.
func (e *Engine) PruneVolumes(match func(*Volume) bool) (names []string, freed int64, err error) {
	list, err := e.Volumes()
	if err != nil {
		return nil, 0, err
	}
	for _, v := range list {
		if !match(v) {
			continue
		}
		size := e.VolumeSize(v)
		err := e.RemoveVolume(v.Name)
		var inUse *VolumeInUseError
		var missing *NoVolumeError
		if errors.As(err, &inUse) || errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return names, freed, err
		}
		names, freed = append(names, v.Name), freed+size
	}
	return names, freed, nil
}

// VolumeSize is what a volume takes on the disk, in bytes. A file with several names counts once; what cannot be read does
// not count.
func (e *Engine) VolumeSize(v *Volume) (total int64) {
	seen := map[uint64]bool{}
	filepath.WalkDir(v.Mountpoint, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && !seen[st.Ino] {
			seen[st.Ino] = st.Nlink > 1
			total += st.Blocks * 512
		}
		return nil
	})
	return total
}
