package userland

import "golang.org/x/sys/unix"

// runPivotRoot makes one directory the root of this mount namespace and puts the old root into another: pivot_root(8).
func runPivotRoot(p *Process) int {
	if len(p.Args) != 3 {
		return p.Fail("usage: pivot_root NEW_ROOT PUT_OLD")
	}
	if err := unix.PivotRoot(p.Args[1], p.Args[2]); err != nil {
		return p.Fail("failed to change root from `%s' to `%s': %s", p.Args[1], p.Args[2], causeText(err))
	}
	return 0
}
