package chapter2

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"sandbox/image"
	"sandbox/image/builtin"
	"sandbox/image/registry"
	"sandbox/kernel"
	"sandbox/labs/command"
)

type pullOptions struct {
	allTags, quiet bool
	platform       string
}

// NewPull makes `sandbox pull`.
func NewPull(env *command.Env) *cobra.Command {
	var opts pullOptions
	cmd := &cobra.Command{
		Use:   "pull [flags] NAME[:TAG|@DIGEST]",
		Short: "Fetch an image from a registry",
		Long: `Fetch an image from a registry: Docker Hub, or the one that the name begins with.

$SANDBOX_MIRROR (host:port) is a registry that is asked before Docker Hub: a class with one machine that has a
network, or a disk with a registry's directory (sandbox registry serve), needs no more.
$SANDBOX_INSECURE_REGISTRIES lists registries that may speak plain HTTP; those on this machine always may.`,
		Example: "  sandbox pull debian\n  sandbox pull localhost:5000/worden525/httpd:v1\n  sandbox pull --platform linux/arm64 alpine\n  SANDBOX_MIRROR=localhost:5000 sandbox pull registry:2",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, done := interruptible(cmd.Context())
			defer done()
			return runPull(ctx, env, opts, args[0])
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.allTags, "all-tags", "a", false, "all tags of the repository")
	f.BoolVarP(&opts.quiet, "quiet", "q", false, "print the image's full name only")
	f.StringVar(&opts.platform, "platform", "", "fetch it for another machine: linux/arm64")
	return cmd
}

// registryClient speaks with registries as this machine is set up to, and tells of it under --explain.
func registryClient(env *command.Env) *registry.Client {
	o := registry.FromEnvironment()
	if env.Explain != "" {
		o.Note = env.Note
	}
	return registry.New(o)
}

// interruptible ends what runs with ctx at Ctrl-C, so that it can tidy up.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx == nil {
		ctx = context.Background()
	}
	return signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM)
}

// interrupted is how a program ends that SIGINT has ended, as the shell has it.
const interrupted = 128 + command.ExitCode(unix.SIGINT)

func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return interrupted
	}
	return err
}

func runPull(ctx context.Context, env *command.Env, opts pullOptions, ref string) error {
	name, err := remoteName(ref)
	if err != nil {
		return err
	}
	platform, err := wantedPlatform(opts.platform)
	if err != nil {
		return err
	}
	client := registryClient(env)
	if !opts.allTags {
		if !strings.ContainsAny(ref[strings.LastIndexByte(ref, '/')+1:], ":@") && !opts.quiet {
			fmt.Fprintln(env.Out, "Using default tag: latest")
		}
		return ended(pullOne(ctx, env, client, opts, name, platform))
	}
	if strings.ContainsAny(ref[strings.LastIndexByte(ref, '/')+1:], ":@") {
		return kernel.Advise(fmt.Errorf("%s: a tag or digest cannot be used with --all-tags", ref), "sandbox pull -a %s", image.Name{Registry: name.Registry, Repository: name.Repository}.Familiar())
	}
	tags, err := client.Tags(ctx, name)
	if err != nil {
		return ended(err)
	}
	for _, name.Tag = range tags {
		if err := pullOne(ctx, env, client, opts, name, platform); err != nil {
			return ended(err)
		}
	}
	return nil
}

func wantedPlatform(s string) (*v1.Platform, error) {
	if s == "" {
		return nil, nil
	}
	p, err := registry.ParsePlatform(s)
	if err != nil {
		return nil, kernel.Advise(err, "--platform linux/%s", "arm64")
	}
	return &p, nil
}

// remoteName reads a name that is to be looked for in a registry. Those of built-in images mean what is here.
func remoteName(ref string) (image.Name, error) {
	name, err := image.ParseName(ref)
	if err != nil {
		return name, kernel.Advise(err, "as in debian, user/httpd:1.0, localhost:5000/user/httpd:v1")
	}
	short := name.Builtin()
	if !strings.Contains(ref, "/") && slices.Contains(builtin.Names(), short.Repository) && short.Tag == "latest" && name.Digest == "" {
		return name, kernel.Advise(fmt.Errorf("%q is a built-in image: it is made here, and in no registry", short.Repository),
			"sandbox run %s   or, for Docker Hub's of that name: %s", short.Repository, name)
	}
	return name, notScratch(name)
}

// notScratch refuses the one name that no image can have.
func notScratch(name image.Name) error {
	if name.Registry == "docker.io" && name.Repository == "library/scratch" {
		return kernel.Advise(errors.New(`"scratch" is a reserved name: that of the empty beginning, and of no image`), "write it in a Dockerfile: FROM scratch")
	}
	return nil
}

func pullOne(ctx context.Context, env *command.Env, client *registry.Client, opts pullOptions, name image.Name, platform *v1.Platform) error {
	if opts.quiet {
		_, _, err := client.Pull(ctx, env.Engine().Images, registry.PullOptions{Name: name, Platform: platform})
		if err == nil {
			moved(env, "pull", name)
			fmt.Fprintln(env.Out, name)
		}
		return err
	}
	_, err := showPull(ctx, env, client, name, platform)
	if err == nil {
		fmt.Fprintln(env.Out, name)
	}
	return err
}

// showPull pulls and prints what Docker prints, up to the line "Status".
func showPull(ctx context.Context, env *command.Env, client *registry.Client, name image.Name, platform *v1.Platform) (*image.Image, error) {
	progress := env.Progress()
	defer progress.Close()
	head := name.Tag
	if name.Digest != "" {
		head = name.String()
	}
	announced := false // once the registry has answered
	o := registry.PullOptions{Name: name, Platform: platform, Found: func() {
		progress.Println(head + ": Pulling from " + name.Repository)
		announced = true
	}, Progress: showEvent(progress)}
	img, result, err := client.Pull(ctx, env.Engine().Images, o)
	progress.Close()
	if err != nil {
		return nil, err
	}
	moved(env, "pull", name)
	if !announced {
		fmt.Fprintln(env.Out, head+": Pulling from "+name.Repository)
	}
	fmt.Fprintln(env.Out, "Digest:", result.Digest)
	status := "Image is up to date for "
	if result.Newer {
		status = "Downloaded newer image for "
	}
	fmt.Fprintln(env.Out, "Status: "+status+name.Familiar())
	if result.Warning != "" {
		fmt.Fprintln(env.Err, "WARNING:", result.Warning)
	}
	return img, nil
}

func showEvent(progress *command.Progress) func(registry.Event) {
	return func(e registry.Event) {
		if e.Final {
			progress.Finish(e.Layer, e.Text)
			return
		}
		progress.Set(e.Layer, e.Text, e.Done, e.Total)
	}
}

// Pull fetches an image for a command that needs it, and shows that on standard error: standard output is the command's own.
func Pull(ctx context.Context, env *command.Env, name image.Name, platform *v1.Platform) (*image.Image, error) {
	if err := notScratch(name); err != nil {
		return nil, err
	}
	shown := *env
	shown.Out = env.Err
	return showPull(ctx, &shown, registryClient(env), name, platform)
}
