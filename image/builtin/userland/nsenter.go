package userland

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"sandbox/kernel/birth"
)

// nsenterRequest is what an nsenter command line asks for.
type nsenterRequest struct {
	kinds     []namespaceKind
	target    string            // the process whose namespaces to join
	files     map[string]string // a namespace file given with a flag, by kind: --net=/run/netns/a
	noFork    bool
	root, cwd bool
	argv      []string
}

// runNsenter runs a program in the namespaces of another process: nsenter -t 4711 -m -n sh.
func runNsenter(p *Process) int {
	r, err := p.parseNsenter()
	if err != nil {
		return p.Fail("%v", err)
	}
	// What belongs to the other process is opened before its mount namespace hides our /proc.
	handles, err := r.open()
	if err != nil {
		return p.Fail("%s", causedBy(err))
	}
	if r.kinds[0].flag == unix.CLONE_NEWUSER {
		return p.enterUserNamespace(r, handles[0])
	}
	runtime.LockOSThread() // a namespace is joined by a thread, and that thread executes the program
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return p.Fail("unshare failed: %s", causeText(err)) // who shares root and cwd with other threads may not change the mount namespace
	}
	newPID := false
	for i, kind := range r.kinds {
		if err := unix.Setns(handles[i], kind.flag); err != nil {
			return p.Fail("reassociate to namespace 'ns/%s' failed: %s", kind.name, causeText(err))
		}
		newPID = newPID || kind.flag == unix.CLONE_NEWPID
	}
	if err := r.enterDirectories(handles[len(r.kinds):]); err != nil {
		return p.Fail("%s", causedBy(err))
	}
	if newPID && !r.noFork { // only children are in the PID namespace
		return p.spawn(r.argv, nil)
	}
	return p.become(r.argv)
}

func (p *Process) parseNsenter() (*nsenterRequest, error) {
	long := map[string]string{"target": "t", "all": "a", "root": "r", "wd": "w", "no-fork": "F"}
	letters := "+t:arwF"
	for i, kind := range namespaceKinds {
		digit := string(withFile(i))
		letters += string(kind.letter) + digit + "::"
		long[kind.long] = digit
	}
	opts, words, err := p.options(letters, long)
	if err != nil {
		return nil, err
	}
	r := &nsenterRequest{target: opts.value('t'), files: map[string]string{}, noFork: opts.has('F'), root: opts.has('r'), cwd: opts.has('w'), argv: shellOr(words)}
	for i, kind := range namespaceKinds {
		if !opts.has(kind.letter) && !opts.has(withFile(i)) && !(opts.has('a') && r.differs(kind)) {
			continue
		}
		r.kinds = append(r.kinds, kind)
		if file := opts.value(withFile(i)); file != "" {
			r.files[kind.name] = file
		} else if r.target == "" {
			return nil, fmt.Errorf("no target PID specified (-t)")
		}
	}
	if len(r.kinds) == 0 {
		return nil, fmt.Errorf("no namespace specified")
	}
	return r, nil
}

// withFile is the letter behind a long flag that may have a file: --net=FILE. The short flags, -mn, take none.
func withFile(kind int) rune { return rune('0' + kind) }

// differs tells whether -a has to join a namespace: one that we are in already may refuse, and does not matter.
func (r *nsenterRequest) differs(kind namespaceKind) bool {
	var theirs, ours unix.Stat_t
	if unix.Stat("/proc/"+r.target+"/ns/"+kind.name, &theirs) != nil || unix.Stat("/proc/self/ns/"+kind.name, &ours) != nil {
		return false
	}
	return theirs.Ino != ours.Ino
}

// open opens the namespaces in the order in which they are joined, then root and working directory if asked for.
func (r *nsenterRequest) open() ([]int, error) {
	var paths []string
	for _, kind := range r.kinds {
		path := r.files[kind.name]
		if path == "" {
			path = "/proc/" + r.target + "/ns/" + kind.name
		}
		paths = append(paths, path)
	}
	if r.root {
		paths = append(paths, "/proc/"+r.target+"/root")
	}
	if r.cwd {
		paths = append(paths, "/proc/"+r.target+"/cwd")
	}
	var handles []int
	for _, path := range paths {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, &os.PathError{Op: "cannot open", Path: path, Err: err}
		}
		handles = append(handles, fd)
	}
	return handles, nil
}

func (r *nsenterRequest) enterDirectories(handles []int) error {
	for i, handle := range handles {
		if err := unix.Fchdir(handle); err != nil {
			return fmt.Errorf("change directory failed: %w", err)
		}
		if r.root && i == 0 {
			if err := unix.Chroot("."); err != nil {
				return fmt.Errorf("chroot failed: %w", err)
			}
		}
	}
	return nil
}

// enterUserNamespace starts this command once more inside a user namespace, to join the others from there with the
// privileges that it gives. A process with threads may not join a user namespace; a child that only makes system calls
// until it executes something may. Package birth runs such a child.
func (p *Process) enterUserNamespace(r *nsenterRequest, handle int) int {
	argv := r.argv
	path := "/proc/self/exe"
	if len(r.kinds) > 1 || r.root || r.cwd {
		argv = append([]string{"nsenter"}, r.remainder()...)
	} else if found, err := findProgram(argv[0]); err == nil {
		path = found
	} else {
		return p.failToExecute(argv[0], err)
	}
	b := birth.NewBuilder()
	b.Clone.Flags = birth.ClearSighand
	b.Clone.ExitSignal = uint64(syscall.SIGCHLD)
	join := b.Add(unix.SYS_SETNS, 0, handle, unix.CLONE_NEWUSER)
	b.Add(unix.SYS_SETGID, birth.Ignore, 0)
	b.Add(unix.SYS_SETUID, birth.Ignore, 0) // as nsenter does, where 0 is mapped
	b.Add(unix.SYS_RT_SIGPROCMASK, 0, unix.SIG_SETMASK, b.Words(0), 0, 8)
	b.Add(unix.SYS_EXECVE, 0, b.String(path), b.Strings(argv), b.Strings(os.Environ()))
	table := birth.Load(b.Image())
	pid, errno := table.Run()
	if errno != 0 {
		return p.Fail("fork failed: %s", causeText(errno))
	}
	status := waitFor(pid)
	if row := table.Failed(); row >= 0 {
		_, errno, _ := table.Outcome(row)
		if row == join {
			return p.Fail("reassociate to namespace 'ns/user' failed: %s", causeText(errno))
		}
		return p.failToExecute(argv[0], errno)
	}
	return status
}

// remainder is the command line for what is left to be joined inside the user namespace.
func (r *nsenterRequest) remainder() []string {
	var args []string
	if r.target != "" {
		args = append(args, "-t", r.target)
	}
	for _, kind := range r.kinds[1:] {
		flag := "--" + kind.long
		if file := r.files[kind.name]; file != "" {
			flag += "=" + file
		}
		args = append(args, flag)
	}
	if r.noFork {
		args = append(args, "-F")
	}
	if r.root {
		args = append(args, "-r")
	}
	if r.cwd {
		args = append(args, "-w")
	}
	return append(append(args, "--"), r.argv...)
}
