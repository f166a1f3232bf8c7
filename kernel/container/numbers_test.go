package container

import (
	"testing"

	"sandbox/kernel"
	"sandbox/kernel/early"
)

// TestNumbersAreDistinct: what a monitor gets with its order does not replace one another. Which of them come depends on the container
// and the kernel: the group's directory is there on version 2 of control groups only.
func TestNumbersAreDistinct(t *testing.T) {
	names := map[int]string{}
	for name, number := range map[string]int{
		"control": early.Control, "memory": early.Memory, "lock": early.Lock, "group": kernel.GroupFD, "names": early.Names, "stream": early.Stream,
		"joined": early.Joined, "joined 2": early.Joined + 1, "joined 3": early.Joined + 2,
		"knock": early.Knock, "door": early.Door, "await": early.Await, "waiting": early.Waiting, "first port": early.Port,
		"stdin": childStdin, "stdout": childStdout, "stderr": childStderr, "pty": childPty, "master": childMaster,
		"our stdin": monitorStdin, "our stdout": monitorStdout, "our stderr": monitorStderr, "our pty": monitorPty,
	} {
		if other, taken := names[number]; taken {
			t.Errorf("%s and %s are both %d", name, other, number)
		}
		names[number] = name
		if number > early.Port {
			t.Errorf("%s, %d, is among the ports", name, number)
		}
	}
	if last := early.Port + early.Ports - 1; last > 255 {
		t.Errorf("the last port's number, %d, is no byte", last)
	}
}
