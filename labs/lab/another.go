package lab

import (
	"context"
	"os"
	"os/exec"
	"os/signal"

	"golang.org/x/sys/unix"

	"sandbox/kernel/pocket"
	"sandbox/labs/command"
)

// another prepares a call of this program, with the labs of a directory. If it makes a pocket host, that is one of its own: also
// when we are in one. It is told to end with ctx, and then takes its pocket host with it.
func (env *setting) another(ctx context.Context, labs string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0] // errors have the name that we were called by
	cmd.Env = append(os.Environ(), "SANDBOX_ROOT="+env.Root, "SANDBOX_LABS="+labs, pocket.Variable+"=")
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	return cmd
}

// untilSignal does something that calls this program again. A signal that would end this one ends ctx; do returns when all that
// it has called have ended. Ctrl-C reaches those as well, but in a pocket host it is for those inside.
func untilSignal(do func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	for _, s := range []unix.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP} {
		if !signal.Ignored(s) { // nohup(1)
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)
	go func() {
		s := <-signals
		signal.Stop(signals) // whoever does not want to wait for their end sends another one
		cancel(command.ExitCode(128 + int(s.(unix.Signal))))
	}()
	err := do(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
