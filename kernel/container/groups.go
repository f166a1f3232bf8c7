package container

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/cgroup"
	"sandbox/kernel"
)

// groups is the machine's control groups as a container has them: below the usual parent, or below that of --cgroup-parent. A link in
// the container's directory remembers it, for those who know no more of a container than its id.
func (e *Engine) groups(id string) cgroup.Host {
	parent, err := os.Readlink(e.Paths.parent(id))
	if err != nil {
		return e.Groups
	}
	return e.Groups.Under(parent)
}

// rememberParent makes that link.
func (e *Engine) rememberParent(r *Record) error {
	if r.HostConfig.CgroupParent == "" {
		return nil
	}
	return e.Door.Do(kernel.Step{
		Effect: kernel.Symlink{Target: r.HostConfig.CgroupParent, Path: e.Paths.parent(r.ID)}, Section: "3.5",
		Why: kernel.Why{EN: "--cgroup-parent: where its groups are found", ZH: "--cgroup-parent：它的 cgroup 在哪里"},
	})
}

// checkParent refuses what is no path of a group, and a parent where there are no groups at all.
func (e *Engine) checkParent(parent string) error {
	switch {
	case parent == "":
		return nil
	case strings.Contains("/"+parent+"/", "/../") || strings.ContainsAny(parent, "\n\x00"):
		return kernel.Advise(fmt.Errorf("invalid --cgroup-parent: %q", parent), "the path of a group below the top of the tree, as in: --cgroup-parent /jobs/night")
	case !e.Groups.Available():
		return kernel.Advise(fmt.Errorf("--cgroup-parent needs control groups: %w", e.Groups.Unavailable()), "%s", e.Groups.Cure.EN)
	}
	return nil
}

// cgroupsPath is the group as config.json has it.
func cgroupsPath(r *Record) string {
	if parent := r.HostConfig.CgroupParent; parent != "" {
		return path.Join("/", parent, r.ID)
	}
	return "/sandbox/" + r.ID
}

// parseDeviceRule reads a --device-cgroup-rule as Docker does: "c 1:3 rwm", with * for any number.
func parseDeviceRule(s string) (specs.LinuxDeviceCgroup, error) {
	words := strings.Fields(s)
	wrong := kernel.Advise(fmt.Errorf("invalid --device-cgroup-rule: %q", s), "'c 1:3 rwm': a, b or c, then MAJOR:MINOR (* for any), then some of r, w, m")
	if len(words) != 3 || !strings.Contains("a b c", words[0]) || len(words[0]) != 1 || !isAccess(words[2]) {
		return specs.LinuxDeviceCgroup{}, wrong
	}
	major, minor, ok := strings.Cut(words[1], ":")
	first, err1 := deviceNumber(major)
	second, err2 := deviceNumber(minor)
	if !ok || err1 != nil || err2 != nil {
		return specs.LinuxDeviceCgroup{}, wrong
	}
	return specs.LinuxDeviceCgroup{Allow: true, Type: words[0], Major: &first, Minor: &second, Access: words[2]}, nil
}

func isAccess(s string) bool { return s != "" && len(s) <= 3 && strings.Trim(s, "rwm") == "" }

// deviceNumber reads a number that the kernel has room for; -1 is any.
func deviceNumber(s string) (int64, error) {
	if s == "*" {
		return -1, nil
	}
	n, err := strconv.ParseUint(s, 10, 20)
	return int64(n), err
}

// checkDeviceRules refuses rules that nobody would keep: an ordinary user's containers have none, since the user has no devices to give.
func (e *Engine) checkDeviceRules(hc HostConfig) error {
	for _, s := range hc.DeviceCgroupRules {
		if _, err := parseDeviceRule(s); err != nil {
			return err
		}
		if !e.Groups.Available() || e.Groups.Delegated {
			return kernel.Advise(fmt.Errorf("--device-cgroup-rule %q: only root of the machine can make rules for devices", s), "run it as root; --device NODE gives a device that you may use yourself")
		}
	}
	return nil
}
