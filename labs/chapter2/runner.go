package chapter2

import (
	"context"
	"os"
	"path"
	"strconv"

	"golang.org/x/sys/unix"

	"sandbox/image"
	"sandbox/image/build"
	"sandbox/image/layer"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// runner runs RUN's commands in containers of this runtime.
type runner struct {
	env    *command.Env
	limits container.HostConfig // its limits are those of each RUN
}

func newRunner(env *command.Env, limits container.HostConfig) build.Runner {
	return runner{env, limits}
}

// Run makes a container of the image so far, runs the command and leaves the container, so that what it has written can
// be taken. A cancelled build kills it.
func (u runner) Run(ctx context.Context, r build.RunRequest) (*build.Ran, error) {
	engine := u.env.Engine()
	req, err := u.request(r)
	if err != nil {
		return nil, err
	}
	input, err := inputOf(r.Stdin)
	if err != nil {
		return nil, err
	}
	if input != nil {
		defer input.Close()
	}
	streams := container.Streams{In: input, Out: r.Output, Err: r.Output}
	a, err := engine.Attend(ctx, req, streams, r.Started, u.env.Tell())
	if err != nil {
		return nil, err
	}
	return &build.Ran{ID: a.ID(), Code: a.Code, Upper: a.Upper(), Close: a.Remove}, nil
}

func (u runner) request(r build.RunRequest) (container.Request, error) {
	config := r.Config
	config.Volumes = nil // what a step writes there belongs into its layer
	req := container.Request{
		Image: &image.Image{Layers: r.Layers, Config: config},
		Config: container.Config{
			Entrypoint: []string{""}, Cmd: r.Args, OpenStdin: r.Stdin != "", StdinOnce: true, AttachStdout: true, AttachStderr: true,
		},
		HostConfig: u.limits,
	}
	req.HostConfig.NetworkMode, req.HostConfig.IpcMode, req.HostConfig.CgroupnsMode = u.networkOf(r.Network), "private", "private"
	for _, m := range r.Mounts {
		option, err := u.mount(m)
		if err != nil {
			return req, err
		}
		req.Mounts = append(req.Mounts, option)
	}
	return req, nil
}

// networkOf is the network of a step. Most builds fetch something: so where there are no bridges for who builds, the default is the
// host's network.
func (u runner) networkOf(mode string) string {
	switch {
	case mode == "none" || mode == "host":
		return mode
	case u.env.Engine().Host.Rootless():
		return "host"
	}
	return "bridge"
}

func (u runner) mount(m build.Mount) (container.MountOption, error) {
	o := container.MountOption{Type: m.Type, Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly}
	switch m.Type {
	case "tmpfs":
		o.Options = []string{"nosuid", "nodev", "noexec"}
		if m.Size > 0 {
			o.Options = append(o.Options, "size="+strconv.FormatInt(m.Size, 10))
		}
	case "layers":
		// Its place in the layers is found here, with links followed inside them: the kernel would follow them on the host.
		o.Type, o.Layers = "image", m.Layers
		info, err := layer.Stat(u.env.Engine().Images.Stack(m.Layers, ""), path.Join("/", m.Source))
		if err != nil {
			return o, err
		}
		o.Source = info.Path
		if info.Mode&unix.S_IFMT != unix.S_IFDIR {
			o.Options = []string{"file"}
		}
	}
	return o, nil
}

// inputOf is a file that holds what a command reads from its standard input; nil for nothing.
func inputOf(text string) (*os.File, error) {
	if text == "" {
		return nil, nil
	}
	fd, err := unix.MemfdCreate("stdin", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "stdin")
	if _, err := file.WriteString(text); err != nil {
		file.Close()
		return nil, err
	}
	_, err = file.Seek(0, 0)
	return file, err
}
