package cgroup

import "testing"

// TestOutOfMemoryV1: where memory and swap together have the same limit as memory alone, the kernel meets the former first,
// and only that one's counter says so.
func TestOutOfMemoryV1(t *testing.T) {
	const limit = "out of memory: it met its limit of 12 MiB, and it was killed"
	const machine = "out of memory: the machine had none left, and it was killed"
	for _, try := range []struct{ failures, swapFailures, peak, want string }{
		{"7", "0", "12582912", limit},
		{"0", "7", "12582912", limit},
		{"0", "0", "12582912", limit}, // Linux 6.18 does not count
		{"0", "0", "12500000", limit},
		{"0", "0", "8000000", machine},
	} {
		root := t.TempDir()
		h := fakeV1(root)
		dir := root + "/memory/sandbox/" + someID
		write(t, dir+"/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1")
		write(t, dir+"/memory.limit_in_bytes", "12582912")
		write(t, dir+"/memory.failcnt", try.failures)
		write(t, dir+"/memory.memsw.limit_in_bytes", "12582912")
		write(t, dir+"/memory.memsw.failcnt", try.swapFailures)
		write(t, dir+"/memory.memsw.max_usage_in_bytes", try.peak)
		if got := h.OutOfMemory(someID).Tell(true); got != try.want {
			t.Errorf("%+v: %s", try, got)
		}
	}
}
