// Package seccomp turns a profile, a list of which system calls a container may make, into the program by which the
// kernel judges each call (seccomp(2), bpf in classic form).
//
// The way from one to the other:
//
//	profile     names of calls, with conditions on capabilities, machine and kernel       (profile.go; Docker's JSON)
//	   │ resolve: the conditions are decided
//	specs.LinuxSeccomp                                                                    (what config.json holds)
//	   │ judge: one verdict for each call                                                 (verdict.go)
//	   │ number: the verdicts as ranges of call numbers, for each ABI of the machine      (machine.go)
//	   │ assemble: a binary tree over the ranges, conditions on arguments at its leaves   (condition.go, assembler.go)
//	[]Instruction
//
// A tree, because a list of some 300 comparisons takes the kernel ten times as long to load: since Linux 5.11 it walks
// the program once for each call number to learn which calls are always allowed.
package seccomp

import (
	"fmt"
	"io"

	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel/capability"
)

//go:generate go run ./internal/generate
//go:generate go test . -run TestUsualProgram -update

// Instruction is one step of the program, laid out as the kernel's struct sock_filter.
type Instruction struct {
	Code   uint16
	JT, JF uint8 // how many instructions to skip if the comparison holds, and if not
	K      uint32
}

// Default compiles Docker's default profile for a process that can have the capabilities caps (bit N is capability N)
// at most, on a kernel of the version given, for the kind of machine that this binary is for. What most containers get
// is there already, compiled: it costs nothing, where compiling costs 0.1 ms. The program may be shared: to be read only.
func Default(caps uint64, kernel Version) ([]Instruction, error) {
	if caps&decisive == uint64(capability.Default)&decisive && kernel.atLeast(Version{newestMajor, newestMinor}) {
		return usual[:], nil
	}
	return Compile(DefaultSpec(caps, kernel))
}

// DefaultSpec is Docker's default profile for such a process, as config.json writes it. Its slices are shared: to be
// read only.
func DefaultSpec(caps uint64, kernel Version) *specs.LinuxSeccomp {
	return defaultProfile.resolve(native, caps, kernel)
}

// Load reads a profile in Docker's JSON format and compiles it. A profile without any content ({}) is no filter: an
// empty program.
func Load(r io.Reader, caps uint64, kernel Version) ([]Instruction, error) {
	spec, err := LoadSpec(r, caps, kernel)
	if err != nil || spec == nil {
		return nil, err
	}
	return Compile(spec)
}

// LoadSpec reads a profile in Docker's JSON format, as config.json writes it; nil for a profile without any content.
func LoadSpec(r io.Reader, caps uint64, kernel Version) (*specs.LinuxSeccomp, error) {
	p, err := parse(r)
	if err != nil {
		return nil, fmt.Errorf("read seccomp profile: %w", err)
	}
	if p.DefaultAction == "" && len(p.Syscalls) == 0 {
		return nil, nil
	}
	return p.resolve(native, caps, kernel), nil
}

// Compile makes the program for a config.json's linux.seccomp (OCI runtime-spec, config-linux.md). As with runc and
// libseccomp, calls whose name this machine does not know are passed over. The flags are for whoever loads the program.
func Compile(spec *specs.LinuxSeccomp) ([]Instruction, error) {
	program, err := compile(spec, native)
	if err != nil {
		return nil, fmt.Errorf("compile seccomp profile: %w", err)
	}
	return program, nil
}
