package userland

import (
	"fmt"
	"path/filepath"
	"strings"
)

func runBasename(p *Process) int {
	opts, names, err := p.options("as:z", map[string]string{"multiple": "a", "suffix": "s", "zero": "z"})
	if err != nil {
		return p.Fail("%v", err)
	}
	suffix := opts.value('s')
	if len(names) == 0 {
		return p.Fail("missing operand")
	}
	if len(opts.found) == 0 && len(names) == 2 {
		suffix = names[1]
		names = names[:1]
	}
	for _, name := range names {
		base := filepath.Base(name)
		if cut := strings.TrimSuffix(base, suffix); cut != "" {
			base = cut
		}
		fmt.Fprintln(p.Stdout, base)
	}
	return 0
}
