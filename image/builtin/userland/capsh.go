package userland

import (
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel/capability"
)

// capabilitySets are the five sets of a process: see capabilities(7).
type capabilitySets struct {
	inheritable, permitted, effective, bounding, ambient uint64
}

func readCapabilities(pid string) (capabilitySets, error) {
	var s capabilitySets
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		mask, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err != nil {
			continue
		}
		switch name {
		case "CapInh":
			s.inheritable = mask
		case "CapPrm":
			s.permitted = mask
		case "CapEff":
			s.effective = mask
		case "CapBnd":
			s.bounding = mask
		case "CapAmb":
			s.ambient = mask
		}
	}
	return s, nil
}

// capabilityNames lists a set in numerical order: cap_chown,cap_kill. The kernel may know more than we have names for.
func capabilityNames(set uint64) string {
	var names []string
	for set != 0 {
		n := bits.TrailingZeros64(set)
		set &^= 1 << n
		if n < capability.Count {
			names = append(names, strings.ToLower(capability.Name(n)))
		} else {
			names = append(names, strconv.Itoa(n))
		}
	}
	return strings.Join(names, ",")
}

// knownCapabilities is the set of all that this kernel has.
func knownCapabilities() uint64 {
	last, err := readNumber("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		last = capability.Count - 1
	}
	return 1<<(last+1) - 1
}

// text is cap_to_text(3)'s notation: what most capabilities have in common stands first, =ep, then the exceptions.
// e is effective, i inheritable, p permitted.
func (s capabilitySets) text(known uint64) string {
	var groups [8]uint64 // which capabilities are in which combination of the three sets
	for set := known; set != 0; set &= set - 1 {
		n := bits.TrailingZeros64(set)
		groups[s.combination(n)] |= 1 << n
	}
	base := 0
	for combination, members := range groups {
		if bits.OnesCount64(members) > bits.OnesCount64(groups[base]) {
			base = combination
		}
	}
	var parts []string
	if base != 0 {
		parts = append(parts, "="+combinationLetters(base))
	}
	for combination := len(groups) - 1; combination >= 0; combination-- {
		members := groups[combination]
		if combination == base || members == 0 {
			continue
		}
		part := capabilityNames(members)
		added, removed := combinationLetters(combination&^base), combinationLetters(base&^combination)
		switch {
		case base == 0:
			part += "=" + added
		case added != "" && removed != "":
			part += "+" + added + "-" + removed
		case added != "":
			part += "+" + added
		default:
			part += "-" + removed
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return "="
	}
	return strings.Join(parts, " ")
}

// combination of sets that capability n is in: bit 0 effective, bit 1 inheritable, bit 2 permitted.
func (s capabilitySets) combination(n int) int {
	return int(s.effective>>n&1 | s.inheritable>>n&1<<1 | s.permitted>>n&1<<2)
}

func combinationLetters(combination int) string {
	letters := ""
	for i, letter := range "eip" {
		if combination>>i&1 == 1 {
			letters += string(letter)
		}
	}
	return letters
}

// runCapsh prints what this process may do (--print), or which capabilities a mask stands for (--decode=…).
func runCapsh(p *Process) int {
	if len(p.Args) != 2 || p.Args[1] != "--print" && !strings.HasPrefix(p.Args[1], "--decode=") {
		return p.Fail("usage: capsh --print | --decode=HEX")
	}
	if digits, ok := strings.CutPrefix(p.Args[1], "--decode="); ok {
		mask, err := strconv.ParseUint(strings.TrimPrefix(digits, "0x"), 16, 64)
		if err != nil {
			return p.Fail("not a hexadecimal number: %q", digits)
		}
		fmt.Fprintf(p.Stdout, "0x%016x=%s\n", mask, capabilityNames(mask))
		return 0
	}
	s, err := readCapabilities("self")
	if err != nil {
		return p.Fail("%v", err)
	}
	known := knownCapabilities()
	fmt.Fprintf(p.Stdout, "Current: %s\nBounding set =%s\nAmbient set =%s\n", s.text(known), capabilityNames(s.bounding), capabilityNames(s.ambient))
	fmt.Fprintf(p.Stdout, "Current IAB: %s\n", s.iab(known))
	p.printSecurebits()
	p.printIDs()
	return 0
}

// iab lists what differs from a plain process: ! cannot be had any more, ^ ambient, % inheritable.
func (s capabilitySets) iab(known uint64) string {
	var parts []string
	for set := known; set != 0; set &= set - 1 {
		n := bits.TrailingZeros64(set)
		bit := uint64(1) << n
		mark := ""
		if s.bounding&bit == 0 {
			mark = "!"
		}
		switch {
		case s.ambient&bit != 0:
			mark += "^"
		case s.inheritable&bit != 0:
			mark += "%"
		}
		if mark != "" {
			parts = append(parts, mark+capabilityNames(bit))
		}
	}
	return strings.Join(parts, ",")
}

// printSecurebits tells how user 0 is treated. Each bit has a second one that locks it.
func (p *Process) printSecurebits() {
	secure, _ := unix.PrctlRetInt(unix.PR_GET_SECUREBITS, 0, 0, 0, 0)
	noNewPrivs, _ := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	fmt.Fprintf(p.Stdout, "Securebits: %02o/%#x/%d'b%b (no-new-privs=%d)\n", secure, secure, max(1, bits.Len(uint(secure))), secure, noNewPrivs)
	for i, name := range []string{"secure-noroot", "secure-no-suid-fixup", "secure-keep-caps", "secure-no-ambient-raise"} {
		set, locked := "no", "unlocked"
		if secure>>(2*i)&1 == 1 {
			set = "yes"
		}
		if secure>>(2*i+1)&1 == 1 {
			locked = "locked"
		}
		fmt.Fprintf(p.Stdout, " %s: %s (%s)\n", name, set, locked)
	}
}

func (p *Process) printIDs() {
	users, groups := accounts{file: "/etc/passwd"}, accounts{file: "/etc/group"}
	fmt.Fprintf(p.Stdout, "uid=%d(%s) euid=%d(%s)\n", os.Getuid(), users.name(os.Getuid()), os.Geteuid(), users.name(os.Geteuid()))
	fmt.Fprintf(p.Stdout, "gid=%d(%s)\n", os.Getgid(), groups.name(os.Getgid()))
	var names []string
	ids, _ := os.Getgroups()
	for _, id := range ids {
		names = append(names, fmt.Sprintf("%d(%s)", id, groups.name(id)))
	}
	fmt.Fprintf(p.Stdout, "groups=%s\n", strings.Join(names, ","))
}

// runGetpcaps prints the capabilities of other processes.
func runGetpcaps(p *Process) int {
	if len(p.Args) < 2 {
		return p.Fail("usage: getpcaps PID…")
	}
	known, code := knownCapabilities(), 0
	for _, pid := range p.Args[1:] {
		s, err := readCapabilities(pid)
		if err != nil {
			code = p.Fail("failed to get cap's for process %s: %s", pid, causeText(err))
			continue
		}
		fmt.Fprintf(p.Stdout, "%s: %s\n", pid, s.text(known))
	}
	return code
}
