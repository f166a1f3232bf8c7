package userland

import (
	"bufio"
	"fmt"
	"math"
	"strconv"
	"strings"
)

func runSeq(p *Process) int {
	// Numbers may be negative, so that the flags are looked for by hand.
	args := p.Args[1:]
	separator, format, equalWidth := "\n", "", false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.IndexByte("0123456789.", args[0][1]) < 0 {
		flag := args[0]
		args = args[1:]
		switch {
		case flag == "-w":
			equalWidth = true
		case strings.HasPrefix(flag, "-s") || strings.HasPrefix(flag, "-f"):
			value := flag[2:]
			if value == "" && len(args) > 0 {
				value, args = args[0], args[1:]
			}
			if flag[1] == 's' {
				separator = value
			} else {
				format = value
			}
		default:
			return p.Fail("invalid option -- '%s'", flag[1:])
		}
	}
	if len(args) == 0 {
		return p.Fail("missing operand")
	}
	return p.printSequence(args, separator, format, equalWidth)
}

func (p *Process) printSequence(args []string, separator, format string, equalWidth bool) int {
	numbers := make([]float64, len(args))
	decimals := 0
	for i, arg := range args {
		n, err := strconv.ParseFloat(arg, 64)
		if err != nil {
			return p.Fail("invalid floating point argument: '%s'", arg)
		}
		numbers[i] = n
		if _, fraction, ok := strings.Cut(arg, "."); ok && i < max(len(args)-1, 1) {
			decimals = max(decimals, len(fraction))
		}
	}
	first, step, last := 1.0, 1.0, numbers[len(numbers)-1]
	if len(numbers) > 1 {
		first = numbers[0]
	}
	if len(numbers) > 2 {
		step = numbers[1]
	}
	if step == 0 {
		return p.Fail("invalid Zero increment value: '%s'", args[1])
	}
	if format == "" {
		format = fmt.Sprintf("%%.%df", decimals)
		if equalWidth {
			width := max(len(fmt.Sprintf(format, first)), len(fmt.Sprintf(format, last)))
			format = fmt.Sprintf("%%0%d.%df", width, decimals)
		}
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	steps := math.Floor((last-first)/step + 1e-10)
	for i := 0.0; i <= steps; i++ {
		if i > 0 {
			out.WriteString(separator)
		}
		if _, err := fmt.Fprintf(out, format, first+i*step); err != nil {
			return 1
		}
	}
	if steps >= 0 {
		out.WriteByte('\n')
	}
	return 0
}
