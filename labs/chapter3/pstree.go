package chapter3

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/columns"
	"sandbox/labs/command"
)

// Words of the drawing, in both languages.
var (
	treeNothing = kernel.Why{EN: "no container is running, and no process of sandbox is left for one", ZH: "没有容器在运行，也没有任何为容器服务的 sandbox 进程"}
	treeApart   = kernel.Why{EN: "apart from the host: ", ZH: "与 host 分开："}
	treeShared  = kernel.Why{EN: "shared with it: ", ZH: "与 host 共用："}
)

// printTree draws who has started whom: `sandbox ps --tree`.
func printTree(env *command.Env, opts psOptions, list []*container.Record) error {
	list = slices.DeleteFunc(slices.Clone(list), func(r *container.Record) bool { return !r.State.Running })
	if len(list) == 0 {
		fmt.Fprintln(env.Out, treeNothing.In(env.Language()))
		return nil
	}
	width := 0
	if !opts.noTrunc {
		width = env.Width()
	}
	for _, line := range drawProcesses(env.Engine().ProcessTree(list)) {
		if width > 0 {
			line = columns.Cut(line, width)
		}
		fmt.Fprintln(env.Out, line)
	}
	fmt.Fprintln(env.Out)
	widest := 0
	for _, r := range list {
		widest = max(widest, columns.Of(r.PlainName()))
	}
	for _, r := range list {
		apart, shared := env.Engine().Namespaces(r)
		fmt.Fprintf(env.Out, "%-*s  %s\n", widest, r.PlainName(), treeApart.In(env.Language())+words(apart))
		fmt.Fprintf(env.Out, "%-*s  %s\n", widest, "", treeShared.In(env.Language())+words(shared))
	}
	return nil
}

func words(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, " ")
}

// drawProcesses is a line for each process, under a heading.
func drawProcesses(all []container.Process) []string {
	rows := [][3]string{{"PID", "PPID", "INSIDE"}}
	drawn := []string{"PROCESS"}
	roles := []string{"ROLE"}
	var draw func(p container.Process, stem, branch string)
	draw = func(p container.Process, stem, branch string) {
		inside := "-"
		if p.Inside > 0 {
			inside = strconv.Itoa(p.Inside)
		}
		rows = append(rows, [3]string{strconv.Itoa(p.PID), strconv.Itoa(p.Parent), inside})
		roles = append(roles, roleOf(p))
		drawn = append(drawn, stem+branch+shortLine(p.Line))
		switch branch {
		case "├─ ":
			stem += "│  "
		case "└─ ":
			stem += "   "
		}
		children := slices.DeleteFunc(slices.Clone(all), func(c container.Process) bool { return c.Parent != p.PID })
		for i, child := range children {
			branch := "├─ "
			if i == len(children)-1 {
				branch = "└─ "
			}
			draw(child, stem, branch)
		}
	}
	for _, p := range all {
		if !slices.ContainsFunc(all, func(o container.Process) bool { return o.PID == p.Parent }) {
			draw(p, "", "")
		}
	}
	widest := 0
	for _, role := range roles {
		widest = max(widest, len(role))
	}
	var lines []string
	for i, row := range rows {
		lines = append(lines, fmt.Sprintf("%-7s %-7s %-6s  %-*s  %s", row[0], row[1], row[2], widest, roles[i], drawn[i]))
	}
	return lines
}

func roleOf(p container.Process) string {
	switch p.Role {
	case container.InContainer:
		return "in " + p.Of
	case container.IsMonitor:
		return "monitor of " + p.Of
	case container.IsClient:
		return "client"
	}
	return "-"
}

// shortLine is a command line without the directory that the program is in.
func shortLine(line string) string {
	program, rest, _ := strings.Cut(line, " ")
	if strings.HasPrefix(program, "/") {
		program = path.Base(program)
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.TrimSpace(program+" "+rest))
}
