package command

import "fmt"

// Size writes a number of bytes as Docker does: three digits, powers of 1000.
func Size(bytes int64) string {
	value, units := float64(bytes), []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	i := 0
	for value >= 1000 && i < len(units)-1 {
		value, i = value/1000, i+1
	}
	return fmt.Sprintf("%.3g%s", value, units[i])
}

// BinarySize writes a number of bytes as Docker does where memory is meant: four digits, powers of 1024.
func BinarySize(bytes int64) string {
	value, units := float64(bytes), []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	i := 0
	for value >= 1024 && i < len(units)-1 {
		value, i = value/1024, i+1
	}
	return fmt.Sprintf("%.4g%s", value, units[i])
}
