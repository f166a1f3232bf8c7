package shell

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/interp"
)

// watchSignals decides what a signal does to this shell.
//
//	Ctrl-C            ends what runs; the shell itself only if it is a script and the program that ran was killed by it,
//	                  and not if it is process 1: see below
//	SIGTERM           ends a script, not a shell with a prompt, and not process 1: the kernel spares a process 1 that
//	                  has no handler (BehaveAsProcessOne)
//	SIGTSTP           is ignored, and so by what the shell starts: there is no `bg` for a job that Ctrl-Z would stop
func (s *Shell) watchSignals() {
	BehaveAsProcessOne()
	if s.interactive {
		signal.Ignore(syscall.SIGTSTP)
	}
	s.heedsCtrlC = s.interactive || os.Getpid() != 1 && !signal.Ignored(syscall.SIGINT) // who told a script to ignore it means it
	s.listen()
}

// listen begins to take the signals that watchSignals speaks of, and those that have traps.
func (s *Shell) listen() {
	isInit := os.Getpid() == 1
	signals := make(chan os.Signal, 16)
	if s.heedsCtrlC {
		signal.Notify(signals, syscall.SIGINT)
	}
	if s.interactive {
		signal.Notify(signals, syscall.SIGHUP)
	}
	if s.interactive && !isInit {
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGQUIT)
	}
	if isInit {
		signal.Notify(signals, syscall.SIGCHLD)
	}
	for sig := range s.traps {
		signal.Notify(signals, sig)
	}
	s.signals = signals
	heard := make(chan struct{})
	s.allHeard = heard
	go func() {
		defer close(heard)
		for sig := range signals {
			s.receive(sig.(syscall.Signal))
		}
	}()
}

// stopListening leaves signals to their default action, and tells whether Ctrl-C has come before. One that comes later kills
// this process, whether it is still the shell or already the program that takes its place: none is lost between the two.
func (s *Shell) stopListening() (interrupted bool) {
	if !signal.Ignored(syscall.SIGINT) {
		// Go's handler would stay, and a thread that has begun to run it when another calls execve takes the signal with it.
		removeHandler(syscall.SIGINT)
	}
	signal.Stop(s.signals) // when it returns, all that have come are in the channel
	close(s.signals)
	<-s.allHeard
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// listenAgain is for a shell that has not been replaced after all.
func (s *Shell) listenAgain() {
	if s.heedsCtrlC {
		defaultAction(syscall.SIGINT) // for Go's runtime, too, so that it installs its handler anew
	}
	s.listen()
}

func (s *Shell) receive(sig syscall.Signal) {
	s.mu.Lock()
	if _, trapped := s.traps[sig]; trapped {
		s.pending = append(s.pending, sig)
		s.mu.Unlock()
		select {
		case s.arrived <- struct{}{}:
		default: // there is a token already
		}
		return
	}
	defer s.mu.Unlock()
	switch sig {
	case syscall.SIGINT:
		close(s.nextCtrlC)
		s.nextCtrlC = make(chan struct{})
		if s.foreground == 0 && !s.atPrompt { // otherwise the program that runs decides, see afterForeground
			s.stopping = true
			s.interrupt()
		}
	case syscall.SIGCHLD:
		s.reapOrphans()
	case syscall.SIGHUP:
		if s.interactive {
			s.hangUp()
		}
	}
}

func (s *Shell) trapped(sig syscall.Signal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, trapped := s.traps[sig]
	return trapped
}

// hangUp is the end of an interactive shell whose terminal has gone: its jobs are told.
func (s *Shell) hangUp() {
	for _, j := range s.jobs {
		if !j.ended() {
			j.signal(syscall.SIGHUP)
		}
	}
	os.Exit(128 + int(syscall.SIGHUP))
}

// reapOrphans needs s.mu. Processes whose parent died become children of process 1, and stay zombies until it waits
// for them. It looks before it waits, so as not to take away a child that somebody else is waiting for.
func (s *Shell) reapOrphans() {
	if os.Getpid() != 1 {
		return
	}
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		pid := childOf(&info)
		if err != nil || pid == 0 || s.children[pid] {
			return // the one that is waited for calls us again when it is gone
		}
		unix.Wait4(pid, nil, unix.WNOHANG, nil)
	}
}

// childOf is si_pid, which x/sys does not name. It follows three ints and, on 64-bit machines, the union's padding.
func childOf(info *unix.Siginfo) int {
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), 16)))
}

// trap is the builtin: `trap 'code' TERM INT`, `trap - TERM`, `trap "" HUP`, `trap`. EXIT and ERR are the interpreter's.
func (s *Shell) trap(hc interp.HandlerContext, args []string) []string {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 || args[0] == "-p" {
		s.listTraps(hc)
		return []string{"trap"}
	}
	if args[0] == "-l" {
		listSignals(hc.Stdout)
		return []string{"true"}
	}
	code, names := args[0], args[1:]
	if _, err := strconv.Atoi(code); err == nil || len(names) == 0 {
		code, names = "-", args // `trap INT` is `trap - INT`
	}
	var forInterpreter []string
	for _, name := range names {
		switch upper := strings.ToUpper(name); upper {
		case "EXIT", "0", "SIGEXIT":
			s.exitTrap = code != "-" && code != ""
			forInterpreter = append(forInterpreter, "EXIT")
		case "ERR":
			forInterpreter = append(forInterpreter, "ERR")
		default:
			sig, ok := parseSignal(name)
			if !ok {
				fmt.Fprintf(hc.Stderr, "%s: trap: %s: invalid signal specification\n", s.name, name)
				return []string{"false"}
			}
			s.setTrap(sig, code)
		}
	}
	if len(forInterpreter) == 0 {
		return []string{"true"}
	}
	return append([]string{"trap", "--", rewriteText(code)}, forInterpreter...)
}

func (s *Shell) setTrap(sig syscall.Signal, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch code {
	case "":
		delete(s.traps, sig)
		signal.Ignore(sig)
	case "-":
		delete(s.traps, sig)
		switch isInit := os.Getpid() == 1; {
		case sig == syscall.SIGINT && !isInit || s.interactive && (sig == syscall.SIGINT || sig == syscall.SIGHUP || !isInit):
			signal.Notify(s.signals, sig)
		case isInit:
			signal.Reset(sig)
			defaultAction(sig)
		default:
			signal.Reset(sig)
		}
	default:
		s.traps[sig] = code
		signal.Notify(s.signals, sig)
	}
}

func (s *Shell) listTraps(hc interp.HandlerContext) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var numbers []int
	for sig := range s.traps {
		numbers = append(numbers, int(sig.(syscall.Signal)))
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		sig := syscall.Signal(n)
		fmt.Fprintf(hc.Stdout, "trap -- '%s' %s\n", s.traps[sig], unix.SignalName(sig))
	}
}

// takeDueTraps gives the code of the traps whose signals have arrived, once. They run in the shell itself, between two
// commands, never in a subshell of it.
func (s *Shell) takeDueTraps(hc interp.HandlerContext) string {
	if inSubshell(hc) {
		return ""
	}
	return s.dueTraps()
}

func (s *Shell) dueTraps() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var codes []string
	for _, sig := range s.pending {
		codes = append(codes, rewriteText(s.traps[sig]))
	}
	s.pending = nil
	select {
	case <-s.arrived:
	default:
	}
	return strings.Join(codes, "\n")
}

// runDueTraps runs traps between statements, and says whether one of them ended the shell.
func (s *Shell) runDueTraps() (exited bool) {
	code := s.dueTraps()
	if code == "" {
		return false
	}
	file, err := newParser().Parse(strings.NewReader(code), "")
	if err != nil {
		s.syntaxError(err)
		return false
	}
	before := s.code
	for _, stmt := range file.Stmts { // rewritten already
		if s.run(stmt) {
			return true
		}
	}
	s.setStatus(before) // what a trap does is no business of $?
	return false
}

// dueSignal is the exit code of a `wait` that a signal cut short, 0 if none is due.
func (s *Shell) dueSignal() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) == 0 {
		return 0
	}
	return 128 + int(s.pending[0].(syscall.Signal))
}

// dieOf ends the process by a signal, so that whoever waits for it sees the true cause. Process 1 cannot be killed by
// its own signal, and leaves with the exit code that stands for it.
func dieOf(sig syscall.Signal) {
	signal.Reset(sig)
	if os.Getpid() != 1 {
		syscall.Kill(os.Getpid(), sig)
		select {} // the signal is on its way
	}
	os.Exit(128 + int(sig))
}

// parseSignal understands 9, KILL, SIGKILL, kill.
func parseSignal(name string) (syscall.Signal, bool) {
	if n, err := strconv.Atoi(name); err == nil {
		return syscall.Signal(n), n >= 0 && n <= 64
	}
	upper := strings.ToUpper(name)
	if !strings.HasPrefix(upper, "SIG") {
		upper = "SIG" + upper
	}
	sig := unix.SignalNum(upper)
	return sig, sig != 0
}

// signalText is how shells report a violent death: "Killed", "Segmentation fault".
func signalText(sig syscall.Signal) string {
	text := sig.String()
	return strings.ToUpper(text[:1]) + text[1:]
}
