package userland

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// unshareRequest is what an unshare command line asks for.
type unshareRequest struct {
	flags           int // CLONE_NEW…
	fork            bool
	mapRoot         bool
	mapSelf         bool
	mountProc       string // where to mount a new /proc, "" for nowhere
	propagation     uintptr
	propagationName string
	root            string
	directory       string
	argv            []string
}

// runUnshare runs a program in namespaces of its own: unshare -p -f --mount-proc sh.
func runUnshare(p *Process) int {
	r, err := p.parseUnshare()
	if err != nil {
		return p.Fail("%v", err)
	}
	if r.fork || r.flags&unix.CLONE_NEWUSER != 0 {
		return p.unshareChild(r)
	}
	// Namespaces belong to threads: the one that leaves must be the one that executes the program.
	runtime.LockOSThread()
	if err := unix.Unshare(r.flags); err != nil {
		return p.Fail("unshare failed: %s", causeText(err))
	}
	if err := r.arrangeMounts(); err != nil {
		return p.Fail("%v", err)
	}
	return p.become(r.argv)
}

func (p *Process) parseUnshare() (*unshareRequest, error) {
	long := map[string]string{
		"fork": "f", "map-root-user": "r", "map-current-user": "c", "mount-proc": "M", "propagation": "P", "root": "R", "wd": "w",
	}
	letters := "+frcM::P:R:w:"
	for _, kind := range namespaceKinds {
		letters += string(kind.letter)
		long[kind.long] = string(kind.letter)
	}
	opts, words, err := p.options(letters, long)
	if err != nil {
		return nil, err
	}
	r := &unshareRequest{
		fork: opts.has('f'), mapRoot: opts.has('r'), mapSelf: opts.has('c'), root: opts.value('R'), directory: opts.value('w'),
		argv: shellOr(words),
	}
	for _, kind := range namespaceKinds {
		if opts.has(kind.letter) {
			r.flags |= kind.flag
		}
	}
	if opts.has('M') {
		r.mountProc = "/proc"
		if dir := opts.value('M'); dir != "" {
			r.mountProc = dir
		}
		r.flags |= unix.CLONE_NEWNS
	}
	if r.mapRoot || r.mapSelf {
		r.flags |= unix.CLONE_NEWUSER
	}
	r.propagationName = "private"
	if opts.has('P') {
		r.propagationName = opts.value('P')
	}
	r.propagation, err = parsePropagation(r.propagationName)
	return r, err
}

// parsePropagation reads --propagation: unchanged, private, shared or slave.
func parsePropagation(name string) (uintptr, error) {
	switch name {
	case "unchanged":
		return 0, nil
	case "private":
		return unix.MS_PRIVATE | unix.MS_REC, nil
	case "shared":
		return unix.MS_SHARED | unix.MS_REC, nil
	case "slave":
		return unix.MS_SLAVE | unix.MS_REC, nil
	}
	return 0, fmt.Errorf("unsupported propagation mode: %s", name)
}

// arrangeMounts is done inside the new namespaces, before the program starts.
func (r *unshareRequest) arrangeMounts() error {
	if r.flags&unix.CLONE_NEWNS != 0 && r.propagation != 0 {
		// Else what is mounted in here would show outside, where mounts are shared.
		if err := unix.Mount("none", "/", "", r.propagation, ""); err != nil {
			return fmt.Errorf("cannot change root filesystem propagation: %w", err)
		}
	}
	if r.root != "" {
		if err := syscall.Chroot(r.root); err != nil {
			return fmt.Errorf("cannot change root directory to '%s': %w", r.root, err)
		}
	}
	if r.root != "" || r.directory != "" {
		if err := os.Chdir("/" + strings.TrimPrefix(r.directory, "/")); err != nil {
			return fmt.Errorf("cannot change directory: %w", err)
		}
	}
	if r.mountProc != "" {
		if err := unix.Mount("proc", r.mountProc, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
			return fmt.Errorf("mount %s failed: %w", r.mountProc, err)
		}
	}
	return nil
}

// unshareChild makes the namespaces together with a child process. -f asks for that, because whoever calls unshare(2) for a
// PID namespace stays outside, and only its children are in it. A user namespace needs it, because a program with threads,
// as every Go program is one, may not enter a new one.
//
// The mounts must be arranged by a process inside. That is this program once more: `unshare -Upf --mount-proc sh` becomes
// `unshare --mount-proc sh` in a child with new user and PID namespaces.
func (p *Process) unshareChild(r *unshareRequest) int {
	attr := &syscall.SysProcAttr{Unshareflags: uintptr(r.flags)}
	if r.fork {
		attr.Cloneflags = uintptr(r.flags &^ unix.CLONE_NEWNS)
		attr.Unshareflags = uintptr(r.flags & unix.CLONE_NEWNS) // Go makes the mounts private where it unshares them
	}
	if r.mapRoot || r.mapSelf {
		uid, gid := 0, 0
		if r.mapSelf {
			uid, gid = os.Geteuid(), os.Getegid()
		}
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: os.Getegid(), Size: 1}}
	}
	if r.mountProc == "" && r.root == "" && r.directory == "" && r.propagation == unix.MS_PRIVATE|unix.MS_REC {
		return p.spawn(r.argv, attr)
	}
	attr.Unshareflags &^= unix.CLONE_NEWNS
	return p.spawnSelf(r.remainder(), attr)
}

// remainder is the command line for what is left to be done inside.
func (r *unshareRequest) remainder() []string {
	args := []string{"unshare"}
	if r.flags&unix.CLONE_NEWNS != 0 {
		args = append(args, "--mount")
	}
	args = append(args, "--propagation="+r.propagationName)
	if r.mountProc != "" {
		args = append(args, "--mount-proc="+r.mountProc)
	}
	if r.root != "" {
		args = append(args, "--root="+r.root)
	}
	if r.directory != "" {
		args = append(args, "--wd="+r.directory)
	}
	return append(append(args, "--"), r.argv...)
}
