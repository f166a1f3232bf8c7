package seccomp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// call is a system call, with its number in each ABI.
type call struct {
	name    string
	numbers [5]int32
}

// columns of call.numbers.
const (
	columnX86_64 = iota
	columnX86
	columnX32
	columnAARCH64
	columnARM
)

// abi is one way in which programs call the kernel: its numbers for the calls, the width of its arguments.
type abi struct {
	name   specs.Arch
	audit  uint32 // what seccomp_data.arch shows
	bit    uint32 // what the ABI adds to its numbers, where two share an audit value
	wide   bool   // arguments have 64 bits
	column int
	order  []uint16 // indexes into calls, by number
}

// machine is a processor by its GOARCH, with its ABIs, the native one first. ABIs of one audit value stand together,
// the one with the higher bit last.
type machine struct {
	goarch string
	abis   []abi
}

// x32Bit marks the calls of x32: 32-bit pointers in the 64-bit mode of the processor.
const x32Bit = 0x40000000

// noCall is the number that a tracer writes to have a call skipped (seccomp(2)): it belongs to no ABI.
const noCall = 0xffffffff

var amd64 = machine{goarch: "amd64", abis: []abi{
	{name: specs.ArchX86_64, audit: unix.AUDIT_ARCH_X86_64, wide: true, column: columnX86_64, order: order_x86_64},
	{name: specs.ArchX32, audit: unix.AUDIT_ARCH_X86_64, bit: x32Bit, column: columnX32, order: order_x32},
	{name: specs.ArchX86, audit: unix.AUDIT_ARCH_I386, column: columnX86, order: order_x86},
}}

var arm64 = machine{goarch: "arm64", abis: []abi{
	{name: specs.ArchAARCH64, audit: unix.AUDIT_ARCH_AARCH64, wide: true, column: columnAARCH64, order: order_aarch64},
	{name: specs.ArchARM, audit: unix.AUDIT_ARCH_ARM, column: columnARM, order: order_arm},
}}

// arches are the names that a profile may use. Those that are not the machine's own are passed over.
var arches = [...]specs.Arch{
	specs.ArchX86, specs.ArchX86_64, specs.ArchX32, specs.ArchARM, specs.ArchAARCH64, specs.ArchMIPS, specs.ArchMIPS64,
	specs.ArchMIPS64N32, specs.ArchMIPSEL, specs.ArchMIPSEL64, specs.ArchMIPSEL64N32, specs.ArchPPC, specs.ArchPPC64,
	specs.ArchPPC64LE, specs.ArchS390, specs.ArchS390X, specs.ArchPARISC, specs.ArchPARISC64, specs.ArchRISCV64,
	specs.ArchLOONGARCH64, specs.ArchM68K, specs.ArchSH, specs.ArchSHEB,
}

// abisFor are the machine's ABIs that the profile covers: the native one always, as libseccomp has it.
func (m *machine) abisFor(wanted []specs.Arch) ([]abi, error) {
	for _, name := range wanted {
		if !slices.Contains(arches[:], name) {
			return nil, fmt.Errorf("unknown architecture %q: use %s", name, list(arches[:]))
		}
	}
	chosen := make([]abi, 0, len(m.abis))
	for i, a := range m.abis {
		if i == 0 || slices.Contains(wanted, a.name) {
			chosen = append(chosen, a)
		}
	}
	return chosen, nil
}

// list writes names for an error message.
func list[S ~string](names []S) string {
	var b strings.Builder
	for i, name := range names {
		switch {
		case i > 0 && i == len(names)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(name))
	}
	return b.String()
}

// callIndex finds a call in calls by its name; -1 for one that none of the ABIs has.
func callIndex(name string) int {
	i, found := slices.BinarySearchFunc(calls[:], name, func(c call, name string) int { return strings.Compare(c.name, name) })
	if !found {
		return -1
	}
	return i
}
