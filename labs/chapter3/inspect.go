package chapter3

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

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
			text, err := expand(t, r)
			if err != nil {
				return kernel.Advise(err, "the fields are those of the JSON that inspect shows without -f")
			}
			fmt.Fprintln(env.Out, text)
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

// expand fills in a template. Its fields may be named as in Go (.ID) or as in the JSON (.Id), as with Docker.
func expand(t *template.Template, value any) (string, error) {
	var b strings.Builder
	if t.Execute(&b, value) == nil {
		return b.String(), nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	var raw any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&raw); err != nil {
		return "", err
	}
	b.Reset()
	err = t.Option("missingkey=error").Execute(&b, raw)
	return b.String(), err
}
