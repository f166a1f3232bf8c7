package seccomp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel/capability"
)

// profile is Docker's format: the runtime-spec's, and conditions under which a rule counts. See "Seccomp security
// profiles for Docker" in Docker's manual.
type profile struct {
	DefaultAction    specs.LinuxSeccompAction `json:"defaultAction"`
	DefaultErrnoRet  *uint                    `json:"defaultErrnoRet"`
	Architectures    []specs.Arch             `json:"architectures"`
	ArchMap          []architecture           `json:"archMap"`
	Flags            []specs.LinuxSeccompFlag `json:"flags"`
	ListenerPath     string                   `json:"listenerPath"`
	ListenerMetadata string                   `json:"listenerMetadata"`
	Syscalls         []rule                   `json:"syscalls"`
}

// architecture is a machine, with the other ABIs that its kernel can serve: 32-bit programs on a 64-bit machine.
type architecture struct {
	Arch      specs.Arch   `json:"architecture"`
	SubArches []specs.Arch `json:"subArchitectures"`
}

// rule says what happens to some calls, if all of Includes and nothing of Excludes is the case.
type rule struct {
	specs.LinuxSyscall
	Name     string `json:"name"` // of one call, in old profiles
	Includes filter `json:"includes"`
	Excludes filter `json:"excludes"`
}

// filter is a condition; an empty list and Version{} are none.
type filter struct {
	Caps      []string `json:"caps"`
	Arches    []string `json:"arches"` // as GOARCH spells it
	MinKernel Version  `json:"minKernel"`
}

// Version is a kernel's: 6 and 18 of 6.18.44.
type Version struct{ Major, Minor int }

func (v Version) atLeast(w Version) bool {
	return v.Major > w.Major || v.Major == w.Major && v.Minor >= w.Minor
}

// UnmarshalText reads "4.8".
func (v *Version) UnmarshalText(text []byte) error {
	major, minor, _ := strings.Cut(string(text), ".")
	a, err1 := strconv.ParseUint(major, 10, 16)
	b, err2 := strconv.ParseUint(minor, 10, 16)
	if err1 != nil || err2 != nil || a == 0 && b == 0 {
		return fmt.Errorf("%q is no kernel version: two numbers are expected, as in 4.8", text)
	}
	*v = Version{int(a), int(b)}
	return nil
}

// parse reads the JSON form and checks what only this form can have wrong.
func parse(r io.Reader) (*profile, error) {
	p := new(profile)
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, err
	}
	if len(p.Architectures) > 0 && len(p.ArchMap) > 0 {
		return nil, errors.New("both architectures and archMap are given: only one of them can be")
	}
	for i := range p.Syscalls {
		if err := p.Syscalls[i].check(); err != nil {
			return nil, fmt.Errorf("syscalls[%d]: %w", i, err)
		}
	}
	return p, nil
}

// check puts the old single name among the names, and looks for capabilities that do not exist.
func (r *rule) check() error {
	if r.Name != "" && len(r.Names) > 0 {
		return errors.New("both name and names are given: only one of them can be")
	}
	if r.Name != "" {
		r.Names = []string{r.Name}
	}
	for _, name := range slices.Concat(r.Includes.Caps, r.Excludes.Caps) {
		if capabilityBit(name) != 0 {
			continue
		}
		// Docker never finds such a capability and takes the condition as not met: a mistake that nobody notices.
		if _, err := capability.Parse(name); err != nil {
			return err
		}
		return fmt.Errorf("capability %q has to be written in full, as in CAP_SYS_ADMIN", name)
	}
	return nil
}

// capabilityBit is the bit of a capability in its exact spelling; 0 for an unknown one.
func capabilityBit(name string) uint64 {
	for n := range capability.Count {
		if capability.Name(n) == name {
			return 1 << n
		}
	}
	return 0
}

// resolve decides the conditions. The result shares slices with the profile.
func (p *profile) resolve(m *machine, caps uint64, kernel Version) *specs.LinuxSeccomp {
	spec := &specs.LinuxSeccomp{
		DefaultAction:    p.DefaultAction,
		DefaultErrnoRet:  p.DefaultErrnoRet,
		Architectures:    p.Architectures,
		Flags:            p.Flags,
		ListenerPath:     p.ListenerPath,
		ListenerMetadata: p.ListenerMetadata,
		Syscalls:         make([]specs.LinuxSyscall, 0, len(p.Syscalls)),
	}
	for _, a := range p.ArchMap {
		if a.Arch == m.abis[0].name {
			spec.Architectures = append([]specs.Arch{a.Arch}, a.SubArches...)
			break
		}
	}
	for i := range p.Syscalls {
		r := &p.Syscalls[i]
		if r.Includes.met(m, caps, kernel) && !r.Excludes.touched(m, caps, kernel) {
			spec.Syscalls = append(spec.Syscalls, r.LinuxSyscall)
		}
	}
	return spec
}

// met says that all that is asked for is there.
func (f *filter) met(m *machine, caps uint64, kernel Version) bool {
	if len(f.Arches) > 0 && !slices.Contains(f.Arches, m.goarch) {
		return false
	}
	for _, name := range f.Caps {
		if caps&capabilityBit(name) == 0 {
			return false
		}
	}
	return kernel.atLeast(f.MinKernel)
}

// touched says that something of what is ruled out is there.
func (f *filter) touched(m *machine, caps uint64, kernel Version) bool {
	if slices.Contains(f.Arches, m.goarch) {
		return true
	}
	for _, name := range f.Caps {
		if caps&capabilityBit(name) != 0 {
			return true
		}
	}
	return f.MinKernel != Version{} && kernel.atLeast(f.MinKernel)
}
