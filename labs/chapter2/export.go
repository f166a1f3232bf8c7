package chapter2

import (
	"io"

	"github.com/spf13/cobra"

	"sandbox/image/layer"
	"sandbox/labs/command"
)

// NewExport makes `sandbox export`.
func NewExport(env *command.Env) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "export [flags] CONTAINER",
		Short:   "Write a container's root file system as an archive of files",
		Example: "  sandbox export -o web.tar web\n  sandbox export web | tar -tv",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runExport(env, output, args[0]) },
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "the file to write, instead of standard output")
	return cmd
}

// runExport reads the layers' directories one upon the other, as overlayfs does: the container need not run.
func runExport(env *command.Env, output, ref string) error {
	engine := env.Engine()
	r, err := engine.Get(ref)
	if err != nil {
		return err
	}
	err = writeTo(env, output, "export", func(w io.Writer) error { return layer.Export(w, engine.Stack(r), layer.PackOptions{}) })
	if err == nil {
		engine.Event(r.Event("export"))
	}
	return err
}
