package container

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Volume is a directory that outlives containers. The fields are those that `volume inspect` shows.
//
// On disk it is volumes/NAME with two things in it: volume.json, written once, and _data, which containers see. A volume
// is made under another name (.new-…) and renamed when it is whole, and renamed (.gone-…) before it is taken apart: a
// name either has a whole volume or none, and a rename finds the name taken, whoever else tries at the same time. What a
// killed command has left under such names the next one removes.
//
// Who makes a volume, or finds it there and will use it, holds a shared lock on the directory that all of them are in;
// who removes one holds that directory alone while it looks for users and renames. A container's config.json is written
// before its volumes are asked for, and names them: so either the remover sees the user, or the user does not see the
// volume and makes it anew.
type Volume struct {
	CreatedAt  string // to the second, as Docker has it
	Driver     string
	Labels     map[string]string
	Mountpoint string
	Name       string
	Options    map[string]string // -o: type, device, o
	Scope      string
}

// LabelAnonymous marks, as with Docker, volumes that nobody has given a name to.
const LabelAnonymous = "com.docker.volume.anonymous"

// Anonymous tells whether the volume's name was made up.
func (v *Volume) Anonymous() bool { _, ok := v.Labels[LabelAnonymous]; return ok }

// NoVolumeError is a volume that does not exist.
type NoVolumeError struct{ Name string }

func (e *NoVolumeError) Error() string { return "no such volume: " + e.Name }

func (p Paths) volumes() string                { return p.State + "/volumes" }
func (p Paths) volume(name string) string      { return p.volumes() + "/" + name }
func (p Paths) volumeData(name string) string  { return p.volume(name) + "/_data" }
func (p Paths) volumeNew(name string) string   { return p.volume(name) + "/_new" }
func (p Paths) volumeRecord(dir string) string { return dir + "/volume.json" }

// Volume finds a volume by its name.
func (e *Engine) Volume(name string) (*Volume, error) {
	if !validName(name) {
		return nil, &NoVolumeError{name}
	}
	dir := e.Paths.volume(name)
	info, err := os.Stat(dir + "/_data")
	if isMissing(err) {
		return nil, &NoVolumeError{name}
	}
	if err != nil {
		return nil, err
	}
	v := &Volume{CreatedAt: info.ModTime().UTC().Format(time.RFC3339)} // should the record be damaged: the data is what counts
	if data, err := os.ReadFile(e.Paths.volumeRecord(dir)); err == nil {
		json.Unmarshal(data, v)
	}
	v.Name, v.Mountpoint, v.Driver, v.Scope = name, e.Paths.volumeData(name), "local", "local"
	return v, nil
}

// Volumes is every volume, by name. What a killed command has left is put right on the way.
func (e *Engine) Volumes() ([]*Volume, error) {
	entries, err := os.ReadDir(e.Paths.volumes())
	if err != nil && !isMissing(err) {
		return nil, err
	}
	var list []*Volume
	sweep := false
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			sweep = true
			continue
		}
		v, err := e.Volume(entry.Name())
		var gone *NoVolumeError
		switch {
		case errors.As(err, &gone): // just removed, or nothing of ours
		case err != nil:
			return nil, err
		default:
			list = append(list, v)
		}
	}
	if sweep {
		e.sweepVolumes()
	}
	return list, nil
}

// CreateVolume makes a volume, or finds the one that has the name already. "" is for a name that is made up.
func (e *Engine) CreateVolume(name string, labels, options map[string]string) (*Volume, error) {
	if name == "" {
		name, labels = newID(), withLabel(labels, LabelAnonymous)
	}
	if err := checkVolumeName(name); err != nil {
		return nil, err
	}
	if err := checkVolumeOptions(options); err != nil {
		return nil, err
	}
	lock, err := e.growVolumes()
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	return e.ensureVolume(name, labels, options)
}

func withLabel(labels map[string]string, name string) map[string]string {
	with := map[string]string{name: ""}
	for k, v := range labels {
		with[k] = v
	}
	return with
}

// growVolumes makes the directory that volumes are in, and holds it together with others who make or use one.
func (e *Engine) growVolumes() (lock *os.File, err error) {
	if !exists(e.Paths.volumes()) {
		for _, s := range kernel.MkdirAll(e.Paths.volumes(), "2.5.1") {
			if err := e.Door.Do(s); err != nil {
				return nil, err
			}
		}
	}
	return lockShared(e.Paths.volumes())
}

// ensureVolume makes a volume unless it exists. The caller holds the lock of growVolumes.
func (e *Engine) ensureVolume(name string, labels, options map[string]string) (*Volume, error) {
	v, err := e.Volume(name)
	var missing *NoVolumeError
	if !errors.As(err, &missing) {
		return v, err
	}
	record, err := json.Marshal(Volume{CreatedAt: time.Now().UTC().Format(time.RFC3339), Driver: "local", Labels: labels, Name: name, Options: options, Scope: "local"})
	if err != nil {
		return nil, err
	}
	unfinished := e.Paths.volumes() + "/.new-" + suffix()
	steps := kernel.In("2.5.1",
		kernel.Because(kernel.Mkdir{Path: unfinished, Mode: 0o711}, "a volume: a directory that outlives containers", "数据卷：一个比容器活得更久的目录"),
		kernel.Because(kernel.Mkdir{Path: unfinished + "/_data", Mode: 0o755}, "what containers will see", "容器里看到的就是它"),
		kernel.Because(kernel.Chmod{Path: unfinished + "/_data", Mode: 0o755}, "for everybody, whatever your umask", "不管你的 umask 是什么，人人可进"),
		kernel.Because(kernel.CreateFile{Path: e.Paths.volumeRecord(unfinished), Data: string(record), Mode: 0o600}, "what is known of it: volume inspect shows it", "数据卷的记录，volume inspect 显示的就是它"),
		kernel.Because(kernel.Rename{From: unfinished, To: e.Paths.volume(name)}, "now it is whole, and the name is taken", "做好了才用上这个名字"),
	)
	err = e.Door.Do(steps...)
	if err != nil {
		e.Door.Do(kernel.Step{Effect: kernel.RemoveAll{Path: unfinished}, Section: "3.3", Optional: true})
		if !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENOTEMPTY) {
			return nil, err
		} // somebody else was faster
	} else {
		e.Event(NewEvent("volume", "create", name, "driver", "local"))
	}
	return e.Volume(name)
}

func suffix() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// sweepVolumes removes what killed commands have left: volumes that were never finished, or half removed.
func (e *Engine) sweepVolumes() {
	lock, alone, err := takeLock(e.Paths.volumes())
	if err != nil || !alone {
		return
	}
	defer lock.Close()
	for _, dir := range e.unfinishedVolumes() {
		e.Door.Do(kernel.Step{
			Effect: kernel.RemoveAll{Path: dir}, Section: "3.3", Optional: true,
			Why: kernel.Why{EN: "left by a command that was killed", ZH: "被杀掉的命令留下的"},
		})
	}
}

func (e *Engine) unfinishedVolumes() (dirs []string) {
	entries, _ := os.ReadDir(e.Paths.volumes())
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".new-") || strings.HasPrefix(entry.Name(), ".gone-") {
			dirs = append(dirs, e.Paths.volume(entry.Name()))
		}
	}
	return dirs
}

// validName is Docker's rule for names: two characters or more, the first a letter or a digit.
func validName(name string) bool {
	valid := len(name) >= 2 && len(name) <= unix.NAME_MAX
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '_' && c != '.' && c != '-') {
			valid = false
		}
	}
	return valid
}

func checkVolumeName(name string) error {
	if validName(name) {
		return nil
	}
	return kernel.Advise(fmt.Errorf("%q is not a volume's name", name),
		"use two or more of a-z A-Z 0-9 _ . - and begin with a letter or a digit; a directory of the host begins with a slash or with ./")
}

// checkVolumeOptions looks at the options of the driver, which are those of mount(8).
func checkVolumeOptions(options map[string]string) error {
	for name := range options {
		if !slices.Contains([]string{"type", "device", "o"}, name) {
			return kernel.Advise(fmt.Errorf("invalid option: %q", name), "-o type=… -o device=… -o o=…, as mount(8) has them")
		}
	}
	switch {
	case len(options) == 0:
	case options["type"] == "tmpfs":
		return kernel.Advise(errors.New("a volume in memory would have to be held by somebody while no container uses it, and there is no daemon"),
			"--tmpfs DIR or --mount type=tmpfs,target=DIR gives a container one of its own")
	case options["device"] == "":
		return kernel.Advise(errors.New("missing device in volume options"), "-o type=none -o o=bind -o device=/DIR/ON/HOST")
	case options["type"] == "":
		return kernel.Advise(errors.New("missing type in volume options"), "-o type=none for a directory, -o type=ext4 for a disk")
	}
	return nil
}
