package limits

import (
	"fmt"
	"strconv"
	"strings"

	"sandbox/kernel"
)

// ParseSize reads a number of bytes as Docker does: 64m, 1.5g, 100 KiB, 1048576. Units are powers of 1024, whatever they are called.
func ParseSize(s string) (int64, error) {
	number := strings.TrimSuffix(strings.ToLower(s), "b")
	number = strings.TrimSuffix(number, "i")
	unit := int64(1)
	if n := len(number); n > 0 {
		if i := strings.IndexByte("kmgtp", number[n-1]); i >= 0 {
			unit, number = 1<<(10*(i+1)), number[:n-1]
		}
	}
	number = strings.TrimSuffix(number, " ")
	if number == "" || strings.Trim(number, "0123456789.") != "" {
		return 0, fmt.Errorf("invalid size: %q", s)
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n*float64(unit) >= 1<<62 {
		return 0, fmt.Errorf("invalid size: %q", s)
	}
	return int64(n * float64(unit)), nil
}

// size reads what a flag that is a number of bytes was given; "" is 0.
func size(flag, value string) (int64, error) {
	if value == "" {
		return 0, nil
	}
	n, err := ParseSize(value)
	if err != nil {
		return 0, kernel.Advise(fmt.Errorf("invalid %s: %q is not a number of bytes", flag, value), "a number, 0 or more, and b, k, m or g, as in: %s 200m", flag)
	}
	return n, nil
}

// ParseShmSize reads --shm-size; there is always a /dev/shm, so there is no 0.
func ParseShmSize(s string) (int64, error) {
	n, err := ParseSize(s)
	if err != nil || n <= 0 {
		return 0, kernel.Advise(fmt.Errorf("invalid --shm-size: %q", s), "a number and b, k, m or g: 64m")
	}
	return n, nil
}
