package cgroup

import "testing"

// TestOutOfMemoryV1: where memory and swap together have the same limit as memory alone, the kernel meets the former first,
// and only that one's counter says so.
func TestOutOfMemoryV1(t *testing.T) {
	for name, failures := range map[string][2]string{"memory": {"7", "0"}, "memory and swap": {"0", "7"}} {
		root := t.TempDir()
		h := fakeV1(root)
		dir := root + "/memory/sandbox/" + someID
		write(t, dir+"/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
		write(t, dir+"/memory.limit_in_bytes", "12582912\n")
		write(t, dir+"/memory.failcnt", failures[0]+"\n")
		write(t, dir+"/memory.memsw.failcnt", failures[1]+"\n")
		if got := h.OutOfMemory(someID).Tell(true); got != "out of memory: it met its limit of 12 MiB, and it was killed" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
