// Package container is a container's life: create, start, init, monitor, exec, logs, stop, remove, and its state on disk.
//
// Three processes have a part in it:
//
//	client   `sandbox run`: reads the flags, makes the container's directory, plans the birth (birth.go: the place to
//	         begin reading), hands the plan to the monitor, tells what happened, and carries the terminal's input and output
//	monitor  one small process a container, the parent of its first process. It performs the plan (package early), then
//	         copies output to the log, the client and whoever attaches (serve.go), waits for the end, records it and cleans
//	         up (monitor.go). It has a session of its own and outlives the client and its terminal
//	PID 1    the container's first process: it works through the plan as a list of system calls (package birth), and
//	         becomes the user's program
//
// There is no daemon. What is known of a container is in its directory (record.go); whether it runs is known to the
// kernel: the monitor holds a lock (lock.go). Any of them may be killed at any moment; the next command compares the
// record with the lock and the process table, and puts right what does not agree (tidy.go).
//
// What is mounted is planned in volumeuse.go (flags, other containers, VOLUMEs), described in volumemount.go and brought in
// by bind.go; volume.go tells how volumes are kept. files.go is the way to a container's files, for cp.
//
// What is executed is an OCI runtime-spec config.json: spec.go makes it from the flags, birth.go plans from it.
package container

import (
	"io"
	"os"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/cgroup"
	"sandbox/image"
	"sandbox/kernel"
)

// Engine is what commands on containers work with.
type Engine struct {
	Paths  Paths
	Door   *kernel.Door
	Images *image.Store
	Host   Host
	Groups cgroup.Host
}

// Request is what `run` and `create` were asked for.
type Request struct {
	Name       string // "" for one that is made up
	Config     Config
	HostConfig HostConfig
	Mounts     []MountOption
	Networks   []Attachment // the first one is HostConfig.NetworkMode's
	Image      *image.Image
	Attended   bool         // it ends with its client: see Attended
	Warn       func(string) // of what will not be quite as it was asked for; may be nil
}

// Create makes a container that is not running yet. The returned lock is held; the caller closes it or hands it on.
// The container is recorded by Save, or, when it is to run at once, by its monitor: a directory without a record is
// unfinished, and what is left of it is taken away by the next command if we are killed.
func (e *Engine) Create(req Request) (r *Record, lock *os.File, err error) {
	if req.Name != "" {
		if err := checkName(req.Name); err != nil {
			return nil, nil, err
		}
	}
	r = newRecord(req)
	if err := e.resolveJoins(r); err != nil {
		return nil, nil, err
	}
	if err := e.planNetworks(r, req.Networks); err != nil {
		return nil, nil, err
	}
	if r.HostConfig.NetworkMode == "host" && r.HostConfig.publishes() && req.Warn != nil {
		req.Warn("Published ports are discarded when using host network mode")
	}
	if err := e.checkResources(r, req.Warn); err != nil {
		return nil, nil, err
	}
	if _, err := r.HostConfig.LogConfig.settings(r.Config); err != nil {
		return nil, nil, err
	}
	if err := e.planMounts(r, req.Mounts); err != nil {
		return nil, nil, err
	}
	if err := e.checkMounts(r); err != nil {
		return nil, nil, err
	}
	u, err := lookupUser(r.Config.User, e.etcReader(r, "")) // it has no layer of its own yet
	if err != nil {
		return nil, nil, err
	}
	spec, err := makeSpec(r, u, e.Host, e.withSources(r.MountOptions))
	if err != nil {
		return nil, nil, err
	}
	lock, err = e.makeDirectories(r.ID)
	if err == nil {
		err = e.fillDirectory(r, req.Name, spec)
	}
	if err == nil {
		err = e.rememberParent(r)
	}
	if err == nil {
		err = e.claimVolumes(r)
	}
	if err != nil {
		e.Discard(r)
		return nil, nil, err
	}
	return r, lock, nil
}

// newRecord combines what was asked for with the image's configuration, as Docker does.
func newRecord(req Request) *Record {
	r := &Record{
		ID: newID(), Created: now(), Driver: "overlay", Image: req.Image.ID,
		Config: req.Config, HostConfig: req.HostConfig, Layers: req.Image.Layers, Attended: req.Attended,
	}
	c, from := &r.Config, req.Image.Config
	if c.Hostname == "" {
		c.Hostname = r.Short()
		if r.HostConfig.UTSMode == "host" {
			c.Hostname, _ = os.Hostname()
		}
	}
	env := slices.Clone(from.Env)
	for _, assignment := range c.Env {
		env = setEnv(env, assignment)
	}
	c.Env = env
	switch {
	case c.Entrypoint != nil: // --entrypoint makes the image's CMD meaningless
	case len(from.Entrypoint) > 0:
		c.Entrypoint = from.Entrypoint
		if len(c.Cmd) == 0 {
			c.Cmd = from.Cmd
		}
	case len(c.Cmd) == 0:
		c.Cmd = from.Cmd
	}
	if len(c.Entrypoint) == 1 && c.Entrypoint[0] == "" {
		c.Entrypoint = nil // --entrypoint "" takes the image's away
	}
	if c.WorkingDir == "" {
		c.WorkingDir = from.WorkingDir
	}
	if c.User == "" {
		c.User = from.User
	}
	if c.StopSignal == "" {
		c.StopSignal = from.StopSignal
	}
	c.Healthcheck, c.Shell = mergeHealth(c.Healthcheck, from.Healthcheck), from.Shell
	for dir := range from.Volumes {
		if c.Volumes == nil {
			c.Volumes = map[string]struct{}{}
		}
		c.Volumes[dir] = struct{}{}
	}
	for name, value := range from.Labels {
		if _, set := c.Labels[name]; !set {
			if c.Labels == nil {
				c.Labels = map[string]string{}
			}
			c.Labels[name] = value
		}
	}
	for port := range from.ExposedPorts {
		if c.ExposedPorts == nil {
			c.ExposedPorts = map[string]struct{}{}
		}
		c.ExposedPorts[port] = struct{}{}
	}
	if args := append(slices.Clone(c.Entrypoint), c.Cmd...); len(args) > 0 {
		r.Path, r.Args = args[0], args[1:]
	}
	if !r.HostConfig.Privileged {
		r.HostConfig.MaskedPaths, r.HostConfig.ReadonlyPaths = defaultMasked, defaultReadonly
	}
	r.HostConfig.LogConfig = r.HostConfig.LogConfig.withDefaults()
	r.State = State{Status: "created"}
	return r
}

// InitPath is where --init's program is in the container.
const InitPath = "/dev/init"

// etcReader reads files of the container's root file system, from the image's layers and the container's own; "" for none.
func (e *Engine) etcReader(r *Record, upper string) etcReader {
	return func(path string) (io.ReadCloser, error) {
		file, err := e.Images.Lookup(r.Layers, upper, path)
		if err != nil {
			return nil, err
		}
		return file, nil
	}
}

// makeDirectories makes the container's directories and locks them.
func (e *Engine) makeDirectories(id string) (lock *os.File, err error) {
	p := e.Paths
	make := func(path string, mode uint32, en, zh string) kernel.Step {
		return kernel.Step{Effect: kernel.Mkdir{Path: path, Mode: mode}, Section: "2.3", Why: kernel.Why{EN: en, ZH: zh}}
	}
	steps := []kernel.Step{
		make(p.dir(id), 0o711, "the container's directory", "容器的目录"),
		make(p.upper(id), 0o755, "the container's own layer: all it writes lands here", "容器层：容器写的东西都在这里"),
		{Effect: kernel.Chmod{Path: p.upper(id), Mode: 0o755}, Section: "2.3", Why: kernel.Why{EN: "its / is for everybody, whatever your umask", ZH: "不管你的 umask 是什么，容器的 / 人人可进"}},
		make(p.work(id), 0o755, "overlayfs prepares its changes here", "overlayfs 在这里准备改动"),
	}
	if err := e.makeRoot(); err != nil {
		return nil, err
	}
	growing, err := lockShared(p.containers())
	if err != nil {
		return nil, err
	}
	defer growing.Close()
	if err := e.Door.Do(steps...); err != nil {
		return nil, err
	}
	lock, _, err = takeLock(p.dir(id))
	return lock, err
}

// Save records a container that was created.
func (e *Engine) Save(r *Record) error {
	err := e.writeEtc(r) // so that it can be started when the disk is full
	if err == nil {
		err = r.save(e.Door, e.Paths, false)
	}
	if err == nil {
		e.Event(r.Event("create"))
	}
	return err
}

// fillDirectory reserves the name and writes config.json.
func (e *Engine) fillDirectory(r *Record, name string, spec *specs.Spec) error {
	var err error
	if name != "" {
		err = e.reserveName(name, r.ID)
	} else {
		name, err = e.inventName(r.ID)
	}
	if err != nil {
		return err
	}
	r.Name = "/" + name
	config, err := encodeConfig(spec)
	if err != nil {
		return err
	}
	steps := []kernel.Step{{
		Effect: kernel.CreateFile{Path: e.Paths.spec(r.ID), Data: string(config), Mode: 0o600}, Section: "3.5",
		Why: kernel.Why{EN: "the container as the OCI runtime specification writes it", ZH: "按 OCI 运行时规范写下的容器"},
	}}
	return e.Door.Do(steps...)
}

// Discard takes away what Create has made.
func (e *Engine) Discard(r *Record) {
	if r.Name != "" {
		e.Door.Do(kernel.Step{Effect: kernel.Remove{Path: e.Paths.nameOf(r.PlainName())}, Section: "3.3", Optional: true})
	}
	e.removeOwnVolumes(r.ID)
	e.Door.Do(kernel.Step{Effect: kernel.RemoveAll{Path: e.Paths.dir(r.ID)}, Section: "3.3", Optional: true})
}
