package chapter3

import (
	"strings"
	"testing"

	"sandbox/labs/columns"
)

func TestNamespacesDrawing(t *testing.T) {
	d := namespacesDrawing{
		language: "en", name: "box", pid: 71,
		host:   map[string]string{"mnt": "4026532336", "uts": "4026532337", "ipc": "4026532338", "pid": "4026532339", "net": "4026532340", "user": "4026531837", "cgroup": "4026532410"},
		own:    map[string]string{"mnt": "4026532411", "uts": "4026532412", "ipc": "4026532491", "pid": "4026532492", "net": "4026532340", "user": "4026531837", "cgroup": "4026532493"},
		others: []otherNamespaces{{"friend", map[string]string{"ipc": "4026532491", "net": "4026532340"}}},
	}
	const want = `        ┌─ host ─────┐          ╔═ box ══════╗
 mnt    │ 4026532336 │          ║ 4026532411 ║ files and mounts
 uts    │ 4026532337 │          ║ 4026532412 ║ host name
 ipc    │ 4026532338 │          ║ 4026532491 ║ shared memory, queues
 pid    │ 4026532339 │          ║ 4026532492 ║ processes
 net    │ 4026532340 ├── same ──╢ 4026532340 ║ interfaces, ports
 user   │ 4026531837 ├── same ──╢ 4026531837 ║ users and root
 cgroup │ 4026532410 │          ║ 4026532493 ║ control groups
        └────────────┘          ╚════════════╝
Process 71 has 7 namespaces: 5 of its own, 2 of the host's
ipc: shared with friend
`
	if got := d.draw(); got != want {
		t.Errorf("got:\n%s", got)
	}
	d.language = "zh"
	lines := strings.Split(d.draw(), "\n")
	right := -1
	for _, line := range lines[1 : len(lines)-4] {
		at := columns.Of(line[:strings.LastIndex(line, "║")])
		if right >= 0 && at != right {
			t.Errorf("the frame is not straight:\n%s", strings.Join(lines, "\n"))
		}
		right = at
	}
	if lines[len(lines)-2] != "ipc：与 friend 共用" || lines[len(lines)-3] != "进程 71 有 7 个 namespace：5 个是自己的，2 个和 host 共用" {
		t.Errorf("got:\n%s", strings.Join(lines, "\n"))
	}
}
