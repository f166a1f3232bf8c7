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
)

// stock gives a pocket host the built-in images from a store that has nothing else, so that they need not be made in
// each one anew. Images that an earlier version of this program has made go when no other pocket host is open: whoever
// uses the store holds a shared lock on it until the process ends.
func stock(env *setting, o *pocket.Options) error {
	store := &image.Store{Dir: filepath.Join(env.Engine().Paths.State, "pocket")}
	if _, err := os.Stat(store.Dir); err != nil {
		if _, err := builtin.Ensure(store, "base"); err != nil { // makes the store
			return err
		}
	}
	lock, err := unix.Open(store.Dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if unix.Flock(lock, unix.LOCK_EX|unix.LOCK_NB) == nil {
		store.InUse = func(string) bool { return false }
		left, _ := filepath.Glob(filepath.Join(store.Dir, pocket.DiskPrefix+"*")) // by one that was killed while it was made
		for _, file := range left {
			quietly(env).Do(kernel.Because(kernel.Remove{Path: file}, "", ""))
		}
	}
	for _, name := range builtin.Names() {
		if _, err := builtin.Ensure(store, name); err != nil {
			return err
		}
	}
	base, err := store.Find("base")
	if err != nil {
		return err
	}
	o.Store, o.Tools = store.Dir, filepath.Join("/var/lib/sandbox/layers", base.Layers[0], "bin")
	return unix.Flock(lock, unix.LOCK_SH)
}

// newHost makes `sandbox lab host`: any command in a fresh pocket host. The tests run in such.
func newHost(env *setting) *cobra.Command {
	var shared []string
	cmd := &cobra.Command{
		Use: "host [flags] COMMAND [ARG...]", Short: "Run any command in a fresh pocket host",
		Long: `Run any command in a fresh pocket host: a small machine in namespaces of its own, as labs take place in. This machine's files are
there, everything may be changed, and nothing of it reaches this machine; when the command ends, it is gone.`,
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
