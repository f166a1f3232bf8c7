package lab

import (
	"bytes"
	"context"

	"github.com/spf13/cobra"
)

// newRead makes `sandbox lab read`.
func newRead(env *setting) *cobra.Command {
	return &cobra.Command{
		Use: "read NUMBER", Short: "Read a lab, or a section of it, without running anything", Args: oneNumber,
		Long: `Show the text of a lab: what it explains, the commands, the exercises' tasks. Nothing is run.

On a terminal it is shown by $PAGER, or less, or screen by screen where neither is there; in a pipe it is plain text.`,
		Example: "  sandbox lab read 3.5\n  sandbox lab read 3.5.2 --lang zh\n  sandbox lab read 2.3 > 2.3.txt",
		RunE:    func(cmd *cobra.Command, args []string) error { return runRead(env, called(env, args[0])) },
	}
}

func runRead(env *setting, number string) error {
	if err := exists(env, number); err != nil {
		return err
	}
	s, err := newSession(env)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	reader := *s
	reader.Out, reader.Terminal = &text, false
	if err := reader.Read(number); err != nil {
		return err
	}
	return s.Page(context.Background(), text.String())
}
