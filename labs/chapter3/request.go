package chapter3

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"sandbox/image"
	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/limits"
)

// request turns flags and arguments into what package container is asked for. It looks at nothing but the flags and
// the files they name.
func (o *createOptions) request(img *image.Image, ref string, args []string) (container.Request, error) {
	req := container.Request{Name: o.name, Image: img}
	if o.flags.Changed("name") && o.name == "" {
		req.Name = "/" // refused as an invalid name
	}
	if err := o.checkModes(); err != nil {
		return req, err
	}
	config, err := o.config(ref, args)
	if err != nil {
		return req, err
	}
	host, err := o.hostConfig()
	if err != nil {
		return req, err
	}
	m, err := o.mounted()
	if err != nil {
		return req, err
	}
	config.Volumes, host.Binds, host.Mounts, host.Tmpfs = m.anonymous, m.binds, m.mounts, m.tmpfs
	req.Config, req.HostConfig, req.Mounts = config, host, m.all
	return req, o.network.apply(&req)
}

// checkModes refuses flags that contradict each other or name what there is not.
func (o *createOptions) checkModes() error {
	modes := []struct {
		flag, value string
		allowed     []string
	}{
		{"--pid", o.pid, []string{"", "host", "private", "container:NAME"}},
		{"--ipc", o.ipc, []string{"", "host", "private", "shareable", "container:NAME"}},
		{"--cgroupns", o.cgroupns, []string{"", "host", "private"}},
		{"--uts", o.uts, []string{"", "host"}},
	}
	for _, m := range modes {
		known := false
		for _, a := range m.allowed {
			known = known || a == m.value
		}
		name, other := strings.CutPrefix(m.value, "container:")
		switch {
		case other && m.flag != "--uts" && name != "":
		case !known:
			return kernel.Advise(fmt.Errorf("invalid %s mode: %q", m.flag, m.value), "one of: %s", strings.TrimSpace(strings.Join(m.allowed, " ")))
		}
	}
	if o.platform != "" && !strings.HasPrefix(o.platform, "linux/"+runtime.GOARCH) {
		return kernel.Advise(fmt.Errorf("no image for platform %s", o.platform), "this machine runs linux/%s", runtime.GOARCH)
	}
	switch {
	case o.detach && o.flags.Changed("sig-proxy"):
		return kernel.Advise(errors.New("--sig-proxy and -d contradict each other"), "without -d signals are passed on; with it there is nobody to pass them")
	case o.remove && o.restart != "" && o.restart != "no":
		return kernel.Advise(errors.New("conflicting options: cannot specify both --restart and --rm"), "a container that comes again is not removed when it has ended: leave one of them out")
	case o.network.mode() == "container:":
		return kernel.Advise(errors.New("invalid --network mode: \"container:\" names no container"), "--network container:NAME")
	case strings.HasPrefix(o.network.mode(), "container:") && (o.hostname != "" || o.domainname != ""):
		return kernel.Advise(errors.New("conflicting options: hostname and the network mode"), "a container in another one's network has that one's name: leave --hostname and --domainname out")
	case o.uts == "host" && (o.hostname != "" || o.domainname != ""):
		return kernel.Advise(errors.New("--hostname and --uts=host contradict each other"), "with --uts=host the container has the host's name")
	case len(o.hostname) > 64:
		return kernel.Advise(errors.New("the host name is longer than 64 bytes"), "the kernel takes no longer one (sethostname(2))")
	case o.privileged && len(o.capDrop)+len(o.capAdd) > 0 && contains(o.capDrop, "ALL"):
		return kernel.Advise(errors.New("--privileged and --cap-drop ALL contradict each other"), "leave one of them out")
	}
	return o.network.checkMode()
}

func contains(list []string, want string) bool {
	for _, s := range list {
		if strings.EqualFold(s, want) {
			return true
		}
	}
	return false
}

func (o *createOptions) config(ref string, args []string) (container.Config, error) {
	c := container.Config{
		Hostname: o.hostname, Domainname: o.domainname, User: o.user, Tty: o.tty, OpenStdin: o.interactive,
		StdinOnce: o.interactive && !o.detach, AttachStdin: o.interactive && !o.detach, AttachStdout: !o.detach, AttachStderr: !o.detach,
		Cmd: args, Image: ref, WorkingDir: o.workdir, StopSignal: o.stopSignal,
	}
	if o.workdir != "" && !filepath.IsAbs(o.workdir) {
		return c, kernel.Advise(fmt.Errorf("the working directory %q is not an absolute path", o.workdir), "-w /%s", o.workdir)
	}
	if o.flags.Changed("entrypoint") {
		c.Entrypoint = []string{o.entrypoint}
	}
	if o.flags.Changed("stop-timeout") {
		c.StopTimeout = &o.stopTimeout
	}
	if o.stopSignal != "" {
		if _, err := container.ParseSignal(o.stopSignal); err != nil {
			return c, err
		}
	}
	var err error
	if c.Healthcheck, err = o.health.healthcheck(); err != nil {
		return c, err
	}
	if c.Env, err = readEnv(o.envFiles, o.env); err != nil {
		return c, err
	}
	labels, err := readLines(o.labelFiles)
	if err != nil {
		return c, err
	}
	for _, l := range append(labels, o.labels...) {
		if c.Labels == nil {
			c.Labels = map[string]string{}
		}
		name, value, _ := strings.Cut(l, "=")
		c.Labels[name] = value
	}
	return c, nil
}

// exposed reads --expose.
func exposed(list []string) (map[string]struct{}, error) {
	if len(list) == 0 {
		return nil, nil
	}
	set := map[string]struct{}{}
	for _, s := range list {
		ports, err := container.ParsePorts(s)
		if err != nil {
			return nil, err
		}
		for _, p := range ports {
			set[p.Name()] = struct{}{}
		}
	}
	return set, nil
}

// readEnv is the files first and the flags after them; a NAME without a value is passed on from our environment.
func readEnv(files, flags []string) ([]string, error) {
	lines, err := readLines(files)
	if err != nil {
		return nil, err
	}
	var env []string
	for _, e := range append(lines, flags...) {
		name, _, hasValue := strings.Cut(e, "=")
		if name == "" {
			return nil, kernel.Advise(fmt.Errorf("invalid environment variable: %q", e), "-e NAME=VALUE, or -e NAME to pass yours on")
		}
		if !hasValue {
			value, ok := os.LookupEnv(name)
			if !ok {
				continue
			}
			e = name + "=" + value
		}
		env = append(env, e)
	}
	return env, nil
}

// readLines reads files of NAME=VALUE lines; empty ones and those that begin with # do not count.
func readLines(files []string) ([]string, error) {
	var lines []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, kernel.Advise(err, "a file of lines NAME=VALUE")
		}
		for _, line := range strings.Split(string(data), "\n") {
			line = strings.TrimLeft(strings.TrimSuffix(line, "\r"), " \t")
			if line != "" && line[0] != '#' {
				lines = append(lines, line)
			}
		}
	}
	return lines, nil
}

func (o *createOptions) hostConfig() (container.HostConfig, error) {
	hc := container.HostConfig{
		VolumesFrom: o.volumesFrom, AutoRemove: o.remove, CapAdd: o.capAdd, CapDrop: o.capDrop, IpcMode: o.ipc,
		PidMode: o.pid, UTSMode: o.uts, Privileged: o.privileged, ReadonlyRootfs: o.readOnly, Init: o.init,
		OomScoreAdj: o.oomScoreAdj, CgroupnsMode: o.cgroupns,
	}
	hc.DeviceCgroupRules = o.deviceRules
	if hc.CgroupnsMode == "" {
		hc.CgroupnsMode = "private"
	}
	if hc.IpcMode == "" {
		hc.IpcMode = "private"
	}
	var err error
	if hc.RestartPolicy, err = container.ParseRestartPolicy(o.restart); err != nil {
		return hc, err
	}
	if err := o.limits.Apply(&hc.Resources); err != nil {
		return hc, err
	}
	if hc.ShmSize, err = limits.ParseShmSize(o.shmSize); err != nil {
		return hc, err
	}
	if hc.Ulimits, err = limits.ParseUlimits(o.ulimits); err != nil {
		return hc, err
	}
	if hc.Devices, err = parseDevices(o.devices); err != nil {
		return hc, err
	}
	if hc.LogConfig, err = o.logConfig(); err != nil {
		return hc, err
	}
	for _, s := range o.sysctls {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return hc, kernel.Advise(fmt.Errorf("invalid --sysctl: %q", s), "--sysctl NAME=VALUE")
		}
		if hc.Sysctls == nil {
			hc.Sysctls = map[string]string{}
		}
		hc.Sysctls[name] = value
	}
	hc.SecurityOpt, err = parseSecurity(o.securityOpt)
	return hc, err
}

// logConfig reads --log-driver and --log-opt; what they mean is for package container to say.
func (o *createOptions) logConfig() (container.LogConfig, error) {
	c := container.LogConfig{Type: o.logDriver}
	for _, s := range o.logOpts {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return c, kernel.Advise(fmt.Errorf("invalid --log-opt: %q", s), "--log-opt NAME=VALUE, as in --log-opt max-size=10m")
		}
		if c.Config == nil {
			c.Config = map[string]string{}
		}
		c.Config[name] = value
	}
	return c, nil
}

// parseSecurity reads --security-opt, with an = or Docker's older colon. A profile is read at each start and each `exec`,
// wherever that is given: so its path is made absolute.
func parseSecurity(options []string) (list []string, err error) {
	for _, s := range options {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			name, value, _ = strings.Cut(s, ":")
		}
		switch {
		case name == "no-new-privileges" && value == "":
			list = append(list, name)
			continue
		case name == "no-new-privileges" && value != "true" && value != "false":
			return nil, kernel.Advise(fmt.Errorf("invalid value of no-new-privileges: %q", value), "true or false")
		case name == "no-new-privileges":
		case name != "seccomp":
			return nil, kernel.Advise(fmt.Errorf("invalid --security-opt: %q", s), "seccomp=unconfined, seccomp=FILE.json or no-new-privileges")
		case value == "":
			return nil, kernel.Advise(errors.New("seccomp= names no profile"), "seccomp=unconfined or seccomp=FILE.json")
		case value != "unconfined" && value != "builtin":
			if value, err = filepath.Abs(value); err != nil {
				return nil, err
			}
		}
		list = append(list, name+"="+value)
	}
	return list, nil
}

func parseDevices(list []string) ([]container.Device, error) {
	var devices []container.Device
	for _, s := range list {
		parts := strings.Split(s, ":")
		d := container.Device{PathOnHost: parts[0], PathInContainer: parts[0], CgroupPermissions: "rwm"}
		switch {
		case len(parts) == 2 && isPermissions(parts[1]):
			d.CgroupPermissions = parts[1]
		case len(parts) >= 2:
			d.PathInContainer = parts[1]
		}
		if len(parts) == 3 {
			d.CgroupPermissions = parts[2]
		}
		if len(parts) > 3 || !filepath.IsAbs(d.PathInContainer) || !isPermissions(d.CgroupPermissions) {
			return nil, kernel.Advise(fmt.Errorf("invalid --device: %q", s), "--device /dev/x[:/dev/y[:rwm]]")
		}
		devices = append(devices, d)
	}
	return devices, nil
}

func isPermissions(s string) bool { return s != "" && strings.Trim(s, "rwm") == "" }
