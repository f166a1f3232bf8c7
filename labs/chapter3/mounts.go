package chapter3

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"sandbox/kernel"
	"sandbox/kernel/container"
)

// allMounts reads -v, --mount and --tmpfs; two on one place are refused.
func (o *createOptions) allMounts() ([]container.MountOption, error) {
	var list []container.MountOption
	for _, s := range o.volumes {
		m, err := parseVolume(s)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	for _, s := range o.mounts {
		m, err := parseMount(s)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	for _, s := range o.tmpfs {
		dir, options, _ := strings.Cut(s, ":")
		m := container.MountOption{Type: "tmpfs", Target: dir, Options: []string{"nosuid", "nodev", "noexec"}}
		if options != "" {
			m.Options = append(m.Options, strings.Split(options, ",")...)
		}
		list = append(list, m)
	}
	seen := map[string]bool{}
	for i, m := range list {
		if !filepath.IsAbs(m.Target) {
			return nil, kernel.Advise(fmt.Errorf("invalid mount path: %q is not absolute", m.Target), "name where it goes from the container's root: /%s", m.Target)
		}
		list[i].Target = filepath.Clean(m.Target)
		if list[i].Target == "/" {
			return nil, kernel.Advise(fmt.Errorf("invalid mount path: the container's root itself"), "choose a directory below /")
		}
		if seen[list[i].Target] {
			return nil, kernel.Advise(fmt.Errorf("two mounts on one place: %s", list[i].Target), "leave one of them out")
		}
		seen[list[i].Target] = true
	}
	return list, nil
}

// parseVolume reads SOURCE:DIR[:OPTIONS].
func parseVolume(s string) (container.MountOption, error) {
	parts := strings.Split(s, ":")
	m := container.MountOption{Type: "bind", MakeSource: true}
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" {
		return m, kernel.Advise(fmt.Errorf("invalid volume: %q", s), "-v /DIR/ON/HOST:/DIR/IN/CONTAINER[:ro]")
	}
	m.Source, m.Target = parts[0], parts[1]
	switch {
	case strings.HasPrefix(m.Source, "."):
		m.Source, _ = filepath.Abs(m.Source)
	case !filepath.IsAbs(m.Source):
		return m, kernel.Advise(fmt.Errorf("%q is the name of a volume: there are none yet", m.Source), "name a directory of the host: -v $PWD/%s:%s", m.Source, m.Target)
	}
	if len(parts) < 3 {
		return m, nil
	}
	for _, option := range strings.Split(parts[2], ",") {
		switch option {
		case "ro":
			m.ReadOnly = true
		case "rw", "z", "Z", "cached", "delegated", "consistent", "nocopy", "":
		case "private", "rprivate", "slave", "rslave", "shared", "rshared":
			m.Propagation = option
		default:
			return m, kernel.Advise(fmt.Errorf("invalid volume: unknown option %q", option), "ro, rw, or a propagation: rprivate, rslave, rshared")
		}
	}
	return m, nil
}

// parseMount reads the comma-separated words of --mount.
func parseMount(s string) (container.MountOption, error) {
	m := container.MountOption{Type: "volume"}
	for _, word := range strings.Split(s, ",") {
		key, value, hasValue := strings.Cut(word, "=")
		if err := setMountWord(&m, strings.ToLower(key), value, hasValue); err != nil {
			return m, err
		}
	}
	switch {
	case m.Target == "":
		return m, kernel.Advise(fmt.Errorf("invalid mount: %q has no target", s), "--mount type=bind,source=/DIR/ON/HOST,target=/DIR/IN/CONTAINER")
	case m.Type == "volume":
		return m, kernel.Advise(fmt.Errorf("mounts of type volume do not exist yet"), "type=bind,source=/DIR/ON/HOST or type=tmpfs")
	case m.Type != "bind" && m.Type != "tmpfs":
		return m, kernel.Advise(fmt.Errorf("invalid mount type: %q", m.Type), "type=bind or type=tmpfs")
	case m.Type == "bind" && !filepath.IsAbs(m.Source):
		return m, kernel.Advise(fmt.Errorf("invalid mount: the source %q is not an absolute path", m.Source), "source=$PWD/%s", m.Source)
	case m.Type == "tmpfs" && m.Source != "":
		return m, kernel.Advise(fmt.Errorf("invalid mount: a tmpfs has no source"), "leave source=%s out", m.Source)
	}
	if m.Type == "tmpfs" {
		m.Options = append([]string{"nosuid", "nodev", "noexec"}, m.Options...)
	}
	return m, nil
}

func setMountWord(m *container.MountOption, key, value string, hasValue bool) error {
	switch key {
	case "type":
		m.Type = strings.ToLower(value)
	case "source", "src":
		m.Source = value
	case "target", "destination", "dst":
		m.Target = value
	case "readonly", "ro":
		on, err := strconv.ParseBool(value)
		if hasValue && err != nil {
			return kernel.Advise(fmt.Errorf("invalid mount: %s=%q", key, value), "%s=true or %s=false", key, key)
		}
		m.ReadOnly = on || !hasValue
	case "bind-propagation":
		m.Propagation = value
	case "bind-nonrecursive":
		m.NonRecursive = value == "" || value == "true"
	case "tmpfs-size":
		size, err := parseSize(value)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid mount: tmpfs-size=%q", value), "tmpfs-size=64m")
		}
		m.Options = append(m.Options, fmt.Sprintf("size=%d", size))
	case "tmpfs-mode":
		m.Options = append(m.Options, "mode="+value)
	default:
		return kernel.Advise(fmt.Errorf("invalid mount: unknown word %q", key), "type, source, target, readonly, bind-propagation, tmpfs-size, tmpfs-mode")
	}
	return nil
}
