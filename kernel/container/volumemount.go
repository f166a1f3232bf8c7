package container

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

// volumeMounts are -v, --mount, --tmpfs and volumes as config.json has them, parents before what lies in them.
func volumeMounts(options []MountOption, h Host) ([]specs.Mount, error) {
	var list []specs.Mount
	for _, o := range options {
		m := specs.Mount{Destination: path.Clean(o.Target), Type: o.Type, Source: o.Source, Options: slices.Clone(o.Options)}
		var err error
		switch o.Type {
		case "tmpfs":
			m.Source = "tmpfs" // a name for /proc/mounts, nothing else
			if o.ReadOnly {
				m.Options = append(m.Options, "ro")
			}
		case "image":
			if m.Options = imageOptions(o); o.ReadOnly {
				m.Options = append(m.Options, "ro")
			}
		case "bind", "volume":
			err = bindOptions(&m, o, h)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b specs.Mount) int {
		return strings.Count(a.Destination, "/") - strings.Count(b.Destination, "/")
	})
	return list, nil
}

// bindOptions turns a directory of the host, or a volume, into a bind mount. (A volume's Source is its _data here:
// resolveVolumes.) A volume of the host's own file systems is mounted as what it is.
func bindOptions(m *specs.Mount, o MountOption, h Host) error {
	kind, own := o.DriverOptions["type"], strings.Split(o.DriverOptions["o"], ",")
	isBind := slices.Contains(own, "bind") || slices.Contains(own, "rbind")
	switch {
	case len(o.DriverOptions) == 0:
		m.Type, m.Options = "bind", []string{"rbind"}
		if o.NonRecursive {
			m.Options = []string{"bind"}
		}
	case isBind:
		m.Type, m.Source, m.Options = "bind", o.DriverOptions["device"], slices.DeleteFunc(own, func(s string) bool { return s == "" })
		if o.Subpath != "" {
			m.Options = append(m.Options, optionSubpath+o.Subpath)
		}
	default:
		m.Source, m.Options = o.DriverOptions["device"], append([]string{optionFileSystem + kind}, slices.DeleteFunc(own, func(s string) bool { return s == "" })...)
		if o.Subpath != "" {
			return kernel.Advise(errors.New("a part of a volume that is a file system of its own cannot be mounted"), "leave volume-subpath out")
		}
	}
	if m.Type == "bind" {
		propagation := o.Propagation
		if propagation == "" {
			propagation = "rprivate"
		}
		m.Options = append(m.Options, propagation)
		if o.Subpath != "" && len(o.DriverOptions) == 0 {
			m.Options = append(m.Options, optionSubpath+o.Subpath)
		}
	}
	if !o.ReadOnly {
		return nil
	}
	recursive := h.AtLeast(5, 12) // mount_setattr
	if o.ReadOnlyAll && !recursive {
		return kernel.Advise(errors.New("bind-recursive=readonly needs Linux 5.12"), "bind-recursive=writable makes only the uppermost mount read-only")
	}
	if recursive && !o.ReadOnlyTop {
		m.Options = append(m.Options, optionReadOnly)
	} else {
		m.Options = append(m.Options, "ro")
	}
	return nil
}

// checkMounts holds the mounts against the host: a source must be there; -v makes a missing directory, as Docker does.
func (e *Engine) checkMounts(r *Record) error {
	for _, m := range r.MountOptions {
		if m.Type == "bind" {
			if err := e.checkSource(m); err != nil {
				return err
			}
		}
		if _, flag := r.HostConfig.Tmpfs[m.Target]; m.Type == "tmpfs" && flag {
			continue // Docker shows --tmpfs there only
		}
		r.Mounts = append(r.Mounts, e.mountPointOf(m))
	}
	return nil
}

func (e *Engine) checkSource(m MountOption) error {
	_, err := os.Stat(m.Source)
	switch {
	case err == nil:
		return nil
	case !m.MakeSource || !isMissing(err):
		return kernel.Advise(fmt.Errorf("bind source path does not exist: %s", m.Source), "mkdir -p %s", m.Source)
	}
	for _, s := range kernel.MkdirAll(m.Source, "3.3") {
		if err := e.Door.Do(s); err != nil {
			return err
		}
	}
	return nil
}

// mountPointOf is a mount as inspect shows it.
func (e *Engine) mountPointOf(m MountOption) MountPoint {
	point := MountPoint{Type: m.Type, Source: m.Source, Destination: m.Target, Mode: m.Mode, RW: !m.ReadOnly}
	switch m.Type {
	case "tmpfs", "image":
		point.Source = ""
	case "bind":
		if point.Propagation = m.Propagation; point.Propagation == "" {
			point.Propagation = "rprivate"
		}
	case "volume":
		point.Name, point.Source, point.Driver = m.Source, e.Paths.volumeData(m.Source), "local"
		if point.Mode == "" && !m.Anonymous {
			point.Mode = "z" // which Docker's daemon gives to every volume with a name
		}
	}
	return point
}

// withSources is a list of mounts with the directories that volumes are, instead of their names.
func (e *Engine) withSources(options []MountOption) []MountOption {
	list := slices.Clone(options)
	for i, m := range list {
		if m.Type == "volume" {
			list[i].Source = e.Paths.volumeData(m.Source)
		}
	}
	return list
}
