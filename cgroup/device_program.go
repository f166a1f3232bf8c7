package cgroup

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// v2 has no files for device rules. Instead a small eBPF program is attached to the group, and the kernel runs it
// whenever a process in the group makes or opens a device. It gets a pointer, in register 1, to
//
//	struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor; }
//
// with the kind of device in the lower half of access_type and the wanted access in the upper, and it returns 1 for
// yes or 0 for no. Ours loads the four numbers and compares them with one rule after the other, the last rule first,
// since a later one wins:
//
//	r2 = kind, r3 = access, r4 = major, r5 = minor
//	rule n:    if r2 != 'c' goto rule n-1
//	           if r4 != 1   goto rule n-1
//	           if r5 != 3   goto rule n-1
//	           r0 = 1; exit
//	…
//	           r0 = 0; exit

// Instruction codes of eBPF (linux/bpf_common.h, linux/bpf.h): class, operation, and K where the operand is a
// constant or X where it is a register.
const (
	loadWord    = unix.BPF_LDX | unix.BPF_MEM | unix.BPF_W
	andK        = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	shiftRightK = unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K
	moveK       = unix.BPF_ALU | unix.BPF_MOV | unix.BPF_K
	moveX       = unix.BPF_ALU | unix.BPF_MOV | unix.BPF_X
	jumpEqualK  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	jumpOtherK  = unix.BPF_JMP | unix.BPF_JNE | unix.BPF_K
	exit        = unix.BPF_JMP | unix.BPF_EXIT
)

// Registers of the program.
const (
	verdict = iota // the result
	context
	kind
	access
	major
	minor
)

// instruction with a constant operand; jumps and loads also have an offset.
func instruction(code uint8, register uint8, constant int32) kernel.BPFInstruction {
	return kernel.BPFInstruction{Code: code, Registers: register, Immediate: constant}
}

func load(register uint8, offset int16) kernel.BPFInstruction {
	return kernel.BPFInstruction{Code: loadWord, Registers: context<<4 | register, Offset: offset}
}

// DeviceProgram turns device rules into a program that decides by them. Without any rule it says no.
func DeviceProgram(list []specs.LinuxDeviceCgroup) ([]kernel.BPFInstruction, error) {
	rules, err := readRules(list)
	if err != nil {
		return nil, err
	}
	program := []kernel.BPFInstruction{
		load(kind, 0),
		instruction(andK, kind, 0xffff),
		load(access, 0),
		instruction(shiftRightK, access, 16),
		load(major, 4),
		load(minor, 8),
	}
	for i := len(rules) - 1; i >= 0; i-- {
		program = append(program, rules[i].block()...)
		if rules[i].isForAll() {
			return program, nil // the kernel refuses a program with instructions that nothing reaches
		}
	}
	return append(program, answer(false)...), nil
}

// answer ends the program.
func answer(yes bool) []kernel.BPFInstruction {
	value := int32(0)
	if yes {
		value = 1
	}
	return []kernel.BPFInstruction{instruction(moveK, verdict, value), instruction(exit, 0, 0)}
}

// block is one rule's part of the program: comparisons that lead past it, and its answer.
func (r rule) block() []kernel.BPFInstruction {
	var b []kernel.BPFInstruction
	switch r.kind {
	case 'b':
		b = append(b, instruction(jumpOtherK, kind, unix.BPF_DEVCG_DEV_BLOCK))
	case 'c':
		b = append(b, instruction(jumpOtherK, kind, unix.BPF_DEVCG_DEV_CHAR))
	}
	if r.major >= 0 {
		b = append(b, instruction(jumpOtherK, major, int32(r.major)))
	}
	if r.minor >= 0 {
		b = append(b, instruction(jumpOtherK, minor, int32(r.minor)))
	}
	b = append(b, r.compareAccess()...)
	b = append(b, answer(r.allow)...)
	for i := range b {
		if b[i].Code == jumpOtherK || b[i].Code == jumpEqualK {
			b[i].Offset = int16(len(b) - i - 1) // to the first instruction after the block
		}
	}
	return b
}

// compareAccess leads past a rule that allows, if more is wanted than it allows; and past one that denies, if nothing
// is wanted of what it denies. Register 1 is free for this: the context has been read.
func (r rule) compareAccess() []kernel.BPFInstruction {
	bits := accessBits(r.access)
	if bits == accessBits("rwm") {
		return nil
	}
	copied := kernel.BPFInstruction{Code: moveX, Registers: access<<4 | context}
	if r.allow {
		return []kernel.BPFInstruction{copied, instruction(andK, context, ^bits&accessBits("rwm")), instruction(jumpOtherK, context, 0)}
	}
	return []kernel.BPFInstruction{copied, instruction(andK, context, bits), instruction(jumpEqualK, context, 0)}
}

func accessBits(letters string) int32 {
	var bits int32
	for _, l := range letters {
		bits |= map[rune]int32{'r': unix.BPF_DEVCG_ACC_READ, 'w': unix.BPF_DEVCG_ACC_WRITE, 'm': unix.BPF_DEVCG_ACC_MKNOD}[l]
	}
	return bits
}

// deviceProgramSteps load the program and attach it to a group. It lives as long as the group; the descriptors do not.
func deviceProgramSteps(dir string, list []specs.LinuxDeviceCgroup) ([]kernel.Step, error) {
	if len(list) == 0 {
		return nil, nil // as on v1: what the parent may
	}
	program, err := DeviceProgram(list)
	if err != nil {
		return nil, err
	}
	var loaded, group kernel.Handle
	return []kernel.Step{
		step("3.5", kernel.LoadDeviceProgram{Program: program, As: &loaded}, "v2: a small program judges each use of a device", "v2：由一小段程序决定哪些设备能用"),
		step("3.5", kernel.Open{Path: dir, Flags: unix.O_DIRECTORY | unix.O_CLOEXEC, As: &group}, "the group to which it belongs", "程序要挂到这个组上"),
		step("3.5", kernel.AttachDeviceProgram{Group: group.FD(), Program: loaded.FD()}, "from now on it is asked", "从现在起由它说了算"),
		step("3.5", kernel.Close{FD: group.FD()}, "the program stays with the group", "程序跟着组走，不需要描述符"),
		step("3.5", kernel.Close{FD: loaded.FD()}, "the program stays with the group", "程序跟着组走，不需要描述符"),
	}, nil
}
