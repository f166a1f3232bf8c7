package seccomp

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data, on which the program works.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16
)

// The halves of a 64-bit argument, on the little-endian machines that there are here.
const (
	low  = 0
	high = 4
)

func argument(index uint, half uint32) uint32 { return offsetArgs + 8*uint32(index) + half }

const (
	jumpEqual    = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	jumpAtLeast  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	jumpAlways   = unix.BPF_JMP | unix.BPF_JA
	loadWord     = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	andConstant  = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	returnAction = unix.BPF_RET | unix.BPF_K
)

// assembler builds a program from its end to its beginning. BPF jumps forwards only, so whatever an instruction can go
// to is already there when it is added.
type assembler struct {
	code     []Instruction // the last instruction first
	returns  []label       // for each action the copy of its return that was added last
	verdicts []assembled   // those with conditions
}

// assembled is where the conditions of a verdict are already.
type assembled struct {
	verdict *verdict
	wide    bool
	at      label
}

// label is an instruction that can be gone to: its index in code.
type label int

func (a *assembler) add(i Instruction) label {
	a.code = append(a.code, i)
	return label(len(a.code) - 1)
}

// ret ends the program with an action. All who take an action share one return, as long as it is in reach.
func (a *assembler) ret(action uint32) label {
	for i, at := range a.returns {
		if a.code[at].K != action {
			continue
		}
		if !a.inReach(at) {
			a.returns[i] = a.add(Instruction{Code: returnAction, K: action})
		}
		return a.returns[i]
	}
	a.returns = append(a.returns, a.add(Instruction{Code: returnAction, K: action}))
	return a.returns[len(a.returns)-1]
}

// inReach leaves room for two more instructions before the jump, which has eight bits.
func (a *assembler) inReach(to label) bool { return len(a.code)-1-int(to)+2 <= 255 }

// near gives a stand-in for a label that a conditional jump cannot reach: a copy of a return, or a long jump.
func (a *assembler) near(to label) label {
	switch {
	case a.inReach(to):
		return to
	case a.code[to].Code == returnAction:
		return a.ret(a.code[to].K)
	}
	return a.add(Instruction{Code: jumpAlways, K: a.distance(to)})
}

// distance is how many instructions one that is added now would have to skip.
func (a *assembler) distance(to label) uint32 { return uint32(len(a.code) - 1 - int(to)) }

// jump compares the loaded value with k.
func (a *assembler) jump(comparison uint16, k uint32, yes, no label) label {
	yes, no = a.near(yes), a.near(no)
	return a.add(Instruction{Code: comparison, JT: uint8(a.distance(yes)), JF: uint8(a.distance(no)), K: k})
}

// load fetches a word of struct seccomp_data and goes on at next.
func (a *assembler) load(offset uint32, next label) label {
	return a.before(next, Instruction{Code: loadWord, K: offset})
}

// and keeps some bits of the loaded value.
func (a *assembler) and(mask uint32, next label) label {
	return a.before(next, Instruction{Code: andConstant, K: mask})
}

// before adds an instruction after which the program goes on at next, so that this must come right behind it.
func (a *assembler) before(next label, i Instruction) label {
	if int(next) != len(a.code)-1 {
		a.add(Instruction{Code: jumpAlways, K: a.distance(next)})
	}
	return a.add(i)
}

// leaf is where a tree sends the values from from on, up to the next leaf's.
type leaf struct {
	from uint32
	to   label
}

// question loads a word and looks it up among the leaves, which are in order and start at 0; no question is asked if there is
// but one answer.
func (a *assembler) question(offset uint32, leaves []leaf) label {
	leaves = slices.CompactFunc(leaves, func(l, next leaf) bool { return l.to == next.to })
	if len(leaves) == 1 {
		return leaves[0].to
	}
	return a.load(offset, a.tree(leaves))
}

// few is up to how many leaves single values are picked out one after another; more are halved.
const few = 9

// tree finds the leaf of the loaded value.
func (a *assembler) tree(leaves []leaf) label {
	if len(leaves) == 1 {
		return leaves[0].to
	}
	if i := single(leaves); i > 0 && len(leaves) <= few {
		// One comparison instead of the two that a range needs.
		rest := slices.Concat(leaves[:i], leaves[i+2:])
		return a.jump(jumpEqual, leaves[i].from, leaves[i].to, a.tree(rest))
	}
	middle := len(leaves) / 2
	right := a.tree(leaves[middle:])
	left := a.tree(leaves[:middle])
	return a.jump(jumpAtLeast, leaves[middle].from, right, left)
}

// single finds a leaf of one value between two that lead to the same place; 0 if there is none.
func single(leaves []leaf) int {
	for i := 1; i+1 < len(leaves); i++ {
		if leaves[i+1].from == leaves[i].from+1 && leaves[i-1].to == leaves[i+1].to {
			return i
		}
	}
	return 0
}

// program is what was assembled, in the order in which it runs.
func (a *assembler) program() ([]Instruction, error) {
	if len(a.code) > unix.BPF_MAXINSNS {
		return nil, fmt.Errorf("%d instructions: the kernel takes at most %d", len(a.code), unix.BPF_MAXINSNS)
	}
	slices.Reverse(a.code)
	return a.code, nil
}
