package container

import (
	"fmt"

	"sandbox/kernel"
)

// Range is what may be given to a flag that takes a whole number and limits a container; "" for others. It is the cure of an
// error, whether the number is out of its range or is no number at all.
func Range(flag string) string {
	switch flag {
	case "memory-swappiness":
		return "0 (swap only in need) to 100 (swap readily); -1 for what the machine has"
	case "oom-score-adj":
		return "-1000 (the OOM killer leaves it alone) to 1000 (its first victim)"
	case "cpu-shares":
		return fmt.Sprintf("%d to %d; 1024 is what a container has that was given none", leastShares, mostShares)
	case "cpu-period":
		return fmt.Sprintf("%d (1 ms) to %d (1 s)", leastPeriod, mostPeriod)
	case "cpu-quota":
		return fmt.Sprintf("%d (1 ms) or more in each --cpu-period; -1 for no limit", leastQuota)
	case "pids-limit":
		return "a number of processes and threads, 1 or more; -1 or 0 for no limit"
	case "blkio-weight":
		return fmt.Sprintf("%d to %d; 0 for none of its own", leastWeight, mostWeight)
	}
	return ""
}

// outOfRange refuses a number that such a flag was given.
func outOfRange[T int | int64 | uint16](flag string, number T) error {
	return kernel.Advise(fmt.Errorf("invalid --%s: %d", flag, number), "%s", Range(flag))
}
