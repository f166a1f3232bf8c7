package container

import (
	"os"

	"sandbox/kernel"
)

// Leftover is something that a crash has left behind. The commands on containers put such things right on their way;
// `doctor` shows them first.
type Leftover struct {
	Name   string
	Why    kernel.Why
	Remove func() error
}

// Leftovers looks for what belongs to no container that is alive, and changes nothing.
func (e *Engine) Leftovers() ([]Leftover, error) {
	entries, err := os.ReadDir(e.Paths.containers())
	if err != nil && !isMissing(err) {
		return nil, err
	}
	var list []Leftover
	known := map[string]bool{}
	for _, entry := range entries {
		id := entry.Name()
		known[id] = true
		r, err := e.Paths.load(id)
		switch {
		case isMissing(err) && e.isUnfinished(id):
			list = append(list, Leftover{"directory " + e.Paths.dir(id), kernel.Why{
				EN: "a command that made or removed a container was killed", ZH: "创建或删除容器的命令中途被杀"},
				func() error { e.removeUnfinished(id); return nil }})
		case err == nil && r.State.Running && !isLocked(e.Paths.dir(id)):
			list = append(list, Leftover{"container " + r.PlainName(), kernel.Why{
				EN: "its monitor was killed, or the machine went down", ZH: "它的监视进程被杀，或机器关过机"},
				func() error { _, _, err := e.reconcile(r); return err }})
		}
	}
	for _, id := range e.Groups.Leftovers(func(id string) bool { return known[id] }) {
		list = append(list, Leftover{"control groups of " + id[:12], kernel.Why{
			EN: "no container or pocket host has them any more", ZH: "已经没有容器或口袋主机在用"},
			func() error { return e.Door.Do(kernel.Try(e.groups(id).Remove(id)...)...) }})
	}
	for _, dir := range e.unfinishedVolumes() {
		list = append(list, Leftover{"volume " + dir, kernel.Why{
			EN: "a command that made or removed a volume was killed", ZH: "创建或删除数据卷的命令中途被杀"},
			func() error { e.sweepVolumes(); return nil }})
	}
	ofNetworks, err := e.Networks().Leftovers()
	for _, l := range ofNetworks {
		list = append(list, Leftover(l))
	}
	return list, err
}
