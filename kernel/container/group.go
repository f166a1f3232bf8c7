package container

import (
	"fmt"

	"sandbox/cgroup"
	"sandbox/kernel"
)

// GroupFiles reads the files of a running container's control group, each with what the container's flags have written there.
func (e *Engine) GroupFiles(r *Record) ([]cgroup.File, error) {
	if !r.State.Running || r.State.Pid == 0 {
		return nil, kernel.Advise(fmt.Errorf("container %s does not run, and a control group goes with its last process", r.PlainName()), "sandbox start %s", r.PlainName())
	}
	if !e.Groups.Available() {
		return nil, e.Groups.Unavailable()
	}
	resources := r.HostConfig.Resources
	resources.findDisks(e) // one that is gone by now has no limit either
	files := e.Groups.Files(r.ID, resources.limits())
	if len(files) == 0 {
		return nil, kernel.Advise(fmt.Errorf("container %s has no control group: it was started where none could be made", r.PlainName()), "sandbox restart %s", r.PlainName())
	}
	return files, nil
}
