package chapter3

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"sandbox/kernel"
	"sandbox/kernel/container"
)

// mounted is what -v, --mount, --tmpfs and --volumes-from ask for.
type mounted struct {
	all       []container.MountOption
	anonymous map[string]struct{} // -v DIR
	binds     []string            // -v SOURCE:DIR, for inspect
	mounts    []container.Mount   // --mount, likewise
	tmpfs     map[string]string   // --tmpfs, likewise
}

// mounted reads these flags; two on one place are refused.
func (o *createOptions) mounted() (mounted, error) {
	var m mounted
	for _, s := range o.volumes {
		if !strings.Contains(s, ":") {
			if err := m.addAnonymous(s); err != nil {
				return m, err
			}
			continue
		}
		option, err := parseVolume(s)
		if err != nil {
			return m, err
		}
		m.all = append(m.all, option)
		_, rest, _ := strings.Cut(s, ":")
		m.binds = append(m.binds, option.Source+":"+rest)
	}
	for _, s := range o.mounts {
		option, shown, err := parseMount(s)
		if err != nil {
			return m, err
		}
		m.all, m.mounts = append(m.all, option), append(m.mounts, shown)
	}
	for _, s := range o.tmpfs {
		dir, options, _ := strings.Cut(s, ":")
		option := container.MountOption{Type: "tmpfs", Target: dir, Options: []string{"nosuid", "nodev", "noexec"}}
		if options != "" {
			option.Options = append(option.Options, strings.Split(options, ",")...)
		}
		m.all = append(m.all, option)
		if m.tmpfs == nil {
			m.tmpfs = map[string]string{}
		}
		m.tmpfs[filepath.Clean(dir)] = options
	}
	return m, m.checkTargets()
}

// addAnonymous reads -v DIR.
func (m *mounted) addAnonymous(dir string) error {
	if err := checkTarget(dir); err != nil {
		return err
	}
	if m.anonymous == nil {
		m.anonymous = map[string]struct{}{}
	}
	m.anonymous[filepath.Clean(dir)] = struct{}{}
	return nil
}

func checkTarget(dir string) error {
	switch {
	case !filepath.IsAbs(dir):
		return kernel.Advise(fmt.Errorf("invalid mount path: %q is not absolute", dir), "name where it goes from the container's root: /%s", dir)
	case filepath.Clean(dir) == "/":
		return kernel.Advise(errors.New("invalid mount path: the container's root itself"), "choose a directory below /")
	}
	return nil
}

func (m *mounted) checkTargets() error {
	seen := map[string]bool{}
	for i, option := range m.all {
		if err := checkTarget(option.Target); err != nil {
			return err
		}
		target := filepath.Clean(option.Target)
		if seen[target] {
			return kernel.Advise(fmt.Errorf("two mounts on one place: %s", target), "leave one of them out")
		}
		seen[target], m.all[i].Target = true, target
	}
	return nil
}

// parseVolume reads SOURCE:DIR[:OPTIONS]. A source with a slash is a directory of the host, one without a volume.
func parseVolume(s string) (container.MountOption, error) {
	parts := strings.Split(s, ":")
	var m container.MountOption
	if len(parts) > 3 || parts[0] == "" {
		return m, kernel.Advise(fmt.Errorf("invalid volume: %q", s), "-v /DIR/ON/HOST:/DIR/IN/CONTAINER[:ro] or -v NAME:/DIR/IN/CONTAINER[:ro]")
	}
	m.Type, m.Source, m.Target = "volume", parts[0], parts[1]
	if strings.HasPrefix(m.Source, ".") {
		m.Source, _ = filepath.Abs(m.Source)
	}
	if filepath.IsAbs(m.Source) {
		m.Type, m.MakeSource = "bind", true
	}
	if m.Type == "volume" && strings.Contains(m.Source, "/") {
		return m, kernel.Advise(fmt.Errorf("%q is neither the name of a volume nor an absolute path", m.Source), "-v $PWD/%s:%s or -v ./%s:%s", m.Source, m.Target, m.Source, m.Target)
	}
	if len(parts) < 3 {
		return m, nil
	}
	m.Mode = parts[2]
	return m, setVolumeWords(&m, strings.Split(parts[2], ","))
}

func setVolumeWords(m *container.MountOption, words []string) error {
	for _, word := range words {
		switch word {
		case "ro":
			m.ReadOnly = true
		case "rw", "z", "Z", "cached", "delegated", "consistent", "":
		case "nocopy":
			if m.Type == "bind" {
				return kernel.Advise(errors.New("invalid volume: nocopy is for volumes, not for directories of the host"), "leave it out: nothing is ever copied into a directory of the host")
			}
			m.NoCopy = true
		case "private", "rprivate", "slave", "rslave", "shared", "rshared":
			if m.Type == "volume" {
				return kernel.Advise(fmt.Errorf("invalid volume: %s is for directories of the host, not for volumes", word), "leave it out: nobody mounts anything in a volume")
			}
			m.Propagation = word
		default:
			return kernel.Advise(fmt.Errorf("invalid volume: unknown option %q", word), "ro, rw, nocopy, or a propagation: rprivate, rslave, rshared")
		}
	}
	return nil
}
