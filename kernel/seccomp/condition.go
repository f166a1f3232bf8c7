package seccomp

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// operators are the comparisons that a profile may use.
var operators = [...]specs.LinuxSeccompOperator{
	specs.OpEqualTo, specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpGreaterThan, specs.OpGreaterEqual, specs.OpMaskedEqual,
}

// lastArgument is the index of a system call's sixth argument.
const lastArgument = 5

// checkConditions looks for what no program could be made of, and says whether an argument appears more than once.
func checkConditions(args []specs.LinuxSeccompArg) (repeated bool, err error) {
	var seen [lastArgument + 1]bool
	for _, a := range args {
		if !slices.Contains(operators[:], a.Op) {
			return false, fmt.Errorf("unknown operator %q: use %s", a.Op, list(operators[:]))
		}
		if a.Index > lastArgument {
			return false, fmt.Errorf("argument index %d: a system call has arguments 0 to %d", a.Index, lastArgument)
		}
		repeated = repeated || seen[a.Index]
		seen[a.Index] = true
	}
	return repeated, nil
}

// interval is a range of values, both ends included.
type interval struct{ from, to uint64 }

// appendIntervals adds the values up to limit that fulfil a condition, which is not SCMP_CMP_MASKED_EQ.
func appendIntervals(to []interval, c specs.LinuxSeccompArg, limit uint64) []interval {
	v := c.Value & limit // a 32-bit ABI knows the low half only
	switch c.Op {
	case specs.OpEqualTo:
		return append(to, interval{v, v})
	case specs.OpLessEqual:
		return append(to, interval{0, v})
	case specs.OpGreaterEqual:
		return append(to, interval{v, limit})
	}
	if v > 0 && c.Op != specs.OpGreaterThan {
		to = append(to, interval{0, v - 1})
	}
	if v < limit && c.Op != specs.OpLessThan {
		to = append(to, interval{v + 1, limit})
	}
	return to
}

// union sorts the intervals and joins those that overlap or touch.
func union(list []interval) []interval {
	slices.SortFunc(list, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	joined := list[:0]
	for _, next := range list {
		last := len(joined) - 1
		if last >= 0 && (joined[last].to == math.MaxUint64 || next.from <= joined[last].to+1) {
			joined[last].to = max(joined[last].to, next.to)
			continue
		}
		joined = append(joined, next)
	}
	return joined
}

// verdict assembles what decides a call. Calls with the same conditions share it if they look at the same halves of the
// arguments: those of two 32-bit ABIs do.
func (a *assembler) verdict(v *verdict, wide bool) label {
	otherwise := a.ret(v.action)
	if len(v.rules) == 0 {
		return otherwise
	}
	for _, done := range a.verdicts {
		if done.wide == wide && done.verdict.same(v) {
			return done.at
		}
	}
	at := a.rules(v.rules, otherwise, wide)
	a.verdicts = append(a.verdicts, assembled{v, wide, at})
	return at
}

// rules assembles conditional rules, tried in order; what fits none goes to otherwise.
func (a *assembler) rules(list []conditional, otherwise label, wide bool) label {
	for end := len(list); end > 0; {
		start := end - 1
		last := list[start]
		if !last.plain() {
			otherwise = a.all(last.conditions, a.ret(last.action), otherwise, wide)
			end = start
			continue
		}
		// Neighbours that look at the same argument for the same end are one question: does it lie in these ranges?
		values := appendIntervals(nil, last.conditions[0], limit(wide))
		for start > 0 && list[start-1].plain() && list[start-1].action == last.action &&
			list[start-1].conditions[0].Index == last.conditions[0].Index {
			start--
			values = appendIntervals(values, list[start].conditions[0], limit(wide))
		}
		otherwise = a.within(last.conditions[0].Index, values, a.ret(last.action), otherwise, wide)
		end = start
	}
	return otherwise
}

// plain says that the rule has one condition, and that it can be written as ranges.
func (c *conditional) plain() bool {
	return len(c.conditions) == 1 && c.conditions[0].Op != specs.OpMaskedEqual
}

func limit(wide bool) uint64 {
	if wide {
		return math.MaxUint64
	}
	return math.MaxUint32
}

// all assembles conditions that must all hold.
func (a *assembler) all(conditions []specs.LinuxSeccompArg, yes, no label, wide bool) label {
	for _, c := range slices.Backward(conditions) {
		if c.Op == specs.OpMaskedEqual {
			yes = a.masked(c, yes, no, wide)
		} else {
			yes = a.within(c.Index, appendIntervals(nil, c, limit(wide)), yes, no, wide)
		}
	}
	return yes
}

// masked compares some bits of an argument: those of Value, which must be as in ValueTwo. BPF has 32-bit registers, so
// each half is looked at by itself.
func (a *assembler) masked(c specs.LinuxSeccompArg, yes, no label, wide bool) label {
	mask, want := c.Value, c.ValueTwo&c.Value
	if uint32(mask) != 0 {
		yes = a.load(argument(c.Index, low), a.and(uint32(mask), a.jump(jumpEqual, uint32(want), yes, no)))
	}
	if wide && mask>>32 != 0 {
		yes = a.load(argument(c.Index, high), a.and(uint32(mask>>32), a.jump(jumpEqual, uint32(want>>32), yes, no)))
	}
	return yes
}

// within asks whether an argument lies in one of the intervals: the high half decides, or leaves it to the low half.
func (a *assembler) within(arg uint, values []interval, yes, no label, wide bool) label {
	values = union(values)
	if !wide {
		return a.half(argument(arg, low), values, yes, no)
	}
	// The answer can only change where an interval's end falls into a high half, and right behind it.
	starts := []uint32{0}
	for _, v := range values {
		for _, end := range [...]uint64{v.from, v.to} {
			if starts = append(starts, uint32(end>>32)); uint32(end>>32) < math.MaxUint32 {
				starts = append(starts, uint32(end>>32)+1)
			}
		}
	}
	slices.Sort(starts)
	var leaves []leaf
	for _, start := range slices.Compact(starts) {
		leaves = append(leaves, leaf{start, a.half(argument(arg, low), row(values, start), yes, no)})
	}
	return a.question(argument(arg, high), leaves)
}

// row is what the values are under one high half.
func row(values []interval, high uint32) []interval {
	first := uint64(high) << 32
	last := first | math.MaxUint32
	var lows []interval
	for _, v := range values {
		if v.from <= last && v.to >= first {
			lows = append(lows, interval{max(v.from, first) - first, min(v.to, last) - first})
		}
	}
	return lows
}

// half asks whether one half of an argument lies in one of the intervals, which are below 2^32.
func (a *assembler) half(offset uint32, values []interval, yes, no label) label {
	leaves := make([]leaf, 1, 2*len(values)+1)
	leaves[0].to = no
	for _, v := range values {
		leaves = append(leaves, leaf{uint32(v.from), yes})
		if v.to < math.MaxUint32 {
			leaves = append(leaves, leaf{uint32(v.to) + 1, no})
		}
	}
	if len(values) > 0 && values[0].from == 0 {
		leaves = leaves[1:]
	}
	return a.question(offset, leaves)
}
