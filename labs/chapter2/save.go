package chapter2

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sandbox/image"
	"sandbox/image/archive"
	"sandbox/image/builtin"
	"sandbox/kernel"
	"sandbox/labs/command"
)

type saveOptions struct{ output, format string }

// NewSave makes `sandbox save`.
func NewSave(env *command.Env) *cobra.Command {
	var opts saveOptions
	cmd := &cobra.Command{
		Use:     "save [flags] IMAGE...",
		Short:   "Write images as an archive, with their layers and names",
		Example: "  sandbox save -o base.tar base\n  sandbox save myimage:1 myimage:2 | gzip > both.tar.gz",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runSave(cmd.Context(), env, opts, args) },
	}
	cmd.Flags().StringVarP(&opts.output, "output", "o", "", "the file to write, instead of standard output")
	cmd.Flags().StringVar(&opts.format, "format", archive.DockerArchive, "docker-archive (which is an OCI archive, too) or oci-archive")
	return cmd
}

func runSave(ctx context.Context, env *command.Env, opts saveOptions, refs []string) error {
	store := env.Engine().Images
	for _, ref := range refs {
		if _, err := builtin.Ensure(store, ref); err != nil {
			return err
		}
	}
	err := writeTo(env, opts.output, "save", func(w io.Writer) error {
		return archive.Save(ctx, store, w, refs, archive.SaveOptions{Format: opts.format})
	})
	for _, ref := range refs {
		if img, findErr := store.Find(ref); err == nil && findErr == nil {
			happened(env, "save", img.ID, img.ID)
		}
	}
	var missing *image.NotFoundError
	if errors.As(err, &missing) {
		return kernel.Advise(err, "sandbox images   lists what is here")
	}
	return err
}

// writeTo has an archive written to a file, or to standard output unless that is a terminal.
func writeTo(env *command.Env, file, verb string, write func(io.Writer) error) error {
	if file != "" {
		return archive.WriteFile(file, write)
	}
	if out, ok := env.Out.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
		return kernel.Advise(errors.New("an archive is nothing for a terminal"), "sandbox %s -o FILE …, or a redirection: > FILE", verb)
	}
	return write(env.Out)
}
