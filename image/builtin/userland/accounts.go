package userland

import (
	"os"
	"strconv"
	"strings"
)

// accounts translates the ids of /etc/passwd or /etc/group to names, reading the file once, on first use.
type accounts struct {
	file  string
	names map[int]string
}

// name is the id's name, or the number itself where the file does not know it.
func (a *accounts) name(id int) string {
	if a.names == nil {
		a.read()
	}
	if name, ok := a.names[id]; ok {
		return name
	}
	return strconv.Itoa(id)
}

func (a *accounts) read() {
	a.names = map[int]string{}
	text, _ := os.ReadFile(a.file) // an image without accounts is fine: the numbers are shown
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(line, ":")
		if len(fields) < 3 {
			continue
		}
		id, err := strconv.Atoi(strings.TrimSpace(fields[2]))
		if _, known := a.names[id]; err == nil && !known {
			a.names[id] = fields[0]
		}
	}
}

// id is the other direction: the id of a name, or of a number written out.
func (a *accounts) id(name string) (int, bool) {
	if n, err := strconv.Atoi(name); err == nil {
		return n, true
	}
	if a.names == nil {
		a.read()
	}
	for id, known := range a.names {
		if known == name {
			return id, true
		}
	}
	return 0, false
}
