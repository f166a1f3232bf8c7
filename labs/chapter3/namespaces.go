package chapter3

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/columns"
	"sandbox/labs/command"
)

// namespaceKinds are those that a process has, as the kernel calls them, with what each is about.
var namespaceKinds = []struct {
	name string
	what kernel.Why
}{
	{"mnt", kernel.Why{EN: "files and mounts", ZH: "文件和挂载"}},
	{"uts", kernel.Why{EN: "host name", ZH: "主机名"}},
	{"ipc", kernel.Why{EN: "shared memory, queues", ZH: "共享内存、消息队列"}},
	{"pid", kernel.Why{EN: "processes", ZH: "进程"}},
	{"net", kernel.Why{EN: "interfaces, ports", ZH: "网卡、端口"}},
	{"user", kernel.Why{EN: "users and root", ZH: "用户和 root"}},
	{"cgroup", kernel.Why{EN: "control groups", ZH: "cgroup"}},
	{"time", kernel.Why{EN: "clocks", ZH: "时钟"}},
}

// drawNamespaces draws those of a container's first process beside those of the process that asks.
func drawNamespaces(env *command.Env, r *container.Record) error {
	name := r.PlainName()
	if !r.State.Running {
		return kernel.Advise(fmt.Errorf("container %s is not running: no process, no namespaces", name), "sandbox start %s   makes them", name)
	}
	own := container.NamespacesOf(fmt.Sprint(r.State.Pid))
	if len(own) == 0 {
		return kernel.Advise(errors.New("the kernel does not show this user the namespaces of process "+fmt.Sprint(r.State.Pid)), "ask as the user who has started %s, or as root", name)
	}
	d := namespacesDrawing{language: env.Language(), name: name, pid: r.State.Pid, host: container.NamespacesOf("self"), own: own}
	list, err := env.Engine().List()
	if err != nil {
		return err
	}
	for _, other := range list {
		if other.ID != r.ID && other.State.Running {
			d.others = append(d.others, otherNamespaces{other.PlainName(), container.NamespacesOf(fmt.Sprint(other.State.Pid))})
		}
	}
	_, err = fmt.Fprint(env.Out, d.draw())
	return err
}

type otherNamespaces struct {
	name    string
	numbers map[string]string
}

// namespacesDrawing puts two processes side by side; what they share is tied together:
//
//	┌─ host ─────┐          ╔═ box ══════╗
//	│ 4026531838 │          ║ 4026532201 ║ host name
//	│ 4026531840 ├── same ──╢ 4026531840 ║ interfaces, ports
//	└────────────┘          ╚════════════╝
type namespacesDrawing struct {
	language  string
	name      string
	pid       int
	host, own map[string]string
	others    []otherNamespaces
}

func (d namespacesDrawing) say(en, zh string) string {
	return kernel.Why{EN: en, ZH: zh}.In(d.language)
}

func (d namespacesDrawing) draw() string {
	var b strings.Builder
	const host = "host"
	title := columns.Cut(d.name, 16)
	const margin, number = 8, len("4026531838")
	left, right := max(number, columns.Of(host)+2), max(number, columns.Of(title)+2)
	tie := d.say("same", "同一个")
	between := columns.Of(tie) + 6
	fmt.Fprintf(&b, "%*s┌─ %s %s┐%*s╔═ %s %s╗\n", margin, "", host, strings.Repeat("─", left-columns.Of(host)-1), between, "", title, strings.Repeat("═", right-columns.Of(title)-1))
	shared := 0
	var joined []string
	for _, kind := range namespaceKinds {
		theirs, its := d.host[kind.name], d.own[kind.name]
		if its == "" {
			continue
		}
		leave, line, enter := "│", strings.Repeat(" ", between), "║"
		if theirs == its {
			shared++
			leave, line, enter = "├", "── "+tie+" ──", "╢"
		}
		fmt.Fprintf(&b, " %-*s│ %-*s %s%s%s %-*s ║ %s\n", margin-1, kind.name, left, theirs, leave, line, enter, right, its, kind.what.In(d.language))
		if with := d.sharedWith(kind.name); theirs != its && len(with) > 0 {
			joined = append(joined, fmt.Sprintf(d.say("%s: shared with %s", "%s：与 %s 共用"), kind.name, strings.Join(with, d.say(", ", "、"))))
		}
	}
	fmt.Fprintf(&b, "%*s└%s┘%*s╚%s╝\n", margin, "", strings.Repeat("─", left+2), between, "", strings.Repeat("═", right+2))
	fmt.Fprintf(&b, d.say("Process %d has %d namespaces: %d of its own, %d of the host's\n", "进程 %d 有 %d 个 namespace：%d 个是自己的，%d 个和 host 共用\n"), d.pid, len(d.own), len(d.own)-shared, shared)
	for _, line := range joined {
		fmt.Fprintln(&b, line)
	}
	return b.String()
}

// sharedWith names the other containers that are in its namespace of a kind.
func (d namespacesDrawing) sharedWith(kind string) (names []string) {
	for _, o := range d.others {
		if o.numbers[kind] == d.own[kind] {
			names = append(names, o.name)
		}
	}
	slices.Sort(names)
	return names
}
