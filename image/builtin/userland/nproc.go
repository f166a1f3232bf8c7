package userland

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
)

func runNproc(p *Process) int {
	opts, _, err := p.options("ai:", map[string]string{"all": "a", "ignore": "i"})
	if err != nil {
		return p.Fail("%v", err)
	}
	// The CPUs that this process may run on, which is what `--cpuset-cpus` restricts.
	count := runtime.NumCPU()
	if opts.has('a') {
		count = installedCPUs(count)
	}
	ignore, _ := strconv.Atoi(opts.value('i'))
	fmt.Fprintln(p.Stdout, max(count-ignore, 1))
	return 0
}

func installedCPUs(fallback int) int {
	entries, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*")
	if len(entries) == 0 {
		return fallback
	}
	return len(entries)
}
