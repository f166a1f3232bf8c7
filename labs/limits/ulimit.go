package limits

import (
	"fmt"
	"strconv"
	"strings"

	"sandbox/kernel"
	"sandbox/kernel/container"
)

// ParseUlimits reads --ulimit: NAME=SOFT[:HARD].
func ParseUlimits(list []string) ([]container.Ulimit, error) {
	var limits []container.Ulimit
	for _, s := range list {
		name, value, _ := strings.Cut(s, "=")
		soft, hard, both := strings.Cut(value, ":")
		if !both {
			hard = soft
		}
		u := container.Ulimit{Name: strings.ToLower(name)}
		var err1, err2 error
		u.Soft, err1 = strconv.ParseInt(soft, 10, 64)
		u.Hard, err2 = strconv.ParseInt(hard, 10, 64)
		known := false
		for _, r := range kernel.Resources {
			known = known || r == u.Name
		}
		switch {
		case !known:
			return nil, kernel.Advise(fmt.Errorf("invalid --ulimit: unknown resource %q", name), "one of: %s", strings.Join(kernel.Resources[:], " "))
		case err1 != nil || err2 != nil:
			return nil, kernel.Advise(fmt.Errorf("invalid --ulimit: %q", s), "--ulimit %s=SOFT[:HARD], numbers; -1 for no limit", name)
		case u.Hard >= 0 && (u.Soft > u.Hard || u.Soft < 0):
			return nil, kernel.Advise(fmt.Errorf("invalid --ulimit: the soft limit %d is above the hard limit %d", u.Soft, u.Hard), "--ulimit %s=%d:%d", name, u.Hard, u.Hard)
		}
		limits = append(limits, u)
	}
	return limits, nil
}
