package chapter2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sandbox/image/archive"
	"sandbox/kernel"
	"sandbox/labs/command"
)

type loadOptions struct {
	input, platform string
	quiet           bool
}

// NewLoad makes `sandbox load`.
func NewLoad(env *command.Env) *cobra.Command {
	var opts loadOptions
	cmd := &cobra.Command{
		Use:     "load [flags]",
		Short:   "Read images from an archive that save, or another tool, has written",
		Example: "  sandbox load -i base.tar\n  docker save debian | sandbox load\n  sandbox load < images.tar.zst",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runLoad(cmd.Context(), env, opts) },
	}
	f := cmd.Flags()
	f.StringVarP(&opts.input, "input", "i", "", "the file (or OCI layout directory) to read, instead of standard input")
	f.StringVar(&opts.platform, "platform", "", "which image of several: linux/arm64")
	f.BoolVarP(&opts.quiet, "quiet", "q", false, "no progress")
	return cmd
}

func runLoad(ctx context.Context, env *command.Env, opts loadOptions) error {
	platform, err := parsePlatform(opts.platform)
	if err != nil {
		return err
	}
	in, err := openInput(env, opts.input, "load -i FILE")
	if err != nil {
		return err
	}
	defer in.Close()
	list, err := archive.Load(ctx, env.Engine().Images, in, archive.LoadOptions{Platform: platform})
	for _, loaded := range list {
		happened(env, "load", loaded.ID, loaded.ID)
		printLoaded(env.Out, loaded)
	}
	return err
}

// printLoaded prints what Docker prints.
func printLoaded(w io.Writer, loaded archive.Loaded) {
	for _, name := range loaded.Names {
		if old := loaded.Taken[name]; old != "" {
			fmt.Fprintf(w, "The image %s already exists, renaming the old one with ID %s to empty string\n", name.Familiar(), old)
		}
	}
	for _, name := range loaded.Names {
		fmt.Fprintf(w, "Loaded image: %s\n", name.Familiar())
	}
	if len(loaded.Names) == 0 {
		fmt.Fprintf(w, "Loaded image ID: %s\n", loaded.ID)
	}
}

// openInput opens a file, or standard input unless that is a terminal.
func openInput(env *command.Env, file, otherwise string) (*os.File, error) {
	if file != "" {
		return os.Open(file)
	}
	if term.IsTerminal(int(env.In.Fd())) {
		return nil, kernel.Advise(errors.New("standard input is a terminal, where an archive was expected"), "sandbox %s, or a redirection: < FILE", otherwise)
	}
	return env.In, nil
}

// parsePlatform reads os/architecture[/variant]; "" is no platform.
func parsePlatform(s string) (*v1.Platform, error) {
	if s == "" {
		return nil, nil
	}
	p, err := v1.ParsePlatform(s)
	if err == nil && (p.OS == "" || p.Architecture == "") {
		err = fmt.Errorf("invalid platform %q", s)
	}
	if err != nil {
		return nil, kernel.Advise(err, "as in linux/amd64 or linux/arm64/v8")
	}
	return p, nil
}
