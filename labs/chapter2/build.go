package chapter2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/image/archive"
	"sandbox/image/build"
	"sandbox/kernel"
	"sandbox/labs/command"
)

// NewBuild makes `sandbox build`.
func NewBuild(env *command.Env) *cobra.Command {
	opts := &buildOptions{}
	cmd := &cobra.Command{
		Use:     "build [flags] DIRECTORY | -",
		Short:   "Build an image from a Dockerfile",
		Example: "  sandbox build -t ubuntu-with-vi-dockerfile .\n  sandbox build -f Dockerfile.test --target test .\n  sandbox build - < Dockerfile",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return ended(runBuild(ctx, env, opts, args[0]))
		},
	}
	opts.addFlags(cmd.Flags())
	return cmd
}

func runBuild(ctx context.Context, env *command.Env, opts *buildOptions, from string) error {
	o, outputs, err := opts.request(env)
	if err != nil {
		return err
	}
	if err := opts.sources(env, &o, from); err != nil {
		return err
	}
	if slices.ContainsFunc(outputs, build.Output.ToStdout) {
		o.Out = env.Err // stdout is the archive's
	}
	var kept bytes.Buffer // -q: seen only if the build fails
	if opts.quiet {
		o.Out = &kept
	}
	img, err := build.Build(ctx, o)
	if err != nil {
		_, _ = env.Err.Write(kept.Bytes())
		return buildError(err)
	}
	named(env, img, o.Tags)
	if opts.quiet && !slices.ContainsFunc(outputs, build.Output.ToStdout) {
		fmt.Fprintln(env.Out, img.ID)
	}
	if err := opts.writeFiles(img); err != nil {
		return err
	}
	for _, output := range outputs {
		if err := writeOutput(ctx, env, img, output, o.Epoch); err != nil {
			return err
		}
	}
	return nil
}

// sources finds out where Dockerfile and context come from.
func (o *buildOptions) sources(env *command.Env, r *build.Options, from string) error {
	switch {
	case strings.Contains(from, "://") || strings.HasPrefix(from, "git@"):
		return kernel.Advise(fmt.Errorf("a context at a URL: %s", from), "fetch it first: git clone URL, then sandbox build DIRECTORY")
	case from == "-" && o.file == "-":
		return kernel.Advise(errors.New("the Dockerfile and the context cannot both come from standard input"), "sandbox build -f - . < Dockerfile")
	case from == "-":
		text, stream, err := build.Stdin(env.In)
		r.Text, r.Archive = text, stream
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return kernel.Advise(fmt.Errorf("the build context: %w", err), "the last argument is the directory with the files to copy, often .")
	}
	if !info.IsDir() {
		return kernel.Advise(fmt.Errorf("the build context %s is no directory", from), "sandbox build -f %s .", from)
	}
	r.Context = from
	if o.file == "-" {
		r.Dockerfile = ""
		r.Text, _, err = build.Stdin(env.In)
	}
	return err
}

// buildDir is where builds keep what they have done before.
func buildDir(env *command.Env) string { return cacheDir(env) }

// resolveBase finds the images of FROM: built-in ones, the store's, and else a registry's, which is shown on out.
func resolveBase(env *command.Env, out io.Writer) func(ctx context.Context, ref, platform string, pull bool) (*image.Image, error) {
	var one sync.Mutex // stages that are built at the same time would mix up their progress bars
	return func(ctx context.Context, ref, platform string, pull bool) (*image.Image, error) {
		one.Lock()
		defer one.Unlock()
		img, err := findImage(env, ref)
		var missing *image.NotFoundError
		builtIn := err == nil && img.Config.Labels["sandbox.builtin"] != ""
		if !errors.As(err, &missing) && (!pull || builtIn) && (err != nil || isFor(img, platform)) {
			return img, err
		}
		if builtIn {
			return nil, kernel.Advise(fmt.Errorf("%s is made here, for this kind of machine: not for %s", ref, platform), "leave --platform out")
		}
		name, err := remoteName(ref)
		if err != nil {
			return nil, err
		}
		if platform == thisPlatform() {
			platform = "" // whatever variant of it runs here
		}
		wanted, err := wantedPlatform(platform)
		if err != nil {
			return nil, err
		}
		shown := *env
		shown.Out = out
		return showPull(ctx, &shown, registryClient(env), name, wanted)
	}
}

// isFor tells whether an image is for a platform. If nobody asked for another one than this machine's it may be for anything: there
// may be an interpreter.
func isFor(img *image.Image, platform string) bool {
	short := img.OS + "/" + img.Architecture
	return platform == thisPlatform() || platform == short || platform == short+"/"+img.Variant
}

func thisPlatform() string { return "linux/" + runtime.GOARCH }

// buildError gives a failing command's exit code to the shell, as Docker does, and says how to look into what there was.
func buildError(err error) error {
	var failed *build.RunError
	if !errors.As(err, &failed) {
		return err
	}
	cure := fmt.Sprintf("%s, line %d", failed.File, failed.Line)
	if id := strings.TrimPrefix(failed.Image, "sha256:"); id != "" {
		cure += "; to try it by hand:  sandbox run --rm -it " + id[:min(12, len(id))] + " sh"
	}
	return &kernel.Advice{Cause: err, Cure: cure, Code: failed.Code}
}

// writeOutput writes what --output asks for.
func writeOutput(ctx context.Context, env *command.Env, img *image.Image, o build.Output, epoch *time.Time) error {
	store := env.Engine().Images
	write := func(w io.Writer) error { return build.Export(store, img, o, epoch, w) }
	switch o.Type {
	case "local":
		return build.Export(store, img, o, epoch, nil)
	case "oci", "docker":
		format := map[string]string{"oci": archive.OCIArchive, "docker": archive.DockerArchive}[o.Type]
		ref := img.ID
		if len(img.Names) > 0 {
			ref = img.Names[0]
		}
		write = func(w io.Writer) error {
			return archive.Save(ctx, store, w, []string{ref}, archive.SaveOptions{Format: format})
		}
	case "tar":
	default:
		return nil
	}
	if o.Dest == "-" {
		return writeTo(env, "", "build", write)
	}
	return archive.WriteFile(o.Dest, write)
}
