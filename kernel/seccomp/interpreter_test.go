package seccomp

import (
	"encoding/binary"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// data is struct seccomp_data without the instruction pointer.
type data struct {
	number, audit uint32
	args          [6]uint64
}

func (d *data) bytes() []byte {
	b := binary.LittleEndian.AppendUint32(nil, d.number)
	b = binary.LittleEndian.AppendUint32(b, d.audit)
	b = binary.LittleEndian.AppendUint64(b, 0)
	for _, arg := range d.args {
		b = binary.LittleEndian.AppendUint64(b, arg)
	}
	return b
}

// run interprets the program as the kernel does, and gives what it returns and after how many instructions.
func run(program []Instruction, d *data) (action uint32, steps int) {
	memory := d.bytes()
	var accumulator uint32
	for at := 0; ; at++ {
		steps++
		i := program[at]
		holds := false
		switch i.Code {
		case unix.BPF_RET | unix.BPF_K:
			return i.K, steps
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			accumulator = binary.LittleEndian.Uint32(memory[i.K:])
			continue
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			accumulator &= i.K
			continue
		case unix.BPF_JMP | unix.BPF_JA:
			at += int(i.K)
			continue
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			holds = accumulator == i.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			holds = accumulator >= i.K
		default:
			panic(fmt.Sprintf("instruction %d: unknown code %#x", at, i.Code))
		}
		if holds {
			at += int(i.JT)
		} else {
			at += int(i.JF)
		}
	}
}

// verify checks what the kernel checks before it takes a program: known instructions, aligned loads within the data, jumps that
// stay inside, and a return at the end.
func verify(t testing.TB, program []Instruction) {
	t.Helper()
	if len(program) == 0 || len(program) > unix.BPF_MAXINSNS {
		t.Fatalf("%d instructions", len(program))
	}
	for at, i := range program {
		furthest := at
		switch i.Code {
		case returnAction, andConstant:
		case loadWord:
			if i.K%4 != 0 || i.K > 60 {
				t.Fatalf("instruction %d loads at %d", at, i.K)
			}
		case jumpAlways:
			furthest += 1 + int(i.K)
		case jumpEqual, jumpAtLeast:
			furthest += 1 + int(max(i.JT, i.JF))
		default:
			t.Fatalf("instruction %d: unknown code %#x", at, i.Code)
		}
		if furthest >= len(program) {
			t.Fatalf("instruction %d jumps to %d of %d", at, furthest, len(program))
		}
	}
	if program[len(program)-1].Code != returnAction {
		t.Fatal("the program does not end in a return")
	}
}
