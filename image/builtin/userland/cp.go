package userland

import (
	"bufio"
	"os"
	"path/filepath"
)

func runCp(p *Process) int {
	opts, names, err := p.options("rRapfvdPLHnuilsTt:x", map[string]string{"recursive": "r", "archive": "a", "force": "f",
		"verbose": "v", "no-dereference": "P", "dereference": "L", "no-clobber": "n", "update": "u", "interactive": "i",
		"link": "l", "symbolic-link": "s", "no-target-directory": "T", "target-directory": "t", "preserve": "p"})
	if err != nil {
		return p.Fail("%v", err)
	}
	c := &copier{
		p:         p,
		recursive: opts.last("rRa") != 0,
		same:      opts.last("da") != 0,
		preserve:  opts.last("pa") != 0,
		force:     opts.has('f'),
		noClobber: opts.last("nif") == 'n',
		update:    opts.has('u'),
		hardLink:  opts.has('l'),
		symLink:   opts.has('s'),
		verbose:   opts.has('v'),
	}
	if opts.last("nif") == 'i' {
		c.ask = bufio.NewReader(p.Stdin)
	}
	// A tree is copied with its symbolic links; a single file is what its name leads to.
	c.links = c.recursive || opts.last("dPaL") == 'd' || opts.last("PL") == 'P'
	if opts.last("dPaLH") == 'L' {
		c.links = false
	}
	c.follow = opts.last("dPaH") == 'H'
	return p.toTarget(opts, names, func(from, to string) int {
		c.code = 0
		c.copy(from, to, true)
		return c.code
	})
}

// toTarget does the part that cp, mv and ln share: which new name does each old one get?
func (p *Process) toTarget(opts *options, names []string, act func(from, to string) int) int {
	target := opts.value('t')
	if target == "" {
		switch len(names) {
		case 0:
			return p.Fail("missing file operand")
		case 1:
			return p.Fail("missing destination file operand after '%s'", names[0])
		}
		target, names = names[len(names)-1], names[:len(names)-1]
	}
	info, err := os.Stat(target)
	isDir := err == nil && info.IsDir() && !opts.has('T')
	if !isDir && (len(names) > 1 || opts.has('t')) {
		return p.Fail("target '%s': %s", target, notDirectoryText(err))
	}
	code := 0
	for _, from := range names {
		to := target
		if isDir {
			to = filepath.Join(target, filepath.Base(from))
			if base := filepath.Base(from); base == "." || base == ".." || base == "/" {
				to = target
			}
		}
		code |= act(from, to)
	}
	return code
}

func notDirectoryText(err error) string {
	if err != nil {
		return causeText(err)
	}
	return "Not a directory"
}
