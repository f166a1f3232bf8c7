package userland

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func runChmod(p *Process) int {
	args := p.Args
	p.Args = protectModes(args)
	opts, operands, err := p.options("Rvcf", map[string]string{"recursive": "R", "verbose": "v", "changes": "c", "silent": "f", "quiet": "f"})
	p.Args = args
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(operands) < 2 {
		return p.Fail("missing operand")
	}
	change, err := parseMode(operands[0])
	if err != nil {
		return p.Fail("%v", err)
	}
	code := 0
	for _, name := range operands[1:] {
		code |= p.eachFile(name, opts.has('R'), func(path string, info os.FileInfo) error {
			if info.Mode()&os.ModeSymlink != 0 {
				if path != name {
					return nil // links met on the way have no mode of their own
				}
				if info, err = os.Stat(path); err != nil {
					return fmt.Errorf("cannot operate on dangling symlink '%s'", path)
				}
			}
			old := info.Sys().(*syscall.Stat_t).Mode & 0o7777
			mode := change(old, info.IsDir())
			if err := syscall.Chmod(path, mode); err != nil {
				return fmt.Errorf("changing permissions of '%s': %s", path, causeText(err))
			}
			if opts.has('v') || opts.has('c') && mode != old {
				fmt.Fprintf(p.Stdout, "mode of '%s' changed from %04o (%s) to %04o (%s)\n", path,
					old, modeText(old)[1:], mode, modeText(mode)[1:])
			}
			return nil
		})
	}
	return code
}

// protectModes puts -- before a mode that looks like a flag: chmod -x FILE.
func protectModes(args []string) []string {
	for i, arg := range args[1:] {
		if arg == "--" || arg == "" {
			break
		}
		if arg[0] != '-' {
			break
		}
		if len(arg) > 1 && arg[1] != '-' && strings.Trim(arg[1:], "rwxXst,+-=ugo") == "" {
			return slices.Insert(slices.Clone(args), 1+i, "--")
		}
	}
	return args
}

// eachFile does something to a file, and with recursive to all below it, its directories before what they hold. It
// does not follow symbolic links.
func (p *Process) eachFile(path string, recursive bool, act func(path string, info os.FileInfo) error) int {
	info, err := os.Lstat(path)
	if err != nil {
		return p.Fail("cannot access '%s': %s", path, causeText(err))
	}
	code := 0
	if err := act(path, info); err != nil {
		code = p.Fail("%v", err)
	}
	if !recursive || !info.IsDir() {
		return code
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return p.Fail("cannot read directory '%s': %s", path, causeText(err))
	}
	for _, entry := range entries {
		code |= p.eachFile(filepath.Join(path, entry.Name()), true, act)
	}
	return code
}
