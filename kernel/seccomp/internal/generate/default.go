package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel/capability"
)

// defaultFile is the library's default profile as a Go literal of package seccomp's type.
func defaultFile() ([]byte, error) {
	p := seccomp.DefaultProfile()
	var b strings.Builder
	b.WriteString("\nimport \"github.com/opencontainers/runtime-spec/specs-go\"\n")
	writeErrnos(&b, p)
	fmt.Fprintf(&b, "\n// decisive are the capabilities that the profile asks for.\nconst decisive uint64 = %#x\n", uint64(decisive(p)))
	newest := newestKernel(p)
	b.WriteString("\n// newestMajor and newestMinor are the newest kernel that a condition asks for.\n")
	fmt.Fprintf(&b, "const newestMajor, newestMinor = %d, %d\n", newest.Kernel, newest.Major)
	b.WriteString("\n// defaultProfile is Docker's, from github.com/moby/profiles/seccomp. Not to be changed: all callers share it.\n")
	b.WriteString("var defaultProfile = profile{\n")
	fmt.Fprintf(&b, "DefaultAction: %q,\n", p.DefaultAction)
	if p.DefaultErrnoRet != nil {
		fmt.Fprintf(&b, "DefaultErrnoRet: &errno%d,\n", *p.DefaultErrnoRet)
	}
	b.WriteString("ArchMap: []architecture{\n")
	for _, a := range p.ArchMap {
		fmt.Fprintf(&b, "{Arch: %q, %s},\n", a.Arch, list("SubArches: []specs.Arch", a.SubArches))
	}
	b.WriteString("},\nSyscalls: []rule{\n")
	for _, s := range p.Syscalls {
		writeRule(&b, s)
	}
	b.WriteString("},\n}\n")
	return gofmt(b.String())
}

// writeErrnos gives each errno of the profile a variable, so that a pointer to it needs no code at the start.
func writeErrnos(b *strings.Builder, p *seccomp.Seccomp) {
	errnos := []uint{}
	for _, s := range append([]*seccomp.Syscall{{LinuxSyscall: specs.LinuxSyscall{ErrnoRet: p.DefaultErrnoRet}}}, p.Syscalls...) {
		if s.ErrnoRet != nil {
			errnos = append(errnos, *s.ErrnoRet)
		}
	}
	slices.Sort(errnos)
	b.WriteString("\n// What ErrnoRet points to.\nvar (\n")
	for _, errno := range slices.Compact(errnos) {
		fmt.Fprintf(b, "errno%d uint = %d\n", errno, errno)
	}
	b.WriteString(")\n")
}

// filters are all conditions on rules.
func filters(p *seccomp.Seccomp) []*seccomp.Filter {
	var list []*seccomp.Filter
	for _, s := range p.Syscalls {
		for _, f := range []*seccomp.Filter{s.Includes, s.Excludes} {
			if f != nil {
				list = append(list, f)
			}
		}
	}
	return list
}

func decisive(p *seccomp.Seccomp) capability.Set {
	var set capability.Set
	for _, f := range filters(p) {
		set |= capability.SetOf(f.Caps)
	}
	return set
}

func newestKernel(p *seccomp.Seccomp) seccomp.KernelVersion {
	var newest seccomp.KernelVersion
	for _, f := range filters(p) {
		if k := f.MinKernel; k != nil && (k.Kernel > newest.Kernel || k.Kernel == newest.Kernel && k.Major > newest.Major) {
			newest = *k
		}
	}
	return newest
}

func writeRule(b *strings.Builder, s *seccomp.Syscall) {
	b.WriteString("{\nLinuxSyscall: specs.LinuxSyscall{\n")
	writeNames(b, s.Names)
	fmt.Fprintf(b, "Action: %q,\n", s.Action)
	if s.ErrnoRet != nil {
		fmt.Fprintf(b, "ErrnoRet: &errno%d,\n", *s.ErrnoRet)
	}
	if len(s.Args) > 0 {
		b.WriteString("Args: []specs.LinuxSeccompArg{\n")
		for _, a := range s.Args {
			writeArg(b, a)
		}
		b.WriteString("},\n")
	}
	b.WriteString("},\n")
	writeFilter(b, "Includes", s.Includes)
	writeFilter(b, "Excludes", s.Excludes)
	b.WriteString("},\n")
}

func writeArg(b *strings.Builder, a specs.LinuxSeccompArg) {
	fmt.Fprintf(b, "{Index: %d, Value: %#x, ", a.Index, a.Value)
	if a.ValueTwo != 0 {
		fmt.Fprintf(b, "ValueTwo: %#x, ", a.ValueTwo)
	}
	fmt.Fprintf(b, "Op: %q},\n", a.Op)
}

// writeNames breaks a long list into lines of about 110 characters.
func writeNames(b *strings.Builder, names []string) {
	b.WriteString("Names: []string{")
	column := 110
	for _, name := range names {
		if column += len(name) + 4; len(names) > 8 && column > 110 {
			b.WriteString("\n")
			column = len(name) + 4
		}
		fmt.Fprintf(b, "%q, ", name)
	}
	b.WriteString("},\n")
}

func writeFilter(b *strings.Builder, field string, f *seccomp.Filter) {
	if f == nil {
		return
	}
	fmt.Fprintf(b, "%s: filter{", field)
	b.WriteString(list("Caps: []string", f.Caps) + list("Arches: []string", f.Arches))
	if f.MinKernel != nil {
		fmt.Fprintf(b, "MinKernel: Version{%d, %d},", f.MinKernel.Kernel, f.MinKernel.Major)
	}
	b.WriteString("},\n")
}

// list writes prefix{"a", "b"}, or nothing for an empty list.
func list[S ~string](prefix string, values []S) string {
	if len(values) == 0 {
		return ""
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(string(v))
	}
	return prefix + "{" + strings.Join(quoted, ", ") + "}, "
}
