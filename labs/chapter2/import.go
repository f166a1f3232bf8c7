package chapter2

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sandbox/image/archive"
	"sandbox/image/build"
	"sandbox/kernel"
	"sandbox/labs/command"
)

type importOptions struct {
	changes           []string
	message, platform string
}

// NewImport makes `sandbox import`.
func NewImport(env *command.Env) *cobra.Command {
	var opts importOptions
	cmd := &cobra.Command{
		Use:     "import [flags] FILE|URL|- [REPOSITORY[:TAG]]",
		Short:   "Make an image of an archive of files",
		Example: "  sandbox import rootfs.tar.xz debian:mine\n  sandbox export web | sandbox import -c 'CMD [\"sh\"]' - web:flat",
		Args:    cobra.RangeArgs(1, 2),
		RunE:    func(cmd *cobra.Command, args []string) error { return runImport(cmd.Context(), env, opts, args) },
	}
	f := cmd.Flags()
	f.StringArrayVarP(&opts.changes, "change", "c", nil, `change the configuration, as a Dockerfile does: 'CMD ["sh"]'`)
	f.StringVarP(&opts.message, "message", "m", "", "for the image's history")
	f.StringVar(&opts.platform, "platform", "", "what machines the files are for: linux/arm64 (default: this machine's kind)")
	return cmd
}

func runImport(ctx context.Context, env *command.Env, opts importOptions, args []string) error {
	names, err := newNames(args[1:])
	if err != nil {
		return err
	}
	platform, err := parsePlatform(opts.platform)
	if err != nil {
		return err
	}
	created, err := buildTime()
	if err != nil {
		return err
	}
	source, from, err := openSource(ctx, env, args[0])
	if err != nil {
		return err
	}
	defer source.Close()
	if opts.message == "" {
		opts.message = "Imported from " + from
	}
	img, err := archive.Import(ctx, env.Engine().Images, source, archive.ImportOptions{
		Change: build.Change, Changes: opts.changes, Message: opts.message, Platform: platform, Created: created, Names: names,
	})
	if err != nil {
		return err
	}
	happened(env, "import", img.ID, img.ID)
	named(env, img, names)
	fmt.Fprintln(env.Out, img.ID)
	return nil
}

// openSource opens what is imported. As in Docker's history, a local file goes by the name of -.
func openSource(ctx context.Context, env *command.Env, source string) (content io.ReadCloser, from string, err error) {
	switch {
	case source == "-":
		content, err = openInput(env, "", "import FILE")
		return content, "-", err
	case strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://"):
		content, err = download(ctx, source)
		return content, source, err
	}
	content, err = os.Open(source)
	return content, "-", err
}

func download(ctx context.Context, url string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return response.Body, nil
}

// buildTime is now, or what $SOURCE_DATE_EPOCH says (reproducible-builds.org): then the same files give the same image.
func buildTime() (time.Time, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, kernel.Advise(fmt.Errorf("invalid $SOURCE_DATE_EPOCH: %q", epoch), "seconds since 1970")
	}
	return time.Unix(seconds, 0), nil
}
