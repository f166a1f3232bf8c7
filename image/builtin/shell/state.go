package shell

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// stateVariable tells a shell that was started for `… &` on which descriptor its parent's state lies.
const stateVariable = "_SHELL_STATE"

// stateFile writes what a forked shell would have inherited and an executed one does not: variables that are not
// exported, functions, options. It is a piece of shell program, in a file without a name.
func (s *Shell) stateFile(hc interp.HandlerContext, options string) (*os.File, error) {
	var text strings.Builder
	variables := map[string]expand.Variable{}
	for name, v := range hc.Env.Each {
		variables[name] = v
	}
	for _, name := range sortedKeys(variables) {
		writeVariable(&text, name, variables[name])
	}
	for _, name := range sortedKeys(s.runner.Funcs) {
		fmt.Fprintf(&text, "%s() %s\n", name, printed(s.runner.Funcs[name]))
	}
	if options != "" {
		fmt.Fprintf(&text, "set -%s\n", options)
	}
	return memoryFile("state", text.String())
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func writeVariable(w io.Writer, name string, v expand.Variable) {
	if !v.IsSet() || v.Exported || v.ReadOnly || name == subshellVariable || name == "PWD" {
		return
	}
	switch v.Kind {
	case expand.String:
		fmt.Fprintf(w, "%s=%s\n", name, quote(v.Str))
	case expand.Indexed:
		fmt.Fprintf(w, "%s=(%s)\n", name, quoteAll(v.List))
	case expand.Associative:
		fmt.Fprintf(w, "declare -A %s=(", name)
		for _, key := range sortedKeys(v.Map) {
			fmt.Fprintf(w, " [%s]=%s", quote(key), quote(v.Map[key]))
		}
		fmt.Fprintln(w, " )")
	}
}

// defaultPath is for an environment that names none.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// inheritedState is the environment to begin with, and the text that a parent shell left for this one, if it did.
func inheritedState() (environ []string, text string) {
	hasPath := false
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		switch name {
		case stateVariable:
			text = readState(value)
			continue
		case subshellVariable, nameVariable:
			continue
		case "PATH":
			hasPath = true
		}
		environ = append(environ, entry)
	}
	if !hasPath {
		environ = append(environ, "PATH="+defaultPath)
	}
	return environ, text
}

func readState(descriptor string) string {
	fd, err := strconv.Atoi(descriptor)
	if err != nil {
		return ""
	}
	file := os.NewFile(uintptr(fd), "state")
	defer file.Close()
	text, _ := io.ReadAll(file)
	return string(text)
}
