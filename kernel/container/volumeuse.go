package container

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"sandbox/kernel"
)

// planMounts finds out what is to be mounted where: what the flags say, what other containers have (--volumes-from), and an
// anonymous volume for each VOLUME that none of these covers. As with Docker a flag wins over --volumes-from, and
// that over a VOLUME. Nothing is made yet.
func (e *Engine) planMounts(r *Record, explicit []MountOption) error {
	taken := map[string]bool{}
	for _, m := range explicit {
		taken[m.Target] = true
	}
	inherited := map[string]MountOption{}
	for _, from := range r.HostConfig.VolumesFrom {
		list, err := e.mountsOf(from)
		if err != nil {
			return err
		}
		for _, m := range list {
			if !taken[m.Target] {
				inherited[m.Target] = m
			}
		}
	}
	list := slices.Clone(explicit)
	for _, target := range slices.Sorted(maps.Keys(inherited)) {
		taken[target] = true
		list = append(list, inherited[target])
	}
	for _, dir := range slices.Sorted(maps.Keys(r.Config.Volumes)) {
		if target := path.Clean("/" + dir); !taken[target] && target != "/" {
			taken[target] = true
			list = append(list, MountOption{Type: "volume", Target: target})
		}
	}
	for i, m := range list {
		if m.Type == "volume" {
			if err := e.planVolume(&list[i]); err != nil {
				return err
			}
		}
	}
	r.MountOptions = list
	return nil
}

// mountsOf is what --volumes-from CONTAINER[:ro] takes over: volumes and directories of the host, but nothing in memory.
func (e *Engine) mountsOf(from string) ([]MountOption, error) {
	name, mode, _ := strings.Cut(from, ":")
	readOnly := false
	for _, word := range strings.Split(mode, ",") {
		switch word {
		case "ro":
			readOnly = true
		case "", "rw", "z", "Z":
		default:
			return nil, kernel.Advise(fmt.Errorf("invalid --volumes-from: mode %q", mode), "--volumes-from %s or --volumes-from %s:ro", name, name)
		}
	}
	other, err := e.Get(name)
	if err != nil {
		return nil, fmt.Errorf("--volumes-from: %w", err)
	}
	var list []MountOption
	for _, m := range other.MountOptions {
		if m.Type == "bind" || m.Type == "volume" {
			m.ReadOnly = m.ReadOnly || readOnly
			list = append(list, m)
		}
	}
	return list, nil
}

// planVolume gives an anonymous volume its name, and finds out what the volume is made of.
func (e *Engine) planVolume(m *MountOption) error {
	if m.Source == "" {
		m.Source, m.Anonymous, m.Labels = newID(), true, withLabel(m.Labels, LabelAnonymous)
	}
	if err := checkVolumeName(m.Source); err != nil {
		return err
	}
	v, err := e.Volume(m.Source)
	var missing *NoVolumeError
	switch {
	case err == nil:
		m.DriverOptions = v.Options
	case !errors.As(err, &missing):
		return err
	}
	return checkVolumeOptions(m.DriverOptions)
}

// volumeNames are the volumes that a container has, and those of them that go with it when it is removed with its
// volumes: those that nobody has given a name to.
func (r *Record) volumeNames() (all, anonymous []string) {
	for _, m := range r.MountOptions {
		if m.Type != "volume" {
			continue
		}
		if !slices.Contains(all, m.Source) {
			all = append(all, m.Source)
		}
		if m.Anonymous && !slices.Contains(anonymous, m.Source) {
			anonymous = append(anonymous, m.Source)
		}
	}
	return all, anonymous
}

// claimVolumes makes the volumes of a container that do not exist yet, and fills those that are empty with what the image
// has in their place. The container's config.json, which names them, is written by now: nobody removes them any more.
func (e *Engine) claimVolumes(r *Record) error {
	all, anonymous := r.volumeNames()
	if len(all) == 0 {
		return nil
	}
	if len(anonymous) > 0 {
		err := e.Door.Do(kernel.Step{
			Effect: kernel.CreateFile{Path: e.Paths.ownVolumes(r.ID), Data: strings.Join(anonymous, "\n"), Mode: 0o600}, Section: "2.5.1",
			Why: kernel.Why{EN: "these volumes go when the container goes, should the command be killed", ZH: "命令若中途被杀，这些匿名卷随容器一起清理"},
		})
		if err != nil {
			return err
		}
	}
	if err := e.ensureVolumes(r); err != nil {
		return err
	}
	for _, m := range r.MountOptions {
		if m.Type == "volume" && !m.NoCopy && m.Subpath == "" && len(m.DriverOptions) == 0 {
			if err := e.fillVolume(r, m); err != nil {
				return err
			}
		}
		if err := e.checkSubpath(m); err != nil {
			return err
		}
	}
	return nil
}

// checkSubpath looks whether the part of a volume that is to be mounted is there, for a better message than the kernel's.
func (e *Engine) checkSubpath(m MountOption) error {
	if m.Type != "volume" || m.Subpath == "" || len(m.DriverOptions) > 0 {
		return nil
	}
	if _, err := os.Lstat(e.Paths.volumeData(m.Source) + "/" + m.Subpath); err != nil {
		return kernel.Advise(fmt.Errorf("cannot access the part of volume %s that is to be mounted: %w", m.Source, err),
			"sandbox run --rm -v %s:/volume base mkdir -p /volume/%s", m.Source, m.Subpath)
	}
	return nil
}

func (e *Engine) ensureVolumes(r *Record) error {
	lock, err := e.growVolumes()
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, m := range r.MountOptions {
		if m.Type != "volume" {
			continue
		}
		if _, err := e.ensureVolume(m.Source, m.Labels, m.DriverOptions); err != nil {
			return err
		}
	}
	return nil
}

// ownVolumes is a file that lists the container's anonymous volumes, one a line. A container's directory without a
// record, but with this file, is one that was never finished, or is being removed with its volumes.
func (p Paths) ownVolumes(id string) string { return p.dir(id) + "/volumes" }

// VolumeUsers tells which containers have which volumes: their ids, by the volumes' names.
func (e *Engine) VolumeUsers() (map[string][]string, error) {
	entries, err := os.ReadDir(e.Paths.containers())
	if err != nil && !isMissing(err) {
		return nil, err
	}
	users := map[string][]string{}
	for _, entry := range entries {
		for _, name := range e.volumesOf(entry.Name()) {
			users[name] = append(users[name], entry.Name())
		}
	}
	return users, nil
}

// volumesOf reads them from the record, or, of a container that has none yet, from its config.json. One without that has
// not asked for its volumes yet.
func (e *Engine) volumesOf(id string) []string {
	if r, err := e.Paths.load(id); err == nil {
		all, _ := r.volumeNames()
		return all
	}
	data, err := os.ReadFile(e.Paths.spec(id))
	if err != nil {
		return nil
	}
	var spec struct{ Annotations map[string]string }
	if json.Unmarshal(data, &spec) != nil {
		return nil
	}
	return strings.Fields(spec.Annotations[annotationVolumes])
}
