package container

import (
	"errors"
	"fmt"
	"os"
	"path"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/kernel"
)

// Change is what `update` was asked for; nil for what stays.
type Change struct {
	Limits  func(*Resources) error
	Restart *RestartPolicy
	Warn    func(string)
}

// Update changes a container's limits and its restart policy: the kernel's files if it runs, and the record and config.json, from which
// it is started the next time. Either all of it comes true or nothing. A monitor reads the policy when its container ends.
func (e *Engine) Update(r *Record, c Change) error {
	var undo func()
	var limited *Record // if it runs, and had no limit of memory
	_, err := e.change(r.ID, true, func(r *Record) error {
		hc := &r.HostConfig
		if c.Restart != nil {
			if hc.AutoRemove && c.Restart.Asks() {
				return kernel.Advise(errors.New("restart policy cannot be updated because --rm is enabled for the container"),
					"a container that comes again is not removed when it has ended: make another without --rm")
			}
			hc.RestartPolicy = *c.Restart
		}
		if c.Limits == nil {
			return nil
		}
		before := hc.Resources
		if err := before.findDisks(&Engine{Groups: e.Groups, Door: &kernel.Door{}}); err != nil {
			return err
		}
		old := before.limits()
		if err := e.changeLimits(hc, c); err != nil {
			return err
		}
		if before.Memory == 0 && hc.Memory != 0 && r.State.Running {
			limited = r
		}
		var err error
		undo, err = e.applyLimits(r, old)
		return err
	})
	if err != nil && undo != nil {
		undo() // the record could not be written
	}
	if err == nil {
		e.Event(r.Event("update"))
		if limited != nil {
			e.tellLimit(limited)
		}
	}
	return err
}

// changeLimits works out what the limits are to be.
func (e *Engine) changeLimits(hc *HostConfig, c Change) error {
	before := hc.Resources
	if err := c.Limits(&hc.Resources); err != nil {
		return err
	}
	if hc.Memory == 0 && before.Memory != 0 && hc.MemorySwap == before.MemorySwap {
		hc.MemorySwap = 0 // it was about the memory limit, which goes
	}
	return e.settle(hc, c.Warn)
}

// applyLimits writes the kernel's files and config.json; undo restores both.
func (e *Engine) applyLimits(r *Record, old *specs.LinuxResources) (undo func(), err error) {
	undoFiles := func() {}
	if r.State.Running && r.State.Pid != 0 {
		list, err := e.groups(r.ID).Update(r.ID, old, r.HostConfig.limits())
		if err != nil {
			return nil, err
		}
		if undoFiles, err = e.rewrite(list); err != nil {
			return nil, err
		}
	}
	undoConfig, err := e.rewriteConfig(r)
	if err != nil {
		undoFiles()
		return nil, err
	}
	return func() { undoConfig(); undoFiles() }, nil
}

// rewrite performs the changes of files one by one, and takes back those that were made if one fails.
func (e *Engine) rewrite(list []cgroup.Rewrite) (undo func(), err error) {
	done := 0
	undo = func() {
		for i := done - 1; i >= 0; i-- {
			if list[i].Back.Effect != nil {
				e.Door.Do(kernel.Try(list[i].Back)...)
			}
		}
	}
	for _, r := range list {
		if err := e.Door.Do(r.Do); err != nil && !errors.Is(err, unix.ESRCH) { // a process that was to be moved has ended
			undo()
			return nil, adviseBusy(r.Do, err)
		}
		done++
	}
	return undo, nil
}

// adviseBusy explains EBUSY, with which v1 refuses a memory limit below what is used and cannot be given back.
func adviseBusy(s kernel.Step, err error) error {
	w, ok := s.Effect.(kernel.WriteFile)
	if !ok || !errors.Is(err, unix.EBUSY) {
		return err
	}
	usage := map[string]string{"memory.limit_in_bytes": "memory.usage_in_bytes", "memory.memsw.limit_in_bytes": "memory.memsw.usage_in_bytes"}[path.Base(w.Path)]
	data, readErr := os.ReadFile(path.Join(path.Dir(w.Path), usage))
	if usage == "" || readErr != nil {
		return err
	}
	var limit, used int64
	fmt.Sscan(w.Data, &limit)
	fmt.Sscan(string(data), &used)
	return cgroup.BelowUsed(limit, used)
}

// rewriteConfig puts the limits into config.json; the rules for devices stay.
func (e *Engine) rewriteConfig(r *Record) (undo func(), err error) {
	file := e.Paths.spec(r.ID)
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	spec, err := decodeConfig(data)
	if err != nil {
		return nil, err
	}
	resources := r.HostConfig.limits()
	if spec.Linux.Resources != nil {
		resources.Devices = spec.Linux.Resources.Devices
	}
	spec.Linux.Resources = resources
	changed, err := encodeConfig(spec)
	if err != nil {
		return nil, err
	}
	write := func(data []byte, en, zh string) kernel.Step {
		return kernel.Step{
			Effect: kernel.ReplaceFile{Path: file, Data: data, Mode: 0o600, Durable: true}, Section: "3.4", Why: kernel.Why{EN: en, ZH: zh},
		}
	}
	undo = func() { e.Door.Do(kernel.Try(write(data, "what it was", "改回原样"))...) }
	return undo, e.Door.Do(write(changed, "the limits that it is started with the next time", "下次启动时用的就是这些限制"))
}
