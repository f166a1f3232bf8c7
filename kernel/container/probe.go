package container

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// watchHealth begins to check a container that was just born, if it has something to check. stop ends it, with the check that
// may be under way.
func (m *monitor) watchHealth() (stop func()) {
	check := m.record.Config.Healthcheck
	command := check.command(m.record.Config.Shell)
	if command == nil {
		return func() {}
	}
	p := &prober{engine: m.engine, record: m.record, check: check, command: command, done: make(chan struct{})}
	p.running.Go(p.watch)
	return func() {
		close(p.done)
		p.running.Wait()
	}
}

// prober checks one run of a container. It works on the record as it was at the beginning of that run.
type prober struct {
	engine  *Engine
	record  *Record
	check   *Healthcheck
	command []string
	done    chan struct{}
	running sync.WaitGroup
}

func (p *prober) watch() {
	status, began := HealthStarting, p.record.State.StartedAt.Time
	for {
		select {
		case <-p.done:
			return
		case <-time.After(p.check.pause(status, time.Since(began))):
		}
		if p.engine.groups(p.record.ID).Frozen(p.record.ID) {
			continue // paused: a process that went in would stand still as well
		}
		result := p.once()
		select {
		case <-p.done:
			return // the container has ended meanwhile, and the check with it
		default:
		}
		status = p.note(result, result.Start.Sub(began), status)
	}
}

// note writes a result into the record and returns the status after it.
func (p *prober) note(result HealthResult, up time.Duration, before string) string {
	after := before
	r, err := p.engine.change(p.record.ID, false, func(r *Record) error {
		if r.State.Health == nil {
			r.State.Health = &Health{Status: HealthStarting}
		}
		r.State.Health = r.State.Health.after(result, p.check, up)
		after = r.State.Health.Status
		return nil
	})
	if err == nil && after != before {
		p.engine.Event(r.Event("health_status: " + after))
	}
	return after
}

// once runs the command and waits for its end, or for the time-out.
func (p *prober) once() HealthResult {
	result := HealthResult{Start: now(), ExitCode: -1}
	reader, writer, err := os.Pipe()
	if err != nil {
		return result.failed(err)
	}
	defer reader.Close()
	pid, err := p.start(int(writer.Fd()))
	writer.Close()
	if err != nil {
		return result.failed(err)
	}
	var status unix.WaitStatus
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		status = reap(pid)
		reader.SetReadDeadline(time.Now().Add(restOfOutput)) // a process that it has left behind may hold the pipe open
	}()
	late := make(chan bool, 1)
	go func() { late <- p.limit(pid, ended) }()
	output, _ := io.ReadAll(io.LimitReader(reader, healthOutput))
	io.Copy(io.Discard, reader)
	<-ended
	result.End, result.Output, result.ExitCode = now(), string(output), exitCode(status)
	if <-late {
		result.ExitCode, result.Output = -1, fmt.Sprintf("Health check exceeded timeout (%v)", p.check.timeout())
	}
	return result
}

// restOfOutput is how long a check's output is waited for after its end.
const restOfOutput = 100 * time.Millisecond

// start sends the command into the container, with its output to a pipe.
func (p *prober) start(output int) (pid int, err error) {
	e, r := p.engine, p.record
	pidfd, err := e.openRunning(r)
	if err != nil {
		return 0, err
	}
	defer unix.Close(pidfd)
	req := ExecRequest{Args: p.command, output: output}
	plan, err := e.planExec(r, req)
	if err != nil {
		return 0, err
	}
	spawn, err := plan.execSteps(pidfd, 0, req)
	if err != nil {
		return 0, err
	}
	return e.sendIn(r, pidfd, spawn)
}

// limit kills a check that takes too long, or whose container has ended, with all that it has started: it has a session, and
// so a process group, of its own.
func (p *prober) limit(pid int, ended <-chan struct{}) (late bool) {
	select {
	case <-ended:
		return false
	case <-p.done:
	case <-time.After(p.check.timeout()):
		late = true
	}
	p.engine.Door.Do(kernel.Step{
		Effect: kernel.Kill{PID: -pid, Signal: unix.SIGKILL}, Section: "3.3", Optional: true,
		Why: kernel.Why{EN: "the health check has had its time", ZH: "健康检查超时了"},
	})
	return late
}

func (result HealthResult) failed(err error) HealthResult {
	result.End, result.Output = now(), err.Error()
	return result
}
