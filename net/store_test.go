package network

import (
	"slices"
	"strings"
	"testing"

	"sandbox/kernel"
)

// The directories are in the order of ids, which are chance; nobody may see that order.
func TestNetworksAreToldByName(t *testing.T) {
	s := &Store{Dir: t.TempDir(), Door: &kernel.Door{Process: "test"}}
	for id, name := range map[string]string{"a": "ours", "b": "host", "c": "bridge", "d": "none"} {
		if err := s.save(&Network{Name: name, ID: strings.Repeat(id, 64)}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for what, list := range map[string][]*Network{"List": list, "Peek": s.Peek()} {
		var names []string
		for _, n := range list {
			names = append(names, n.Name)
		}
		if want := []string{"bridge", "host", "none", "ours"}; !slices.Equal(names, want) {
			t.Errorf("%s: %v, want %v", what, names, want)
		}
	}
}
