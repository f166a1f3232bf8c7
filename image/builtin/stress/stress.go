// Package stress is the program of the built-in image stress: it keeps processors, memory and disks busy, so that a limit has
// something to limit. Its options and messages are those of the classic program of that name (version 1), which tutorials
// run from the image progrium/stress.
//
// It starts a process for each worker (package hog), waits for them all, and tells how they ended:
//
//	stress --vm 1 --vm-bytes 280M            process 1
//	  └─ stress-vm                           fills 280 MB, and is the one that the kernel kills when there is too little
package stress

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"sandbox/image/builtin/stress/hog"
)

// Main is the program; it returns its exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	p := &parent{stdout: stdout, stderr: stderr, level: hog.Information, workers: map[int]bool{}}
	o, err := parse(args[1:])
	if o.quiet {
		p.level = hog.Errors
	}
	if o.verbose {
		p.level = hog.Debugging
	}
	switch {
	case err != nil:
		p.say(hog.Errors, "(%d) %s", lineOption, err)
		return 1
	case o.version:
		fmt.Fprintln(stdout, "stress 1 (built into sandbox)")
		return 0
	case o.help || o.cpu+o.io+o.vm+o.hdd == 0:
		io.WriteString(stdout, help)
		return 0
	}
	return p.run(o)
}

// The numbers in brackets that messages have were lines of the classic program's source, in the version that tutorials
// show: people search for them.
const (
	lineOption   = 244
	lineNoTime   = 295
	lineFork     = 301
	lineReturned = 394
	lineSignal   = 415
	lineReap     = 417
	lineKill     = 421
	lineFailed   = 451
)

// parent is the process that starts the workers and waits for them.
type parent struct {
	stdout, stderr io.Writer
	level          int
	workers        map[int]bool // those that are alive, by pid
	failed         bool
}

// kinds are the names of the levels of messages.
var kinds = [...]string{hog.Errors: "FAIL", hog.Warnings: "WARN", hog.Information: "info", hog.Debugging: "dbug"}

func (p *parent) say(level int, format string, values ...any) {
	if level > p.level {
		return
	}
	w := p.stdout
	if level <= hog.Warnings {
		w = p.stderr
	}
	fmt.Fprintf(w, "stress: %s: [%d] %s\n", kinds[level], os.Getpid(), fmt.Sprintf(format, values...))
}

func (p *parent) run(o options) int {
	began := time.Now()
	smallPages()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	p.say(hog.Information, "dispatching hogs: %d cpu, %d io, %d vm, %d hdd", o.cpu, o.io, o.vm, o.hdd)
	p.dispatch(o, began)
	ended := make(chan end)
	go reap(ended)
	for len(p.workers) > 0 {
		select {
		case sig := <-signals: // whoever asks us to end means the workers: without them we end too
			p.kill(sig.(syscall.Signal))
		case e := <-ended:
			p.note(e)
		}
	}
	passed := int64(time.Since(began).Seconds())
	if p.failed {
		p.say(hog.Errors, "(%d) failed run completed in %ds", lineFailed, passed)
		return 1
	}
	p.say(hog.Information, "successful run completed in %ds", passed)
	return 0
}

// smallPages forgoes huge pages, for the workers too, which inherit that (prctl(2), PR_SET_THP_DISABLE): a byte that is touched
// takes a page, and not 2 MB where the kernel is generous.
func smallPages() {
	const disable = 41 // PR_SET_THP_DISABLE
	syscall.RawSyscall6(syscall.SYS_PRCTL, disable, 1, 0, 0, 0, 0)
}

// dispatch starts the workers, one of each kind in turn. Those that come first wait longer, so that all begin together.
func (p *parent) dispatch(o options, began time.Time) {
	order := hog.Order{Level: int64(p.level), Stride: o.stride, Hang: o.hang, Keep: number(o.keep), DryRun: number(o.dryRun)}
	for left := o.cpu + o.io + o.vm + o.hdd; left > 0; {
		order.Backoff = o.backoff * left
		p.say(hog.Debugging, "using backoff sleep of %dus", order.Backoff)
		if o.timeout > 0 {
			order.Timeout = o.timeout - int64(time.Since(began).Seconds())
			if order.Timeout <= 0 {
				p.say(hog.Warnings, "(%d) used up time before all workers dispatched", lineNoTime)
				return
			}
			p.say(hog.Debugging, "setting timeout to %ds", order.Timeout)
		}
		for _, k := range []struct {
			hogs  *int64
			name  string
			role  string
			bytes int64
		}{{&o.cpu, "hogcpu", hog.CPU, 0}, {&o.io, "hogio", hog.IO, 0}, {&o.vm, "hogvm", hog.Memory, o.vmBytes}, {&o.hdd, "hoghdd", hog.Disk, o.hddBytes}} {
			if *k.hogs == 0 {
				continue
			}
			order.Bytes = k.bytes
			pid, err := start(order.Arguments(k.role))
			if err != nil {
				p.say(hog.Errors, "(%d) fork failed: %s", lineFork, err)
				p.reapOthers()
				return
			}
			p.say(hog.Debugging, "--> %s worker %d [%d] forked", k.name, *k.hogs, pid)
			p.workers[pid] = true
			*k.hogs--
			left--
		}
	}
}

func number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// start makes a worker: this program once more, under another name.
func start(args []string) (pid int, err error) {
	return syscall.ForkExec("/proc/self/exe", args, &syscall.ProcAttr{
		Env: append(os.Environ(), hog.Environment...), Files: []uintptr{0, 1, 2},
	})
}

// end is how a process ended.
type end struct {
	pid    int
	status syscall.WaitStatus
}

// reap waits for all children; as process 1 of a container also for those of others who died before them.
func reap(ended chan<- end) {
	for {
		var e end
		pid, err := syscall.Wait4(-1, &e.status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return
		}
		e.pid = pid
		ended <- e
	}
}

// note tells of a worker's end. When one has failed the others are ended too.
func (p *parent) note(e end) {
	if !p.workers[e.pid] {
		return
	}
	delete(p.workers, e.pid)
	switch sig := e.status.Signal(); {
	case e.status.Exited() && e.status.ExitStatus() == 0:
		p.say(hog.Debugging, "<-- worker %d returned normally", e.pid)
	case e.status.Exited():
		p.say(hog.Errors, "(%d) <-- worker %d returned error %d", lineReturned, e.pid, e.status.ExitStatus())
		p.reapOthers()
	case sig == syscall.SIGALRM:
		p.say(hog.Debugging, "<-- worker %d signalled normally", e.pid)
	case sig == syscall.SIGKILL && p.failed:
		p.say(hog.Debugging, "<-- worker %d reaped", e.pid)
	default:
		p.say(hog.Errors, "(%d) <-- worker %d got signal %d", lineSignal, e.pid, sig)
		p.reapOthers()
	}
}

func (p *parent) reapOthers() {
	p.say(hog.Warnings, "(%d) now reaping child worker processes", lineReap)
	p.failed = true
	p.kill(syscall.SIGKILL) // the classic program sends SIGUSR1, which a worker that is only just starting would miss
}

func (p *parent) kill(sig syscall.Signal) {
	for pid := range p.workers {
		if err := syscall.Kill(pid, sig); err != nil {
			p.say(hog.Errors, "(%d) kill error: %s", lineKill, err)
		}
	}
}
