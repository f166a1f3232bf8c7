package chapter3

import (
	"encoding/csv"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/limits"
)

// mountFlag is one --mount while it is read, word by word.
type mountFlag struct {
	option container.MountOption
	shown  container.Mount   // as Docker's API has it
	groups map[string]string // "bind", "volume", "tmpfs": a word that is only for this type
}

// parseMount reads the comma-separated words of --mount; a word with a comma in it is quoted as in CSV.
func parseMount(s string) (container.MountOption, container.Mount, error) {
	f := &mountFlag{groups: map[string]string{}}
	f.option.Type = "volume"
	words, err := csv.NewReader(strings.NewReader(s)).Read()
	if err != nil {
		return f.option, f.shown, kernel.Advise(fmt.Errorf("invalid mount: %q: %w", s, err), "--mount type=bind,source=/DIR/ON/HOST,target=/DIR/IN/CONTAINER")
	}
	for _, word := range words {
		key, value, hasValue := strings.Cut(word, "=")
		if err := f.set(strings.ToLower(strings.TrimSpace(key)), value, hasValue); err != nil {
			return f.option, f.shown, err
		}
	}
	if err := f.check(s); err != nil {
		return f.option, f.shown, err
	}
	m, shown := &f.option, &f.shown
	shown.Type, shown.Source, shown.Target, shown.ReadOnly = m.Type, m.Source, m.Target, m.ReadOnly
	if m.Type == "tmpfs" {
		m.Options = append([]string{"nosuid", "nodev", "noexec"}, m.Options...)
	}
	return *m, *shown, nil
}

// check looks at what the words say together.
func (f *mountFlag) check(s string) error {
	m := &f.option
	if m.Type == "bind" && strings.HasPrefix(m.Source, ".") {
		m.Source, _ = filepath.Abs(m.Source)
	}
	switch {
	case !slices.Contains([]string{"bind", "volume", "tmpfs"}, m.Type):
		return kernel.Advise(fmt.Errorf("invalid mount type: %q", m.Type), "type=bind, type=volume or type=tmpfs")
	case m.Target == "":
		return kernel.Advise(fmt.Errorf("invalid mount: %q has no target", s), "--mount type=bind,source=/DIR/ON/HOST,target=/DIR/IN/CONTAINER")
	case m.Type == "bind" && !filepath.IsAbs(m.Source):
		return kernel.Advise(fmt.Errorf("invalid mount: the source %q is not an absolute path", m.Source), "source=$PWD/%s", m.Source)
	case m.Type == "tmpfs" && m.Source != "":
		return kernel.Advise(errors.New("invalid mount: a tmpfs has no source"), "leave source=%s out", m.Source)
	case m.Type == "volume" && m.Subpath != "" && m.Source == "":
		return kernel.Advise(errors.New("invalid mount: an anonymous volume is empty, there is no part of it to mount"), "name the volume: source=NAME")
	}
	for group, word := range f.groups {
		if group != m.Type {
			return kernel.Advise(fmt.Errorf("invalid mount: cannot mix %s with mount type %s", word, m.Type), "type=%s, or leave %s out", group, word)
		}
	}
	if m.ReadOnlyAll && m.Propagation != "" && m.Propagation != "rprivate" {
		return kernel.Advise(errors.New("invalid mount: bind-recursive=readonly requires bind-propagation=rprivate"), "bind-propagation=rprivate")
	}
	if (m.ReadOnlyAll || m.ReadOnlyTop) && !m.ReadOnly {
		return kernel.Advise(errors.New("invalid mount: bind-recursive=readonly and bind-recursive=writable are for mounts that are read-only"), "add readonly")
	}
	return nil
}

// set reads one word.
func (f *mountFlag) set(key, value string, hasValue bool) error {
	m := &f.option
	if group, _, ok := strings.Cut(key, "-"); ok {
		f.groups[group] = key
	}
	switch key {
	case "type":
		m.Type = strings.ToLower(value)
	case "source", "src":
		m.Source = value
	case "target", "destination", "dst":
		m.Target = value
	case "readonly", "ro":
		return setBool(&m.ReadOnly, key, value, hasValue)
	case "consistency":
		f.shown.Consistency = value
	default:
		switch strings.SplitN(key, "-", 2)[0] {
		case "bind":
			return f.setBind(key, value, hasValue)
		case "volume":
			return f.setVolume(key, value, hasValue)
		case "tmpfs":
			return f.setTmpfs(key, value)
		}
		return unknownWord(key)
	}
	return nil
}

func unknownWord(key string) error {
	return kernel.Advise(fmt.Errorf("invalid mount: unknown word %q", key),
		"type source target readonly · bind-propagation bind-recursive · volume-nocopy volume-subpath volume-label volume-opt · tmpfs-size tmpfs-mode")
}

func setBool(to *bool, key, value string, hasValue bool) error {
	on, err := strconv.ParseBool(value)
	if hasValue && err != nil {
		return kernel.Advise(fmt.Errorf("invalid mount: %s=%q", key, value), "%s=true or %s=false", key, key)
	}
	*to = on || !hasValue
	return nil
}

func (f *mountFlag) setBind(key, value string, hasValue bool) error {
	m := &f.option
	if f.shown.BindOptions == nil {
		f.shown.BindOptions = &container.BindOptions{}
	}
	shown := f.shown.BindOptions
	switch key {
	case "bind-propagation":
		if !slices.Contains([]string{"private", "rprivate", "slave", "rslave", "shared", "rshared"}, value) {
			return kernel.Advise(fmt.Errorf("invalid mount: bind-propagation=%q", value), "private rprivate slave rslave shared rshared")
		}
		m.Propagation, shown.Propagation = value, value
	case "bind-nonrecursive":
		err := setBool(&m.NonRecursive, key, value, hasValue)
		shown.NonRecursive = m.NonRecursive
		return err
	case "bind-create-src":
		err := setBool(&m.MakeSource, key, value, hasValue)
		shown.CreateMountpoint = m.MakeSource
		return err
	case "bind-recursive":
		switch value {
		case "enabled":
		case "disabled":
			m.NonRecursive, shown.NonRecursive = true, true
		case "writable":
			m.ReadOnlyTop, shown.ReadOnlyNonRecursive = true, true
		case "readonly":
			m.ReadOnlyAll, shown.ReadOnlyForceRecursive = true, true
		default:
			return kernel.Advise(fmt.Errorf("invalid mount: bind-recursive=%q", value), "enabled, disabled, writable or readonly")
		}
	default:
		return unknownWord(key)
	}
	return nil
}

func (f *mountFlag) setVolume(key, value string, hasValue bool) error {
	m := &f.option
	if f.shown.VolumeOptions == nil {
		f.shown.VolumeOptions = &container.VolumeOptions{}
	}
	shown := f.shown.VolumeOptions
	name, text, _ := strings.Cut(value, "=")
	switch key {
	case "volume-nocopy":
		err := setBool(&m.NoCopy, key, value, hasValue)
		shown.NoCopy = m.NoCopy
		return err
	case "volume-subpath":
		if filepath.IsAbs(value) || value == "" || !filepath.IsLocal(value) {
			return kernel.Advise(fmt.Errorf("invalid mount: volume-subpath=%q is not a path within the volume", value), "volume-subpath=DIR/IN/VOLUME")
		}
		m.Subpath, shown.Subpath = filepath.Clean(value), value
	case "volume-label":
		m.Labels = withPair(m.Labels, name, text)
		shown.Labels = m.Labels
	case "volume-driver":
		if value != "local" {
			return noDriver(value)
		}
		shown.DriverConfig = &container.DriverConfig{Name: value, Options: m.DriverOptions}
	case "volume-opt":
		m.DriverOptions = withPair(m.DriverOptions, name, text)
		shown.DriverConfig = &container.DriverConfig{Options: m.DriverOptions}
	default:
		return unknownWord(key)
	}
	return nil
}

func noDriver(name string) error {
	return kernel.Advise(fmt.Errorf("no volume driver %q", name), "the only one is local")
}

func withPair(pairs map[string]string, name, value string) map[string]string {
	if pairs == nil {
		pairs = map[string]string{}
	}
	pairs[name] = value
	return pairs
}

func (f *mountFlag) setTmpfs(key, value string) error {
	m := &f.option
	if f.shown.TmpfsOptions == nil {
		f.shown.TmpfsOptions = &container.TmpfsOptions{}
	}
	switch key {
	case "tmpfs-size":
		size, err := limits.ParseSize(value)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid mount: tmpfs-size=%q", value), "tmpfs-size=64m")
		}
		m.Options = append(m.Options, fmt.Sprintf("size=%d", size))
		f.shown.TmpfsOptions.SizeBytes = size
	case "tmpfs-mode":
		mode, err := strconv.ParseUint(value, 8, 12)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid mount: tmpfs-mode=%q", value), "octal, as chmod has it: tmpfs-mode=1777")
		}
		m.Options = append(m.Options, fmt.Sprintf("mode=%o", mode))
		f.shown.TmpfsOptions.Mode = uint32(mode)
	default:
		return unknownWord(key)
	}
	return nil
}
