package main

import (
	"cmp"
	"fmt"
	"go/build"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic/go-seccomp-bpf/arch"
)

// columns of the table, in the order of package seccomp's constants.
var columns = []struct {
	name  string
	table func() (map[string]int, error)
}{
	{"x86_64", func() (map[string]int, error) { return unixTable("amd64") }},
	{"x86", func() (map[string]int, error) { return unixTable("386") }},
	{"x32", x32Table},
	{"aarch64", func() (map[string]int, error) { return unixTable("arm64") }},
	{"arm", armTable},
}

var constant = regexp.MustCompile(`(?m)^\s+SYS_(\w+)\s+= (\d+)$`)

// notCalls stand among x/sys/unix's SYS_ constants without being system calls.
var notCalls = []string{"SYSCALL_MASK", "ARCH_SPECIFIC_SYSCALL"}

// unixTable reads golang.org/x/sys/unix's constants from its source, for they can be imported for one GOARCH only. They
// are newer and more exact than go-seccomp-bpf's table, which gives arm64 the names and calls of 32-bit machines too
// (fstatat for newfstatat: a filter would refuse every stat).
func unixTable(goarch string) (map[string]int, error) {
	pkg, err := build.Import("golang.org/x/sys/unix", ".", build.FindOnly)
	if err != nil {
		return nil, err
	}
	source, err := os.ReadFile(filepath.Join(pkg.Dir, "zsysnum_linux_"+goarch+".go"))
	if err != nil {
		return nil, err
	}
	table := map[string]int{}
	for _, match := range constant.FindAllStringSubmatch(string(source), -1) {
		if slices.Contains(notCalls, match[1]) {
			continue
		}
		if table[strings.ToLower(match[1])], err = strconv.Atoi(match[2]); err != nil {
			return nil, err
		}
	}
	return table, nil
}

// armTable adds the ARM kernel's private calls, 0xf0001 and up.
func armTable() (map[string]int, error) {
	table, err := unixTable("arm")
	for number, name := range arch.ARM.SyscallNumbers {
		if number >= 0xf0000 {
			table[name] = number
		}
	}
	return table, err
}

// not32 are x86_64's calls that x32 lacks: those that Linux marks "64" in syscall_64.tbl and gives no other number.
var not32 = []string{
	"_sysctl", "create_module", "epoll_ctl_old", "epoll_wait_old", "get_kernel_syms", "get_thread_area", "map_shadow_stack",
	"nfsservctl", "query_module", "set_thread_area", "uprobe", "uretprobe", "uselib", "vserver",
}

// x32Table is x86_64's, but the calls whose arguments hold pointers in memory have numbers of their own from 512 on.
func x32Table() (map[string]int, error) {
	table, err := unixTable("amd64")
	for _, name := range not32 {
		delete(table, name)
	}
	for number, name := range arch.X32.SyscallNumbers {
		if number >= 512 {
			table[name] = number
		}
	}
	return table, err
}

// callsFile is the table of all calls by name, and for each column the order of its numbers.
func callsFile() ([]byte, error) {
	tables := make([]map[string]int, len(columns))
	all := map[string]bool{}
	for i, column := range columns {
		var err error
		if tables[i], err = column.table(); err != nil {
			return nil, fmt.Errorf("%s: %w", column.name, err)
		}
		for name := range tables[i] {
			all[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(all))
	var b strings.Builder
	b.WriteString("\n// calls are the system calls by name, with their numbers: x86_64, x86, x32, aarch64, arm; -1 where there is none.\n")
	b.WriteString("var calls = [...]call{\n")
	for _, name := range names {
		fmt.Fprintf(&b, "{%q, [5]int32{", name)
		for i, table := range tables {
			number, ok := table[name]
			if !ok {
				number = -1
			}
			b.WriteString([]string{"", ", "}[min(i, 1)] + strconv.Itoa(number))
		}
		b.WriteString("}},\n")
	}
	b.WriteString("}\n")
	for i, column := range columns {
		writeOrder(&b, column.name, names, tables[i])
	}
	return gofmt(b.String())
}

// writeOrder lists the indexes into calls that have a number in the table, by that number.
func writeOrder(b *strings.Builder, column string, names []string, table map[string]int) {
	var order []int
	for i, name := range names {
		if _, ok := table[name]; ok {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(table[names[i]], table[names[j]]) })
	fmt.Fprintf(b, "\n// order_%s are the indexes into calls of the calls that %s has, by number.\n", column, column)
	fmt.Fprintf(b, "var order_%s = []uint16{", column)
	for i, index := range order {
		if i%20 == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "%d,", index)
	}
	b.WriteString("\n}\n")
}
