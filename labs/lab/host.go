package lab

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"sandbox/image"
	"sandbox/image/builtin"
	"sandbox/kernel"
	"sandbox/kernel/pocket"
	"sandbox/labs/command"
)

// overlayMagic is what statfs(2) calls an overlay (linux/magic.h).
const overlayMagic = 0x794c7630

// stock gives a pocket host the built-in images from a store that has nothing else, so that they need not be made in
// each one anew. Not in a pocket host within a pocket host: overlays can be stacked only twice.
func stock(env *command.Env, o *pocket.Options) error {
	store := &image.Store{Dir: filepath.Join(env.Engine().Paths.State, "pocket")}
	for _, name := range builtin.Names() {
		if _, err := builtin.Ensure(store, name); err != nil {
			return err
		}
	}
	var fs unix.Statfs_t
	if unix.Statfs(store.Dir, &fs) != nil || fs.Type == overlayMagic {
		return nil
	}
	base, err := store.Find("base")
	if err != nil {
		return err
	}
	o.Store, o.Tools = store.Dir, filepath.Join("/var/lib/sandbox/layers", base.Layers[0], "bin")
	return nil
}

// newHost makes `sandbox lab host`: any command in a fresh pocket host. The tests run in such.
func newHost(env *command.Env) *cobra.Command {
	var shared []string
	cmd := &cobra.Command{
		Use: "host [flags] COMMAND [ARG...]", Short: "Run any command in a fresh pocket host",
		Example: "  sandbox lab host sandbox run --rm hello\n  sandbox lab host bash", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := pocket.Options{RunDir: env.Engine().Paths.Run, Args: args, Shared: shared, Env: os.Environ()}
			if err := stock(env, &o); err != nil {
				return err
			}
			return exit(pocket.Run(&kernel.Door{Process: "client", Language: env.Language(), Tell: env.Tell()}, o))
		},
	}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringArrayVar(&shared, "share", nil, "a directory that is the machine's own, for writing too")
	return cmd
}
