package seccomp

import (
	"maps"
	"slices"
	"strings"

	"github.com/elastic/go-seccomp-bpf/arch"
	moby "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel/capability"
)

// This file says what a profile means in the plainest way, with the libraries' types and tables: rule after rule, name
// after name. The tests hold the compiled programs against it.

// oracle is an ABI with the numbers that go-seccomp-bpf has for it, corrected where that is wrong.
type oracle struct {
	abi   *abi
	names map[uint32]string
}

func oracles(m *machine) []oracle {
	tables := map[specs.Arch]*arch.Info{
		specs.ArchX86_64: arch.X86_64, specs.ArchX86: arch.I386, specs.ArchX32: arch.X32,
		specs.ArchAARCH64: arch.AARCH64, specs.ArchARM: arch.ARM,
	}
	var list []oracle
	for i := range m.abis {
		a := &m.abis[i]
		o := oracle{a, map[uint32]string{}}
		for number, name := range tables[a.name].SyscallNumbers {
			o.names[uint32(number)] = name
		}
		for i, name := range []string{"file_getattr", "file_setattr", "listns", "rseq_slice_yield"} {
			o.names[468+uint32(i)] = name // newer than the library
		}
		switch a.name {
		case specs.ArchX86_64:
			o.names[336] = "uprobe"
		case specs.ArchAARCH64:
			// The library lists calls that only 32-bit kernels have, and newfstatat under its C name.
			maps.DeleteFunc(o.names, func(_ uint32, name string) bool {
				return strings.HasSuffix(name, "time64") || strings.HasPrefix(name, "clock_") && strings.HasSuffix(name, "64") ||
					strings.HasPrefix(name, "timer") && strings.HasSuffix(name, "64")
			})
			o.names[79] = "newfstatat"
		case specs.ArchX32:
			o.dropWhatX32Lacks()
		}
		list = append(list, o)
	}
	return list
}

// dropWhatX32Lacks: calls that have a number of their own from 512 on, and those marked "64" in Linux' syscall_64.tbl.
func (o *oracle) dropWhatX32Lacks() {
	lacks := strings.Fields(`_sysctl create_module epoll_ctl_old epoll_wait_old get_kernel_syms get_thread_area map_shadow_stack
		nfsservctl query_module set_thread_area uprobe uretprobe uselib vserver`)
	for number, name := range o.names {
		if number >= 512 {
			lacks = append(lacks, name)
		}
	}
	maps.DeleteFunc(o.names, func(number uint32, name string) bool { return number < 512 && slices.Contains(lacks, name) })
}

// naiveSpec decides the conditions of a profile of the library's.
func naiveSpec(p *moby.Seccomp, goarch string, caps capability.Set, kernel Version) *specs.LinuxSeccomp {
	spec := &specs.LinuxSeccomp{DefaultAction: p.DefaultAction, DefaultErrnoRet: p.DefaultErrnoRet}
	for _, a := range p.ArchMap {
		if a.Arch == map[string]specs.Arch{"amd64": specs.ArchX86_64, "arm64": specs.ArchAARCH64}[goarch] {
			spec.Architectures = append([]specs.Arch{a.Arch}, a.SubArches...)
		}
	}
	has := caps.Names()
	for _, s := range p.Syscalls {
		in, out := true, false
		if f := s.Includes; f != nil {
			in = len(f.Arches) == 0 || slices.Contains(f.Arches, goarch)
			for _, c := range f.Caps {
				in = in && slices.Contains(has, c)
			}
			in = in && (f.MinKernel == nil || notOlder(kernel, f.MinKernel))
		}
		if f := s.Excludes; f != nil {
			out = slices.Contains(f.Arches, goarch)
			for _, c := range f.Caps {
				out = out || slices.Contains(has, c)
			}
			out = out || f.MinKernel != nil && notOlder(kernel, f.MinKernel)
		}
		if in && !out {
			spec.Syscalls = append(spec.Syscalls, s.LinuxSyscall)
		}
	}
	return spec
}

func notOlder(kernel Version, least *moby.KernelVersion) bool {
	return kernel.Major*1000+kernel.Minor >= int(least.Kernel)*1000+int(least.Major)
}

// naive is a profile spread out for one ABI.
type naive struct {
	*oracle
	standard uint32
	last     int64 // the highest number that the profile names
	rules    map[string][]specs.LinuxSyscall
}

func newNaive(o *oracle, spec *specs.LinuxSeccomp) *naive {
	n := &naive{o, naiveAction(spec.DefaultAction, spec.DefaultErrnoRet), -1, map[string][]specs.LinuxSyscall{}}
	named := map[string]bool{}
	for _, s := range spec.Syscalls {
		for _, name := range s.Names {
			named[name] = true
			if naiveAction(s.Action, s.ErrnoRet) != n.standard {
				n.rules[name] = append(n.rules[name], s)
			}
		}
	}
	for number, name := range o.names {
		if named[name] || o.abi.name == specs.ArchX86 && slices.ContainsFunc(muxes[name], func(s string) bool { return named[s] }) {
			n.last = max(n.last, int64(number))
		}
	}
	return n
}

// decide is what becomes of a call; the number is without the ABI's bit.
func (n *naive) decide(number uint32, args [6]uint64) uint32 {
	permissive := []uint32{unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_LOG, unix.SECCOMP_RET_TRACE}
	if int64(number) > n.last {
		if n.last < 0 || slices.Contains(permissive, n.standard&0xffff0000) {
			return n.standard
		}
		return unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	}
	name, known := n.names[number]
	if !known {
		return n.standard
	}
	own := n.rules[name]
	for _, s := range own {
		if len(s.Args) == 0 {
			return naiveAction(s.Action, s.ErrnoRet)
		}
	}
	var inner []specs.LinuxSyscall
	if which := uint32(args[0]); n.abi.name == specs.ArchX86 && int(which) < len(muxes[name]) {
		inner = n.rules[muxes[name][which]]
	}
	for _, s := range inner {
		// One without conditions covers the others of the call within.
		if len(s.Args) == 0 {
			inner = []specs.LinuxSyscall{s}
			break
		}
	}
	for _, s := range own {
		if n.fits(s.Args, args, false) {
			return naiveAction(s.Action, s.ErrnoRet)
		}
	}
	for _, s := range inner {
		if n.fits(s.Args, args, true) {
			return naiveAction(s.Action, s.ErrnoRet)
		}
	}
	return n.standard
}

// muxes are the calls within 32-bit x86's socketcall and ipc, by their first argument.
var muxes = map[string][]string{
	"socketcall": strings.Fields(`- socket bind connect listen accept getsockname getpeername socketpair send recv
		sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg`),
	"ipc": strings.Fields(`- semop semget semctl semtimedop - - - - - - msgsnd msgrcv msgget msgctl - - - - - - shmat shmdt shmget shmctl`),
}

// fits says whether the arguments fulfil a rule's conditions: all of them, or any one if they repeat an argument. The
// first argument of a call within another cannot be seen.
func (n *naive) fits(conditions []specs.LinuxSeccompArg, args [6]uint64, within bool) bool {
	count := map[uint]int{}
	for _, c := range conditions {
		count[c.Index]++
	}
	all, some, repeated := true, len(conditions) == 0, false
	for _, c := range conditions {
		ok := within && c.Index == 0 || n.holds(c, args[c.Index])
		all, some, repeated = all && ok, some || ok, repeated || count[c.Index] > 1
	}
	return repeated && some || all
}

func (n *naive) holds(c specs.LinuxSeccompArg, arg uint64) bool {
	value, two := c.Value, c.ValueTwo
	if !n.abi.wide {
		value, two, arg = uint64(uint32(value)), uint64(uint32(two)), uint64(uint32(arg))
	}
	switch c.Op {
	case specs.OpEqualTo:
		return arg == value
	case specs.OpNotEqual:
		return arg != value
	case specs.OpLessThan:
		return arg < value
	case specs.OpLessEqual:
		return arg <= value
	case specs.OpGreaterThan:
		return arg > value
	case specs.OpGreaterEqual:
		return arg >= value
	case specs.OpMaskedEqual:
		return arg&value == two&value
	}
	panic(c.Op)
}

func naiveAction(action specs.LinuxSeccompAction, errno *uint) uint32 {
	number := uint32(1)
	if errno != nil {
		number = uint32(*errno)
	}
	switch action {
	case specs.ActAllow:
		return 0x7fff0000
	case specs.ActLog:
		return 0x7ffc0000
	case specs.ActTrace:
		return 0x7ff00000 | number
	case specs.ActErrno:
		return 0x00050000 | number
	case specs.ActTrap:
		return 0x00030000
	case specs.ActKill, specs.ActKillThread:
		return 0
	case specs.ActKillProcess:
		return 0x80000000
	}
	panic(action)
}
