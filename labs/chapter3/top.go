package chapter3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sandbox/image/builtin/userland"
	"sandbox/kernel"
	"sandbox/labs/command"
)

// NewTop makes `sandbox top`.
func NewTop(env *command.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "top CONTAINER [ps OPTIONS]",
		Short:   "List the processes of a container, as the host sees them",
		Example: "  sandbox top web\n  sandbox top web aux\n  sandbox top web -o pid,ppid,comm",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runTop(env, args[0], args[1:]) },
	}
	cmd.Flags().SetInterspersed(false) // what follows the container are ps's options
	return cmd
}

func runTop(env *command.Env, ref string, options []string) error {
	r, err := env.Engine().Get(ref)
	if err != nil {
		return err
	}
	pids, err := env.Engine().Processes(r)
	if err != nil {
		return err
	}
	if len(options) == 0 {
		options = []string{"-ef"}
	}
	titles, rows, err := listProcesses(options)
	if err != nil {
		return err
	}
	at := slices.Index(titles, "PID")
	if at < 0 {
		return kernel.Advise(errors.New("no column PID among those that ps shows"), "add it: -o pid,…")
	}
	rows = slices.DeleteFunc(rows, func(row []string) bool {
		pid, err := strconv.Atoi(row[at])
		return err != nil || !slices.Contains(pids, pid)
	})
	env.Engine().Event(r.Event("top"))
	return printTop(env.Out, append([][]string{titles}, rows...))
}

// listProcesses has the ps of the image base, which is part of this program, list all processes, and takes its lines apart: all but
// the last column are one word.
func listProcesses(options []string) (titles []string, rows [][]string, err error) {
	ps, _ := userland.Lookup("ps")
	var out, failed bytes.Buffer
	ps(&userland.Process{Args: append([]string{"ps"}, options...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &failed})
	if failed.Len() > 0 {
		return nil, nil, kernel.Advise(errors.New(strings.TrimSpace(failed.String())), "options of ps: -ef, aux, -o pid,ppid,comm …")
	}
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	titles = strings.Fields(lines[0])
	for _, line := range lines[1:] {
		row := strings.Fields(line)
		if len(row) > len(titles) {
			row = append(row[:len(titles)-1:len(titles)-1], strings.Join(row[len(titles)-1:], " "))
		}
		if len(row) == len(titles) {
			rows = append(rows, row)
		}
	}
	return titles, rows, nil
}

// printTop prints columns as wide as Docker's.
func printTop(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 20, 1, 3, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}
