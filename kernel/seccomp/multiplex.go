package seccomp

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// The multiplexers of 32-bit x86: calls that go through socketcall(2) and ipc(2), the first argument saying which.
var (
	socketcalls = [...]string{
		"", "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "send", "recv", "sendto",
		"recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
	}
	ipcs = [...]string{
		1: "semop", 2: "semget", 3: "semctl", 4: "semtimedop", 11: "msgsnd", 12: "msgrcv", 13: "msgget", 14: "msgctl",
		21: "shmat", 22: "shmdt", 23: "shmget", 24: "shmctl",
	}
)

// multiplex applies what is said of a call to the other way of making it, as libseccomp does: who forbids socket means
// socketcall(1, …) too. A condition on the call's first argument gives way to the call's number; what the call is given
// lies in memory there, where the program cannot look.
func (j *judgement) multiplex() {
	for _, way := range [...]struct {
		through string
		calls   []string
	}{{"socketcall", socketcalls[:]}, {"ipc", ipcs[:]}} {
		entry := callIndex(way.through)
		through := &j.verdicts[entry]
		for number, name := range way.calls {
			i := callIndex(name)
			if i < 0 || through.settled {
				continue
			}
			j.named[entry] = j.named[entry] || j.named[i]
			which := specs.LinuxSeccompArg{Index: 0, Value: uint64(number), Op: specs.OpEqualTo}
			v := &j.verdicts[i]
			if v.settled {
				through.add(v.action, []specs.LinuxSeccompArg{which})
			}
			for _, r := range v.rules {
				rest := slices.DeleteFunc(slices.Clone(r.conditions), func(c specs.LinuxSeccompArg) bool { return c.Index == 0 })
				through.add(r.action, append([]specs.LinuxSeccompArg{which}, rest...))
			}
		}
	}
}
