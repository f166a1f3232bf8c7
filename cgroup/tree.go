package cgroup

import (
	"os"
	"path"
)

// Node is a group with what is in use in it, and the groups that were made inside.
type Node struct {
	ID    string // of the container; below that the directory's name
	Path  string // on v1 in the first hierarchy that containers are in, usually that of memory
	Usage Usage
	Inner []Node
}

// Tree reads the groups of some containers, and the directory that they are in.
func (h Host) Tree(ids []string) (parent string, nodes []Node) {
	if !h.Available() {
		return "", nil
	}
	for _, id := range ids {
		nodes = append(nodes, h.node(id, id))
	}
	return h.Group("").dirs[0].parent(), nodes
}

// node reads one group; within is its path below the parent of all.
func (h Host) node(name, within string) Node {
	n := Node{ID: name, Path: h.Group(within).Directories()[0]}
	n.Usage, _ = h.Usage(within)
	if nlink(n.Path) <= 2 {
		return n
	}
	entries, _ := os.ReadDir(n.Path)
	for _, e := range entries {
		if e.IsDir() {
			n.Inner = append(n.Inner, h.node(e.Name(), path.Join(within, e.Name())))
		}
	}
	return n
}
