package chapter3

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
)

// NewInspect makes `sandbox inspect`.
func NewInspect(env *command.Env) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "inspect [flags] CONTAINER...",
		Short:   "Show all that is known of containers, as JSON",
		Example: "  sandbox inspect web\n  sandbox inspect -f '{{.State.Pid}}' web",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runInspect(env, format, args) },
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", "a Go template, or json")
	return cmd
}

func runInspect(env *command.Env, format string, refs []string) error {
	found := []any{}
	err := env.Each(refs, func(ref string) error {
		r, err := env.Engine().Get(ref)
		if err == nil {
			found = append(found, r)
		}
		return err
	})
	if format != "" && format != "json" {
		t, err := command.Template(format)
		if err != nil {
			return err
		}
		for _, r := range found {
			if err := t.Execute(env.Out, r); err != nil {
				return kernel.Advise(err, "the fields are those of the JSON that inspect shows without -f")
			}
			fmt.Fprintln(env.Out)
		}
	} else {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if format == "" {
			encoder.SetIndent("", "    ")
		}
		encoder.Encode(found)
		env.Out.Write(b.Bytes())
	}
	return err
}
