package chapter3

import (
	"maps"
	"runtime"

	"sandbox/kernel/container"
	"sandbox/labs/chapter2"
	"sandbox/labs/command"
)

// containerView is a container as Docker's `inspect` shows it: what is recorded, and what follows from it.
type containerView struct {
	*container.Record
	ResolvConfPath  string
	HostnamePath    string
	HostsPath       string
	LogPath         string
	Platform        string
	MountLabel      string
	ProcessLabel    string
	AppArmorProfile string
	ExecIDs         []string
	GraphDriver     chapter2.GraphDriver
	SizeRw          *int64 `json:",omitempty"`
	SizeRootFs      *int64 `json:",omitempty"`
	NetworkSettings container.NetworkSettings
}

// inspectContainer looks a container up.
func inspectContainer(env *command.Env, ref string, size bool) (any, error) {
	engine := env.Engine()
	r, err := engine.Get(ref)
	if err != nil {
		return nil, err
	}
	view := containerView{
		Record: filled(r), LogPath: engine.LogPath(r), Platform: runtime.GOOS, GraphDriver: chapter2.Overlay(engine.Stack(r)),
		NetworkSettings: engine.NetworkSettings(r),
		ResolvConfPath:  engine.EtcPath(r, "resolv.conf"), HostnamePath: engine.EtcPath(r, "hostname"), HostsPath: engine.EtcPath(r, "hosts"),
	}
	if size {
		written := engine.SizeRw(r)
		view.SizeRw = &written
		if img, err := engine.Images.Find(r.Image); err == nil {
			all := written + img.Size
			view.SizeRootFs = &all
		}
	}
	return view, nil
}

// filled is a record with empty lists where Docker has them, not null.
func filled(r *container.Record) *container.Record {
	full := *r
	if full.Args == nil {
		full.Args = []string{}
	}
	if full.Mounts == nil {
		full.Mounts = []container.MountPoint{}
	}
	if full.Config.Env == nil {
		full.Config.Env = []string{}
	}
	if full.Config.Labels = maps.Clone(r.Config.Labels); full.Config.Labels == nil {
		full.Config.Labels = map[string]string{}
	}
	if full.HostConfig.PortBindings == nil {
		full.HostConfig.PortBindings = map[string][]container.PortBinding{}
	}
	full.HostConfig.Links = full.LinksShown()
	for _, list := range []*[]string{&full.HostConfig.Dns, &full.HostConfig.DnsOptions, &full.HostConfig.DnsSearch} {
		if *list == nil {
			*list = []string{}
		}
	}
	return &full
}
