package userland

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseSize reads 10, 4k, 1M, 2GB, 512b and so on: k and K are 1024, kB is 1000, b is 512.
func parseSize(text string) (int64, error) {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	n, err := strconv.ParseInt(text[:digits], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("invalid number: '%s'", text)
	}
	suffix := text[digits:]
	switch suffix {
	case "", "c":
		return n, nil
	case "w":
		return n * 2, nil
	case "b":
		return n * 512, nil
	}
	power := strings.IndexByte("KMGTPE", strings.ToUpper(suffix)[0]) + 1
	base := int64(1024)
	switch rest := suffix[1:]; {
	case power == 0, rest != "" && rest != "B" && rest != "iB":
		return 0, fmt.Errorf("invalid number: '%s'", text)
	case rest == "B":
		base = 1000
	}
	for range power {
		if n > math.MaxInt64/base {
			return 0, fmt.Errorf("'%s': value too large", text)
		}
		n *= base
	}
	return n, nil
}

// humanSize is a number of bytes as ls -h, du -h and df -h show it: 512, 1.5K, 23M. It rounds up, as they do.
func humanSize(bytes int64) string {
	if bytes < 1024 {
		return strconv.FormatInt(bytes, 10)
	}
	value := float64(bytes)
	unit := -1
	for value >= 1024 && unit < 5 {
		value /= 1024
		unit++
	}
	if tenths := math.Ceil(value*10) / 10; tenths < 10 {
		return fmt.Sprintf("%.1f%c", tenths, "KMGTPE"[unit])
	}
	whole := math.Ceil(value)
	if whole >= 1024 && unit < 5 {
		return fmt.Sprintf("1.0%c", "KMGTPE"[unit+1])
	}
	return fmt.Sprintf("%.0f%c", whole, "KMGTPE"[unit])
}
