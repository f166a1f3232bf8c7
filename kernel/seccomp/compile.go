package seccomp

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// compile makes the program for a machine:
//
//	which ABI?  ──┬─ native: load the number, tree over its ranges ─┬─ allow
//	              ├─ 32 bits: load the number, another tree ────────┼─ errno
//	              └─ any other: kill the process                    └─ look at arguments ─ …
func compile(spec *specs.LinuxSeccomp, m *machine) ([]Instruction, error) {
	abis, err := m.abisFor(spec.Architectures)
	if err != nil {
		return nil, err
	}
	j, err := judge(spec)
	if err != nil {
		return nil, err
	}
	a := &assembler{code: make([]Instruction, 0, 512)}
	other := a.ret(unix.SECCOMP_RET_KILL_PROCESS)
	for len(abis) > 0 {
		// From the last audit value to the first, as everything is assembled backwards.
		first := len(abis) - 1
		for first > 0 && abis[first-1].audit == abis[first].audit {
			first--
		}
		entry := a.load(offsetNumber, a.tree(j.leaves(a, abis[first:])))
		other = a.jump(jumpEqual, abis[first].audit, entry, other)
		abis = abis[:first]
	}
	a.load(offsetArch, other)
	return a.program()
}

// leaves are the ranges of call numbers under one audit value, each with the label that decides it.
func (j *judgement) leaves(a *assembler, abis []abi) []leaf {
	leaves := make([]leaf, 0, 128)
	for _, ranged := range j.ranges(abis) {
		to := a.verdict(ranged.verdict, ranged.wide)
		if last := len(leaves) - 1; last >= 0 && leaves[last].to == to {
			continue
		}
		leaves = append(leaves, leaf{ranged.from, to})
	}
	return leaves
}

// span is a range of call numbers, from from to where the next one begins, with one verdict.
type span struct {
	from    uint32
	verdict *verdict
	wide    bool
}

// spans are the ranges of call numbers, without a gap.
type spans []span

// put begins a new range, unless it would only carry on the one before.
func (s *spans) put(from uint32, v *verdict, wide bool) {
	if last := len(*s) - 1; last >= 0 && (*s)[last].verdict.same(v) && (*s)[last].wide == wide {
		return
	}
	*s = append(*s, span{from, v, wide})
}

// ranges cuts the call numbers of ABIs that share an audit value into spans.
func (j *judgement) ranges(abis []abi) spans {
	unnamed := &verdict{action: j.standard}
	s := make(spans, 0, 128)
	var beyond *verdict
	for _, abi := range abis {
		next := abi.bit
		beyond = unnamed
		for _, index := range j.upToLastNamed(abi.order) {
			number := abi.bit | uint32(calls[index].numbers[abi.column])
			if number > next {
				s.put(next, unnamed, abi.wide)
			}
			s.put(number, &j.verdicts[index], abi.wide)
			next = number + 1
			beyond = j.beyond
		}
		s.put(next, beyond, abi.wide)
	}
	if len(abis) == 1 && abis[0].column == columnX86_64 {
		// The profile does not want x32. It shares x86_64's audit value, so that its numbers have to be turned away here.
		s.put(x32Bit, &verdict{action: unix.SECCOMP_RET_KILL_PROCESS}, true)
		s.put(noCall, beyond, true)
	}
	return s
}

// upToLastNamed leaves out the calls behind the last one that the profile names.
func (j *judgement) upToLastNamed(order []uint16) []uint16 {
	end := len(order)
	for end > 0 && !j.named[order[end-1]] {
		end--
	}
	return order[:end]
}
