package kernel

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"sandbox/kernel/birth"
)

// BPFInstruction is one instruction of an eBPF program: struct bpf_insn.
type BPFInstruction struct {
	Code      uint8
	Registers uint8 // the destination in the lower four bits, the source in the upper
	Offset    int16
	Immediate int32
}

// LoadDeviceProgram is bpf(2) BPF_PROG_LOAD for a program of type BPF_PROG_TYPE_CGROUP_DEVICE: the kernel checks that
// it ends and touches nothing that it must not. Needs CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN since Linux 5.8.
type LoadDeviceProgram struct {
	Program []BPFInstruction
	As      *Handle
}

// Call in strace's notation, the program as its length.
func (l LoadDeviceProgram) Call() Call {
	attr := fmt.Sprintf("{prog_type=BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt=%d, insns=…, license=%q}", len(l.Program), bpfLicense)
	return Call{Name: "bpf", Args: []string{"BPF_PROG_LOAD", attr, fmt.Sprint(bpfAttrSize)}, ShowResult: true}
}

const (
	// bpfLicense: the program calls none of the kernel's functions, so any licence will do.
	bpfLicense = "Apache-2.0"
	// bpfAttrSize is how much of union bpf_attr is passed: up to prog_flags, all that Linux 4.15 knew.
	bpfAttrSize = 48
)

func (l LoadDeviceProgram) compile(c *compiler) {
	code := make([]byte, 0, 8*len(l.Program))
	for _, i := range l.Program {
		code = append(code, i.Code, i.Registers)
		code = binary.NativeEndian.AppendUint16(code, uint16(i.Offset))
		code = binary.NativeEndian.AppendUint32(code, uint32(i.Immediate))
	}
	head := twoWords(unix.BPF_PROG_TYPE_CGROUP_DEVICE, uint32(len(l.Program)))
	attr := c.b.Words(head, c.b.Bytes(code), c.b.String(bpfLicense), 0, 0, 0)
	c.addFlags(birth.Quiet, unix.SYS_BPF, unix.BPF_PROG_LOAD, attr, bpfAttrSize)
}

func (l LoadDeviceProgram) handle() *Handle { return l.As }

// AttachDeviceProgram is bpf(2) BPF_PROG_ATTACH: from now on the program judges each use of a device by a process in
// the group. Both descriptors are part of a structure, so they must be open when the step comes: it is for Door.Do,
// not for a birth.
type AttachDeviceProgram struct{ Group, Program Descriptor }

// Call in strace's notation.
func (a AttachDeviceProgram) Call() Call {
	attr := fmt.Sprintf("{target_fd=%s, attach_bpf_fd=%s, attach_type=BPF_CGROUP_DEVICE, attach_flags=BPF_F_ALLOW_MULTI}", a.Group, a.Program)
	return Call{Name: "bpf", Args: []string{"BPF_PROG_ATTACH", attr, "16"}}
}

func (a AttachDeviceProgram) compile(c *compiler) {
	attr := c.b.Words(twoWords(uint32(a.Group.number()), uint32(a.Program.number())), twoWords(unix.BPF_CGROUP_DEVICE, unix.BPF_F_ALLOW_MULTI))
	c.add(unix.SYS_BPF, unix.BPF_PROG_ATTACH, attr, 16)
}

// number is the descriptor's number, known here.
func (d Descriptor) number() int {
	if d.handle != nil {
		return d.handle.fd
	}
	return d.fd
}

// twoWords lays two 32-bit fields side by side, as a structure has them.
func twoWords(first, second uint32) uintptr {
	var both [8]byte
	binary.NativeEndian.PutUint32(both[:4], first)
	binary.NativeEndian.PutUint32(both[4:], second)
	return uintptr(binary.NativeEndian.Uint64(both[:]))
}
