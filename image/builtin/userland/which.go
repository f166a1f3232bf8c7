package userland

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

func runWhich(p *Process) int {
	opts, names, err := p.options("a", map[string]string{"all": "a"})
	if err != nil {
		return p.Fail("%v", err)
	}
	code := 0
	for _, name := range names {
		paths := programsCalled(name, os.Getenv("PATH"))
		if len(paths) == 0 {
			code = 1
			continue
		}
		if !opts.has('a') {
			paths = paths[:1]
		}
		for _, path := range paths {
			fmt.Fprintln(p.Stdout, path)
		}
	}
	return code
}

// programsCalled finds all programs of a name along a search path.
func programsCalled(name, searchPath string) []string {
	candidates := []string{name}
	if !strings.Contains(name, "/") {
		candidates = nil
		for _, dir := range filepath.SplitList(searchPath) {
			candidates = append(candidates, filepath.Join(cmp.Or(dir, "."), name))
		}
	}
	return slices.DeleteFunc(candidates, func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || info.IsDir() || unix.Access(path, unix.X_OK) != nil
	})
}
