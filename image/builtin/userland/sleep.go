package userland

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

func runSleep(p *Process) int {
	_, operands, err := p.options("+", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(operands) == 0 {
		return p.Fail("missing operand")
	}
	var total time.Duration
	for _, operand := range operands {
		d, err := parseDuration(operand)
		if err != nil {
			return p.Fail("%v", err)
		}
		if total += d; total < 0 {
			total = math.MaxInt64
		}
	}
	time.Sleep(total)
	return 0
}

// parseDuration reads 0.5, 3s, 2m, 1h, 7d and infinity.
func parseDuration(text string) (time.Duration, error) {
	if text == "infinity" || text == "inf" {
		return math.MaxInt64, nil
	}
	unit := time.Second
	number := text
	if n := len(text) - 1; n > 0 {
		if i := strings.IndexByte("smhd", text[n]); i >= 0 {
			unit = []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}[i]
			number = text[:n]
		}
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || value < 0 || math.IsNaN(value) {
		return 0, fmt.Errorf("invalid time interval '%s'", text)
	}
	if value *= float64(unit); value < math.MaxInt64 {
		return time.Duration(value), nil
	}
	return math.MaxInt64, nil
}
