package userland

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// runFindmnt shows mounts as the tree that they are, or one of them.
func runFindmnt(p *Process) int {
	opts, words, err := p.options("lno:t:T:M:r", map[string]string{
		"list": "l", "noheadings": "n", "output": "o", "types": "t", "target": "T", "mountpoint": "M", "raw": "r",
	})
	if err != nil {
		return p.Fail("%v", err)
	}
	mounts, err := readMounts()
	if err != nil {
		return p.Fail("%v", err)
	}
	columns := []string{"TARGET", "SOURCE", "FSTYPE", "OPTIONS"}
	if opts.has('o') {
		columns = splitLists([]string{strings.ToUpper(opts.value('o'))})
	}
	rows := [][]string{columns}
	if opts.has('n') {
		rows = nil
	}
	wanted, targets := chooseMounts(mounts, append(opts.values('M'), words...), opts.value('T'), splitLists(opts.values('t')))
	if len(wanted) == 0 {
		return 1
	}
	if !opts.has('l') && !opts.has('r') && !targets {
		wanted = mountTree(wanted)
	}
	for _, m := range wanted {
		row, err := m.cells(columns)
		if err != nil {
			return p.Fail("%v", err)
		}
		rows = append(rows, row)
	}
	printColumns(p.Stdout, rows)
	return 0
}

// drawnMount is a mount with the branches to draw before its name.
type drawnMount struct {
	mountPoint
	branch string
}

func chooseMounts(mounts []mountPoint, at []string, containing string, types []string) (chosen []drawnMount, single bool) {
	for containing != "" {
		full, err := filepath.Abs(containing)
		if _, found := topMount(mounts, full); found || err != nil || full == "/" {
			at = append(at, full)
			break
		}
		containing = filepath.Dir(full)
	}
	for i, m := range mounts {
		if len(at) > 0 && !slices.Contains(at, m.target) && !slices.Contains(at, m.source) {
			continue
		}
		if top, _ := topMount(mounts, m.target); len(at) > 0 && top.id != mounts[i].id {
			continue
		}
		if len(types) == 0 || slices.Contains(types, m.fsType) {
			chosen = append(chosen, drawnMount{mountPoint: m})
		}
	}
	return chosen, len(at)+len(types) > 0
}

// mountTree puts each mount below the one it is mounted on.
func mountTree(mounts []drawnMount) []drawnMount {
	present := map[int]bool{}
	children := map[int][]drawnMount{}
	for _, m := range mounts {
		present[m.id] = true
	}
	for _, m := range mounts {
		parent := m.parent
		if !present[parent] || parent == m.id {
			parent = -1 // a root: what it is mounted on is not in sight
		}
		children[parent] = append(children[parent], m)
	}
	var ordered []drawnMount
	var visit func(parent int, indent string)
	visit = func(parent int, indent string) {
		for i, m := range children[parent] {
			below := indent
			if parent != -1 {
				m.branch, below = indent+"├─", indent+"│ "
				if i == len(children[parent])-1 {
					m.branch, below = indent+"└─", indent+"  "
				}
			}
			ordered = append(ordered, m)
			visit(m.id, below)
		}
	}
	visit(-1, "")
	return ordered
}

func (m drawnMount) cells(columns []string) ([]string, error) {
	var cells []string
	for _, column := range columns {
		switch column {
		case "TARGET":
			cells = append(cells, m.branch+m.target)
		case "SOURCE":
			source := m.source
			if m.root != "/" {
				source += "[" + m.root + "]"
			}
			cells = append(cells, source)
		case "FSTYPE":
			cells = append(cells, m.fsType)
		case "OPTIONS":
			cells = append(cells, m.allOptions())
		case "FSROOT":
			cells = append(cells, m.root)
		case "MAJ:MIN":
			cells = append(cells, m.device)
		case "PROPAGATION":
			cells = append(cells, m.propagation())
		default:
			return nil, fmt.Errorf("unknown column: %s", column)
		}
	}
	return cells, nil
}

// propagation says with whom this mount shares what is mounted below it.
func (m mountPoint) propagation() string {
	var words []string
	for field := range strings.FieldsSeq(m.fields) {
		switch kind, _, _ := strings.Cut(field, ":"); kind {
		case "shared":
			words = append(words, "shared")
		case "master":
			words = append(words, "slave")
		case "unbindable":
			words = append(words, "unbindable")
		}
	}
	if len(words) == 0 {
		return "private"
	}
	return strings.Join(words, ",")
}
