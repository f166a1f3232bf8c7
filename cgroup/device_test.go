package cgroup

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/containerd/cgroups/v3/cgroup2"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// request is one use of a device, as the kernel asks the program.
type request struct {
	kind, access uint32
	major, minor uint32
}

// interpret runs a program as the kernel would, for the few instructions that device programs are made of.
func interpret(t *testing.T, program []kernel.BPFInstruction, r request) bool {
	t.Helper()
	var memory [12]byte
	binary.LittleEndian.PutUint32(memory[0:], r.access<<16|r.kind)
	binary.LittleEndian.PutUint32(memory[4:], r.major)
	binary.LittleEndian.PutUint32(memory[8:], r.minor)
	var registers [11]uint64
	for pc, steps := 0, 0; pc < len(program) && steps < 10_000; pc, steps = pc+1, steps+1 {
		i := program[pc]
		to, from := &registers[i.Registers&15], registers[i.Registers>>4]
		switch i.Code {
		case loadWord:
			*to = uint64(binary.LittleEndian.Uint32(memory[i.Offset:]))
		case unix.BPF_LDX | unix.BPF_MEM | unix.BPF_H:
			*to = uint64(binary.LittleEndian.Uint16(memory[i.Offset:]))
		case andK:
			*to = uint64(uint32(*to) & uint32(i.Immediate))
		case shiftRightK:
			*to = uint64(uint32(*to) >> uint32(i.Immediate))
		case moveK:
			*to = uint64(uint32(i.Immediate))
		case moveX:
			*to = uint64(uint32(from))
		case jumpEqualK:
			if *to == uint64(int64(i.Immediate)) {
				pc += int(i.Offset)
			}
		case jumpOtherK:
			if *to != uint64(int64(i.Immediate)) {
				pc += int(i.Offset)
			}
		case exit:
			return registers[0] == 1
		default:
			t.Fatalf("instruction %d has code %#x, which this test does not know", pc, i.Code)
		}
	}
	t.Fatal("the program does not end")
	return false
}

// theirs is the program that containerd makes of the same rules.
func theirs(t *testing.T, list []specs.LinuxDeviceCgroup) []kernel.BPFInstruction {
	t.Helper()
	rules, err := readRules(list)
	if err != nil {
		t.Fatal(err)
	}
	var complete []specs.LinuxDeviceCgroup
	for _, r := range rules {
		complete = append(complete, specs.LinuxDeviceCgroup{Allow: r.allow, Type: string(r.kind), Major: &r.major, Minor: &r.minor, Access: r.access})
	}
	instructions, _, err := cgroup2.DeviceFilter(complete)
	if err != nil {
		t.Fatal(err)
	}
	var code bytes.Buffer
	if err := instructions.Marshal(&code, binary.LittleEndian); err != nil {
		t.Fatal(err)
	}
	var program []kernel.BPFInstruction
	for b := code.Bytes(); len(b) >= 8; b = b[8:] {
		program = append(program, kernel.BPFInstruction{
			Code: b[0], Registers: b[1], Offset: int16(binary.LittleEndian.Uint16(b[2:])), Immediate: int32(binary.LittleEndian.Uint32(b[4:])),
		})
	}
	return program
}

// deny is a rule that forbids.
func deny(kind string, major, minor int64, access string) specs.LinuxDeviceCgroup {
	d := device(kind, major, minor, access)
	d.Allow = false
	return d
}

var ruleSets = map[string][]specs.LinuxDeviceCgroup{
	"default":    DefaultDevices,
	"privileged": AllDevices,
	"none":       {{Access: "rwm"}},
	"--device":   append(append([]specs.LinuxDeviceCgroup{}, DefaultDevices...), device("b", 254, 0, "r"), device("c", 10, 200, "rwm")),
	"all but":    {{Allow: true, Access: "rwm"}, deny("b", 254, -1, "w"), deny("c", 1, 1, "rwm")},
	"overruled":  {device("b", 254, 0, "rwm"), {Access: "rwm"}, device("c", 1, 3, "rw")},
	"empty":      {},
}

func requests(accesses ...uint32) []request {
	var list []request
	for _, access := range accesses {
		for _, kind := range []uint32{unix.BPF_DEVCG_DEV_BLOCK, unix.BPF_DEVCG_DEV_CHAR} {
			for _, number := range [][2]uint32{{1, 1}, {1, 3}, {1, 5}, {5, 0}, {5, 2}, {5, 3}, {136, 0}, {136, 7}, {254, 0}, {254, 1}, {10, 200}, {8, 0}} {
				list = append(list, request{kind, access, number[0], number[1]})
			}
		}
	}
	return list
}

// TestDeviceProgramDecidesAsContainerds compares decisions on one kind of access at a time. (Containerd's program also
// lets a device be opened for reading and writing when only reading was allowed; ours does not: see below.)
func TestDeviceProgramDecidesAsContainerds(t *testing.T) {
	for name, list := range ruleSets {
		ours, err := DeviceProgram(list)
		if err != nil {
			t.Fatal(err)
		}
		reference := theirs(t, list)
		for _, r := range requests(unix.BPF_DEVCG_ACC_READ, unix.BPF_DEVCG_ACC_WRITE, unix.BPF_DEVCG_ACC_MKNOD) {
			if got, want := interpret(t, ours, r), interpret(t, reference, r); got != want {
				t.Errorf("%s: %+v: ours says %v, containerd's %v", name, r, got, want)
			}
		}
	}
}

// TestDeviceProgramWantsAllAccess: who opens for reading and writing needs both.
func TestDeviceProgramWantsAllAccess(t *testing.T) {
	const read, write = unix.BPF_DEVCG_ACC_READ, unix.BPF_DEVCG_ACC_WRITE
	disk := func(access uint32) request { return request{unix.BPF_DEVCG_DEV_BLOCK, access, 254, 0} }
	for _, c := range []struct {
		rules string
		r     request
		want  bool
	}{
		{"--device", disk(read), true},
		{"--device", disk(write), false},
		{"--device", disk(read | write), false},
		{"all but", disk(read), true},
		{"all but", disk(read | write), false},
		{"default", request{unix.BPF_DEVCG_DEV_CHAR, read | write, 1, 3}, true},
	} {
		program, err := DeviceProgram(ruleSets[c.rules])
		if err != nil {
			t.Fatal(err)
		}
		if got := interpret(t, program, c.r); got != c.want {
			t.Errorf("%s: %+v = %v, want %v", c.rules, c.r, got, c.want)
		}
	}
}

func TestBadDeviceRules(t *testing.T) {
	for _, bad := range []specs.LinuxDeviceCgroup{device("x", 1, 1, "r"), device("cc", 1, 1, "r"), device("c", 1, 1, "rx")} {
		if _, err := DeviceProgram([]specs.LinuxDeviceCgroup{bad}); err == nil {
			t.Errorf("%+v is taken", bad)
		}
		if _, err := deviceWrites("/g", []specs.LinuxDeviceCgroup{bad}); err == nil {
			t.Errorf("%+v is taken for v1", bad)
		}
	}
	if _, err := deviceWrites("/g", []specs.LinuxDeviceCgroup{device("a", -1, -1, "r")}); err == nil {
		t.Error("a part of all devices is taken for v1")
	}
}

// unifiedRoot is where a tree of v2 is mounted here; groups without controllers can be made in it on a hybrid
// machine too.
func unifiedRoot(t *testing.T) Host {
	t.Helper()
	h := realHost(t)
	if h.Root == "" || h.Delegated {
		t.Skip("needs a tree of cgroup v2, and root of the machine")
	}
	return Host{Mode: V2, Root: h.Root, Base: h.Root}
}

// TestKernelTakesTheDeviceProgram loads and attaches each program for real, joins, and tries a disk.
func TestKernelTakesTheDeviceProgram(t *testing.T) {
	h := unifiedRoot(t)
	want := map[string]string{"default": "openat", "--device": "openat", "none": "mknodat", "overruled": "mknodat"}
	for name, list := range ruleSets {
		t.Run(name, func(t *testing.T) {
			p := create(t, h, testID(t), &specs.LinuxResources{Devices: list})
			if got := refused(t, p, unix.S_IFBLK, 7, 0); got != want[name] {
				t.Errorf("a disk: %q is refused, want %q", got, want[name])
			}
		})
	}
}
