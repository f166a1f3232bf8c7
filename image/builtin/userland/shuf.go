package userland

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

func runShuf(p *Process) int {
	opts, operands, err := p.options("en:i:", map[string]string{"echo": "e", "head-count": "n", "input-range": "i"})
	if err != nil {
		return p.Fail("%v", err)
	}
	lines, code := operands, 0
	switch {
	case opts.has('i'):
		low, high, _ := strings.Cut(opts.value('i'), "-")
		from, errFrom := strconv.Atoi(low)
		to, errTo := strconv.Atoi(high)
		if errFrom != nil || errTo != nil {
			return p.Fail("invalid input range: '%s'", opts.value('i'))
		}
		lines = nil
		for i := from; i <= to; i++ {
			lines = append(lines, strconv.Itoa(i))
		}
	case !opts.has('e'):
		lines, code = p.allLines(operands)
	}
	rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	if opts.has('n') {
		n, _ := strconv.Atoi(opts.value('n'))
		lines = lines[:min(n, len(lines))]
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	for _, line := range lines {
		fmt.Fprintln(out, line)
	}
	return code
}
