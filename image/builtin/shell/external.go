package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/interp"
)

// exec runs a command that is neither a function nor a builtin of the interpreter: one of our builtins, or a program.
func (s *Shell) exec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	if name, ok := strings.CutPrefix(args[0], prefix); ok {
		return s.builtin(ctx, hc, name, args[1:])
	}
	return s.runProgram(hc, args)
}

// runProgram starts a program in the foreground and waits for it.
func (s *Shell) runProgram(hc interp.HandlerContext, args []string) error {
	path, err := find(hc, args[0])
	if err != nil {
		return s.cannotRun(hc, args[0], err)
	}
	cmd := newCommand(hc, path, args)
	s.mu.Lock()
	if s.stopping { // by a Ctrl-C that the program would not get
		s.mu.Unlock()
		return context.Canceled
	}
	s.foreground++
	ctrlC := s.nextCtrlC
	err = s.start(cmd)
	s.mu.Unlock()
	if errors.Is(err, syscall.ENOEXEC) {
		cmd = scriptCommand(hc, path, args)
		s.mu.Lock()
		err = s.start(cmd)
		s.mu.Unlock()
	}
	if err == nil {
		s.wait(cmd)
		s.hearCtrlC(cmd.ProcessState, ctrlC)
	}
	s.mu.Lock()
	s.foreground--
	s.mu.Unlock()
	if err != nil {
		return s.cannotRun(hc, args[0], err)
	}
	return s.afterForeground(hc, cmd.ProcessState)
}

// hearCtrlC waits, after the end of a program that died of Ctrl-C, for the shell's own signal of the same key, which it may get a moment
// later: taken for a new one, it would end the next command. There is none if somebody has sent the signal to the program alone.
func (s *Shell) hearCtrlC(state *os.ProcessState, ctrlC <-chan struct{}) {
	if status := state.Sys().(syscall.WaitStatus); !s.interactive || !status.Signaled() || status.Signal() != syscall.SIGINT || s.trapped(syscall.SIGINT) {
		return
	}
	select {
	case <-ctrlC:
	case <-time.After(time.Second):
	}
}

// start needs s.mu: until the process is in the list of children, the reaper of orphans must not see it.
func (s *Shell) start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	s.children[cmd.Process.Pid] = true
	return nil
}

func (s *Shell) wait(cmd *exec.Cmd) {
	cmd.Wait()
	s.mu.Lock()
	delete(s.children, cmd.Process.Pid)
	s.reapOrphans()
	s.mu.Unlock()
}

// afterForeground turns the way in which a program ended into an exit code, and into a word on the terminal where
// the way was a violent one.
func (s *Shell) afterForeground(hc interp.HandlerContext, state *os.ProcessState) error {
	status := state.Sys().(syscall.WaitStatus)
	var signal os.Signal
	if status.Signaled() {
		signal = status.Signal()
	}
	s.mu.Lock()
	s.killedBy = signal
	interrupt := s.interrupt
	s.mu.Unlock()

	switch signal {
	case nil, syscall.SIGPIPE:
	case syscall.SIGINT:
		// The program took the Ctrl-C as the end, so that the loop around it ends too. One that goes on after
		// Ctrl-C, or leaves in its own way, does not end the loop.
		if s.interactive {
			fmt.Fprintln(s.stderr)
		}
		if !s.trapped(syscall.SIGINT) {
			interrupt()
		}
	default:
		fmt.Fprintln(hc.Stderr, signalText(status.Signal()))
	}
	return statusError(status)
}

func statusError(status syscall.WaitStatus) error {
	code := status.ExitStatus()
	if status.Signaled() {
		code = 128 + int(status.Signal())
	}
	if code == 0 {
		return nil
	}
	return interp.ExitStatus(code)
}

// mayReplace tells whether nothing of this shell is needed after a -c string's last command. `sh -c "sleep 1000"` is
// then one process, not two, and as process 1 of a container it is sleep that gets the signals.
func (s *Shell) mayReplace(hc interp.HandlerContext, name string) bool {
	if interp.IsBuiltin(name) || strings.HasPrefix(name, prefix) || s.runner.Funcs[name] != nil || inSubshell(hc) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.traps) == 0 && !s.exitTrap && len(s.jobs) == 0
}

// replace is `exec cmd`: the program takes the place of the shell, keeps its process id, and never comes back.
func (s *Shell) replace(hc interp.HandlerContext, args []string) error {
	path, err := find(hc, args[0])
	if err == nil {
		err = s.replaceProcess(hc, path, args)
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return s.cannotRun(hc, args[0], err)
}

func (s *Shell) replaceProcess(hc interp.HandlerContext, path string, args []string) error {
	if err := arrangeStreams(hc.Stdin, hc.Stdout, hc.Stderr); err != nil {
		return err
	}
	if err := os.Chdir(hc.Dir); err != nil {
		return err
	}
	if os.Getpid() != 1 { // the kernel spares a process 1
		interrupted := s.stopListening()
		defer s.listenAgain() // if we come back
		if interrupted {
			return context.Canceled
		}
	}
	err := become(path, args, exported(hc))
	if errors.Is(err, syscall.ENOEXEC) {
		err = become(selfPath, append([]string{s.name, path}, args[1:]...), exported(hc))
	}
	return err
}

// arrangeStreams makes the three streams descriptors 0, 1 and 2. They go by way of copies, because with `exec 2>&1 >f`
// the one that is overwritten first is still needed for the other.
func arrangeStreams(streams ...any) error {
	copies := make([]int, len(streams))
	for i, stream := range streams {
		f, ok := stream.(*os.File)
		if !ok {
			return errors.New("standard streams are not files")
		}
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, len(streams))
		if err != nil {
			return err
		}
		copies[i] = fd
	}
	for i, fd := range copies {
		if err := unix.Dup3(fd, i, 0); err != nil {
			return err
		}
	}
	return nil
}

func inSubshell(hc interp.HandlerContext) bool { return hc.Env.Get(subshellVariable).IsSet() }

// selfPath is this program, whatever its name and wherever it lies.
const selfPath = "/proc/self/exe"

func newCommand(hc interp.HandlerContext, path string, args []string) *exec.Cmd {
	return &exec.Cmd{
		Path: path, Args: args, Env: exported(hc), Dir: hc.Dir,
		Stdin: hc.Stdin, Stdout: hc.Stdout, Stderr: hc.Stderr,
	}
}

// scriptCommand runs a file without #! that the kernel does not know how to run: POSIX has it be a shell script.
func scriptCommand(hc interp.HandlerContext, path string, args []string) *exec.Cmd {
	return newCommand(hc, selfPath, append([]string{"sh", path}, args[1:]...))
}

// exported is the environment for a program.
func exported(hc interp.HandlerContext) []string {
	values := map[string]string{}
	for name, v := range hc.Env.Each {
		if v.Exported && v.IsSet() && name != subshellVariable {
			values[name] = v.String()
		} else {
			delete(values, name) // an inner scope hides the outer one's
		}
	}
	list := make([]string, 0, len(values))
	for name, value := range values {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

var errNotFound = errors.New("not found")

// find looks for a program along $PATH. A file that is there but may not be run is an error of its own.
func find(hc interp.HandlerContext, name string) (string, error) {
	if strings.Contains(name, "/") {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(hc.Dir, path)
		}
		return path, executable(path)
	}
	result := errNotFound
	for _, dir := range filepath.SplitList(hc.Env.Get("PATH").String()) {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(hc.Dir, dir)
		}
		path := filepath.Join(dir, name)
		err := executable(path)
		if err == nil {
			return path, nil
		}
		if errors.Is(err, syscall.EACCES) {
			result = err
		}
	}
	return "", result
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return syscall.EISDIR
	}
	return unix.Access(path, unix.X_OK)
}

// cannotRun reports a command that did not start: 127 if there is none, 126 if there is one that does not run.
func (s *Shell) cannotRun(hc interp.HandlerContext, name string, err error) error {
	if errors.Is(err, errNotFound) {
		fmt.Fprintf(hc.Stderr, "%s: %s: not found\n", s.name, name)
		return interp.ExitStatus(127)
	}
	fmt.Fprintf(hc.Stderr, "%s: %s: %s\n", s.name, name, describe(err))
	if errors.Is(err, os.ErrNotExist) {
		return interp.ExitStatus(127)
	}
	return interp.ExitStatus(126)
}

// open opens the files of redirections.
func (s *Shell) open(ctx context.Context, path string, flags int, perm os.FileMode) (io.ReadWriteCloser, error) {
	full := path
	if !filepath.IsAbs(path) {
		full = filepath.Join(interp.HandlerCtx(ctx).Dir, path)
	}
	f, err := os.OpenFile(full, flags, 0o666) // less what the umask takes away
	if err != nil {
		// The interpreter prints the three parts with ": " between the last two.
		return nil, &os.PathError{Op: s.name + ":", Path: path, Err: errors.New(describe(err))}
	}
	return f, nil
}
