package userland

import (
	"fmt"
	"os"
	"syscall"
)

func runPwd(p *Process) int {
	opts, _, err := p.options("LP", map[string]string{"logical": "L", "physical": "P"})
	if err != nil {
		return p.Fail("%v", err)
	}
	dir := os.Getenv("PWD")
	// $PWD may be the way the user came, by symbolic links; it counts if it leads here.
	if opts.last("LP") != 'L' || !sameFile(dir, ".") {
		path, err := os.Readlink("/proc/self/cwd")
		if err != nil {
			path, err = syscall.Getwd()
		}
		if err != nil {
			return p.Fail("%s", causeText(err))
		}
		dir = path
	}
	fmt.Fprintln(p.Stdout, dir)
	return 0
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
