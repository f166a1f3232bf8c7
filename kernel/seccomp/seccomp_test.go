package seccomp

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	moby "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel/capability"
)

var machines = []*machine{&amd64, &arm64}

// TestDefaultProfileIsTheLibrarys fails when the library has a newer profile than default.go: run go generate.
func TestDefaultProfileIsTheLibrarys(t *testing.T) {
	text, err := json.Marshal(moby.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	p, err := parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*p, defaultProfile) {
		t.Error("the library's profile is not the one in default.go: run go generate ./kernel/seccomp")
	}
}

// capabilitySets are what containers are started with, and each capability by itself.
func capabilitySets() []capability.Set {
	sets := []capability.Set{0, capability.Default, capability.All}
	for n := range capability.Count {
		sets = append(sets, 1<<n)
	}
	return sets
}

// TestDefaultDecidesLikeTheLibrarysProfile goes through every call number of every ABI.
func TestDefaultDecidesLikeTheLibrarysProfile(t *testing.T) {
	for _, m := range machines {
		for _, kernel := range []Version{{4, 7}, {5, 4}, {6, 18}} {
			for _, caps := range capabilitySets() {
				want := naiveSpec(moby.DefaultProfile(), m.goarch, caps, kernel)
				program, err := compile(defaultProfile.resolve(m, uint64(caps), kernel), m)
				if err != nil {
					t.Fatal(err)
				}
				verify(t, program)
				label := fmt.Sprintf("%s, capabilities %#x, kernel %v", m.goarch, uint64(caps), kernel)
				compare(t, label, m, want, program)
			}
		}
	}
}

// compare holds a program against a profile, on each call number up to 1100 and the numbers near other limits.
func compare(t *testing.T, label string, m *machine, spec *specs.LinuxSeccomp, program []Instruction) {
	t.Helper()
	samples := samplesFor(spec)
	for _, o := range oracles(m) {
		if o.abi != &m.abis[0] && !slices.Contains(spec.Architectures, o.abi.name) {
			continue
		}
		n := newNaive(&o, spec)
		for _, number := range numbers() {
			if o.abi.audit == unix.AUDIT_ARCH_X86_64 && number >= x32Bit {
				continue // the bit would make it another ABI's: TestX32 looks at that
			}
			list, ok := samples[o.names[number]]
			if !ok {
				list = make([][6]uint64, 1)
			}
			for _, args := range list {
				got, _ := run(program, &data{o.abi.bit | number, o.abi.audit, args})
				if want := n.decide(number, args); got != want {
					t.Fatalf("%s: %s call %d %q with %#x: %#x, want %#x", label, o.abi.name, number, o.names[number], args, got, want)
				}
			}
		}
	}
}

// numbers are those of all calls and of what no call has.
func numbers() []uint32 {
	list := []uint32{0xf0000, x32Bit - 1, x32Bit, x32Bit + 1, 0x7fffffff, 0x80000000, noCall}
	for n := range uint32(1101) {
		list = append(list, n)
	}
	for n := range uint32(10) {
		list = append(list, 0xf0001+n)
	}
	return list
}

// samplesFor gives arguments that lie at the limits of a profile's conditions, for each call that has any.
func samplesFor(spec *specs.LinuxSeccomp) map[string][][6]uint64 {
	interesting := map[string][]uint64{}
	for _, s := range spec.Syscalls {
		for _, c := range s.Args {
			v, w := c.Value, c.ValueTwo
			values := []uint64{v, v - 1, v + 1, v ^ 1<<32, v & 0xffffffff, v | 0xffffffff<<32, w, w | ^v, w ^ 1<<40, v &^ (v - 1), ^v}
			for _, name := range s.Names {
				interesting[name] = append(interesting[name], values...)
				for multiplexer, inner := range muxes {
					if slices.Contains(inner, name) {
						interesting[multiplexer] = append(interesting[multiplexer], values...)
					}
				}
			}
		}
	}
	for multiplexer := range muxes {
		interesting[multiplexer] = append(interesting[multiplexer], 0)
	}
	random := rand.New(rand.NewPCG(1, 2))
	samples := map[string][][6]uint64{}
	for name, values := range interesting {
		for n := range uint64(64) {
			values = append(values, n, n<<32)
		}
		for _, v := range values {
			mixed := [6]uint64{v}
			for i := 1; i < 6; i++ {
				mixed[i] = values[random.IntN(len(values))]
			}
			samples[name] = append(samples[name], [6]uint64{v, v, v, v, v, v}, [6]uint64{v}, mixed)
		}
	}
	return samples
}

// TestRandomProfiles compiles profiles that nobody would write: they reach far jumps, overlapping rules, all operators
// and all actions.
func TestRandomProfiles(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 7))
		spec := randomProfile(random)
		for _, m := range machines {
			program, err := compile(spec, m)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			verify(t, program)
			compare(t, fmt.Sprintf("seed %d, %s", seed, m.goarch), m, spec, program)
		}
	}
}

func randomProfile(random *rand.Rand) *specs.LinuxSeccomp {
	errnos := []*uint{nil, new(uint(1)), new(uint(38)), new(uint(100)), new(uint(4094))}
	action := func() (specs.LinuxSeccompAction, *uint) {
		return actions[random.IntN(len(actions))].name, errnos[random.IntN(len(errnos))]
	}
	values := []uint64{0, 1, 5, 0x7fffffff, 0xfffffffe, 0xffffffff, 1 << 32, 1<<32 + 5, 1<<63 + 1, 1<<64 - 2, 1<<64 - 1}
	spec := &specs.LinuxSeccomp{}
	spec.DefaultAction, spec.DefaultErrnoRet = action()
	for _, a := range []specs.Arch{specs.ArchX86, specs.ArchX32, specs.ArchARM, specs.ArchS390} {
		if random.IntN(3) > 0 {
			spec.Architectures = append(spec.Architectures, a)
		}
	}
	for range 5 + random.IntN(35) {
		var s specs.LinuxSyscall
		s.Action, s.ErrnoRet = action()
		for range 1 + random.IntN(8) {
			s.Names = append(s.Names, calls[random.IntN(len(calls))].name)
		}
		if random.IntN(4) == 0 {
			s.Names = append(s.Names, "socket", "clone")
		}
		for range min(random.IntN(5), 3) {
			s.Args = append(s.Args, specs.LinuxSeccompArg{
				Index: uint(random.IntN(6)), Value: values[random.IntN(len(values))], ValueTwo: values[random.IntN(len(values))],
				Op: operators[random.IntN(len(operators))],
			})
		}
		spec.Syscalls = append(spec.Syscalls, s)
	}
	return spec
}

var update = flag.Bool("update", false, "write the usual_*.go files")

// TestUsualProgram fails when the compiled programs are not what compiling gives: run go generate.
func TestUsualProgram(t *testing.T) {
	for _, m := range machines {
		program, err := compile(defaultProfile.resolve(m, uint64(capability.Default), Version{newestMajor, newestMinor}), m)
		if err != nil {
			t.Fatal(err)
		}
		file, source := "usual_"+m.goarch+".go", usualFile(t, program)
		if *update {
			if err := os.WriteFile(file, source, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if committed, err := os.ReadFile(file); err != nil || !bytes.Equal(committed, source) {
			t.Errorf("%s is not up to date: run go generate ./kernel/seccomp (%v)", file, err)
		}
	}
}

// usualFile writes a program as Go source.
func usualFile(t *testing.T, program []Instruction) []byte {
	var b strings.Builder
	b.WriteString("// Code generated by go test -run TestUsualProgram -update; DO NOT EDIT.\n\npackage seccomp\n\n")
	b.WriteString("// usual is Docker's default profile for Docker's default capabilities, compiled.\nvar usual = [...]Instruction{")
	for i, in := range program {
		if i%5 == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "{%#x, %d, %d, %#x}, ", in.Code, in.JT, in.JF, in.K)
	}
	b.WriteString("\n}\n")
	source, err := format.Source([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// TestDefaultIsCompiledOrReady: the ready program must stand for the compiled one wherever it is given out.
func TestDefaultIsCompiledOrReady(t *testing.T) {
	for _, kernel := range []Version{{4, 7}, {4, 8}, {5, 4}, {6, 18}} {
		for _, caps := range append(capabilitySets(), capability.Default|1<<12, capability.Default|1<<21, capability.Default&^1) {
			want, err := Compile(DefaultSpec(uint64(caps), kernel))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := Default(uint64(caps), kernel); err != nil || !slices.Equal(got, want) {
				t.Errorf("capabilities %#x, kernel %v: %d instructions, %d compiled (%v)", uint64(caps), kernel, len(got), len(want), err)
			}
		}
	}
}

// TestX32 looks at the numbers that x86_64 and x32 share an audit value for.
func TestX32(t *testing.T) {
	spec := &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno,
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"read", "getpid"}, Action: specs.ActAllow}},
	}
	const allow, kill = uint32(unix.SECCOMP_RET_ALLOW), uint32(unix.SECCOMP_RET_KILL_PROCESS)
	const enosys = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	for _, test := range []struct {
		arches []specs.Arch
		number uint32
		want   uint32
	}{
		{nil, 0, allow},
		{nil, x32Bit - 1, enosys},
		{nil, x32Bit, kill},
		{nil, x32Bit + 39, kill},
		{nil, noCall, enosys},
		{[]specs.Arch{specs.ArchX32}, 39, allow},
		{[]specs.Arch{specs.ArchX32}, x32Bit - 1, enosys},
		{[]specs.Arch{specs.ArchX32}, x32Bit + 39, allow},
		{[]specs.Arch{specs.ArchX32}, x32Bit + 1000, enosys},
		{[]specs.Arch{specs.ArchX32}, noCall, enosys},
	} {
		spec.Architectures = test.arches
		program, err := compile(spec, &amd64)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := run(program, &data{number: test.number, audit: unix.AUDIT_ARCH_X86_64}); got != test.want {
			t.Errorf("architectures %v, call %#x: %#x, want %#x", test.arches, test.number, got, test.want)
		}
	}
}

// TestOtherArchitecture: whoever changes to an ABI that the profile does not cover is ended.
func TestOtherArchitecture(t *testing.T) {
	for _, m := range machines {
		program, err := compile(&specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, m)
		if err != nil {
			t.Fatal(err)
		}
		for _, audit := range []uint32{unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_ARM, unix.AUDIT_ARCH_S390X, 0} {
			if got, _ := run(program, &data{audit: audit}); got != unix.SECCOMP_RET_KILL_PROCESS {
				t.Errorf("%s: audit value %#x gives %#x", m.goarch, audit, got)
			}
		}
	}
}

// TestDefaultIsSmall: the kernel walks the program once for each call number while it loads it.
func TestDefaultIsSmall(t *testing.T) {
	for _, m := range machines {
		program, err := compile(defaultProfile.resolve(m, uint64(capability.Default), Version{6, 18}), m)
		if err != nil {
			t.Fatal(err)
		}
		deepest := 0
		for number := range uint32(600) {
			_, steps := run(program, &data{number: number, audit: m.abis[0].audit})
			deepest = max(deepest, steps)
		}
		t.Logf("%s: %d instructions, at most %d for a call", m.goarch, len(program), deepest)
		if len(program) > 350 || deepest > 24 {
			t.Errorf("%s: %d instructions, %d deep", m.goarch, len(program), deepest)
		}
	}
}

// TestInstructionLayout: the kernel reads the program as it lies in memory.
func TestInstructionLayout(t *testing.T) {
	ours, theirs := reflect.TypeFor[Instruction](), reflect.TypeFor[unix.SockFilter]()
	if ours.Size() != theirs.Size() || unsafe.Sizeof(Instruction{}) != 8 {
		t.Fatalf("%d bytes, struct sock_filter has %d", ours.Size(), theirs.Size())
	}
	for i := range ours.NumField() {
		if a, b := ours.Field(i), theirs.Field(i); a.Offset != b.Offset || a.Type.Size() != b.Type.Size() || !strings.EqualFold(a.Name, b.Name) {
			t.Errorf("field %s differs from %s", a.Name, b.Name)
		}
	}
}

func BenchmarkDefault(b *testing.B) {
	for b.Loop() {
		if _, err := Default(uint64(capability.Default), Version{6, 18}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile(DefaultSpec(uint64(capability.Default), Version{6, 18})); err != nil {
			b.Fatal(err)
		}
	}
}
