package network

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
)

// Each start of a container asks whether its network's rules are still there. To list them takes a dozen questions; so it is written
// down when all were there: the kernel counts the changes that anybody makes to its rules, and as long as that number is the same
// they still are.

func (s *Store) checked(n *Network) string { return filepath.Join(s.dir(n.ID), "checked") }

// rulesNow names the rules as they are now: the boot, the network namespace, the number of the last change; "" if that is not to be had.
func rulesNow() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	var space unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &space); err != nil {
		return ""
	}
	generation, err := firewall.Generation()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d\n", strings.TrimSpace(string(boot)), space.Ino, generation)
}

// unchanged tells whether nobody has changed any rule since this network's were all there.
func (s *Store) unchanged(n *Network, now string) bool {
	then, err := os.ReadFile(s.checked(n))
	return err == nil && string(then) == now
}

// lookAgain forgets it: the count knows nothing of settings that are no rules, and a new bridge has none of those that the old one had.
func (s *Store) lookAgain(n *Network) {
	if _, err := os.Stat(s.checked(n)); err == nil {
		s.Door.Do(kernel.Try(kernel.In(section, kernel.Because(kernel.Remove{Path: s.checked(n)}, "rules and settings are to be looked at again", "规则和设置要重新检查"))...)...)
	}
}

// noteChecked writes down that they are all there now.
func (s *Store) noteChecked(n *Network, now string) {
	if now != "" {
		s.Door.Do(kernel.Try(kernel.In(section, kernel.Because(kernel.ReplaceFile{Path: s.checked(n), Data: []byte(now), Mode: 0o644},
			"all rules are there: until somebody changes some, nobody needs to look again", "规则都在：在有人改动规则之前，不用再看"))...)...)
	}
}
