package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// defaultFile is the library's default profile as a Go literal of package seccomp's type.
func defaultFile() ([]byte, error) {
	p := seccomp.DefaultProfile()
	var b strings.Builder
	b.WriteString("\nimport \"github.com/opencontainers/runtime-spec/specs-go\"\n")
	b.WriteString("\n// defaultProfile is Docker's, from github.com/moby/profiles/seccomp. Not to be changed: all callers share it.\n")
	b.WriteString("var defaultProfile = profile{\n")
	fmt.Fprintf(&b, "DefaultAction: %q,\n", p.DefaultAction)
	if p.DefaultErrnoRet != nil {
		fmt.Fprintf(&b, "DefaultErrnoRet: new(uint(%d)),\n", *p.DefaultErrnoRet)
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

func writeRule(b *strings.Builder, s *seccomp.Syscall) {
	b.WriteString("{\nLinuxSyscall: specs.LinuxSyscall{\n")
	writeNames(b, s.Names)
	fmt.Fprintf(b, "Action: %q,\n", s.Action)
	if s.ErrnoRet != nil {
		fmt.Fprintf(b, "ErrnoRet: new(uint(%d)),\n", *s.ErrnoRet)
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
