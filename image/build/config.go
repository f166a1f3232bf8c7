package build

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// configure does what an instruction does to an image's configuration. keepCmd: ENTRYPOINT leaves CMD alone, since it is
// not the base image's, whose arguments would make no sense for another program.
func configure(config *v1.Config, c instructions.Command, keepCmd bool) error {
	switch c := c.(type) {
	case *instructions.EnvCommand:
		for _, variable := range c.Env {
			setEnv(config, variable.Key, variable.Value)
		}
	case *instructions.LabelCommand:
		if config.Labels == nil {
			config.Labels = map[string]string{}
		}
		for _, label := range c.Labels {
			config.Labels[label.Key] = label.Value
		}
	case *instructions.CmdCommand:
		config.Cmd = commandLine(*config, c.ShellDependantCmdLine)
	case *instructions.EntrypointCommand:
		config.Entrypoint = commandLine(*config, c.ShellDependantCmdLine)
		if !keepCmd {
			config.Cmd = nil
		}
	case *instructions.ExposeCommand:
		return expose(config, c.Ports)
	case *instructions.VolumeCommand:
		if config.Volumes == nil {
			config.Volumes = map[string]struct{}{}
		}
		for _, volume := range c.Volumes {
			if volume == "" {
				return fmt.Errorf("VOLUME: the path is empty")
			}
			config.Volumes[volume] = struct{}{}
		}
	case *instructions.UserCommand:
		config.User = c.User
	case *instructions.WorkdirCommand:
		config.WorkingDir = workdir(*config, c.Path)
	case *instructions.ShellCommand:
		config.Shell = c.Shell
	case *instructions.StopSignalCommand:
		return setStopSignal(config, c.Signal)
	case *instructions.HealthCheckCommand:
		config.Healthcheck = &v1.HealthConfig{
			Test: c.Health.Test, Interval: c.Health.Interval, Timeout: c.Health.Timeout, StartPeriod: c.Health.StartPeriod, Retries: c.Health.Retries,
		}
	case *instructions.OnbuildCommand:
		if _, err := parseOne(c.Expression); err != nil {
			return fmt.Errorf("ONBUILD: %w", err)
		}
		config.OnBuild = append(config.OnBuild, c.Expression)
	}
	return nil
}

// setEnv sets a variable, in its old place if it has one.
func setEnv(config *v1.Config, name, value string) {
	i := slices.IndexFunc(config.Env, func(entry string) bool {
		key, _, _ := strings.Cut(entry, "=")
		return key == name
	})
	if i < 0 {
		config.Env = append(config.Env, name+"="+value)
	} else {
		config.Env[i] = name + "=" + value
	}
}

// shellOf is what runs a command that was written without brackets.
func shellOf(config v1.Config) []string {
	if len(config.Shell) > 0 {
		return slices.Clone(config.Shell)
	}
	return []string{"/bin/sh", "-c"}
}

// commandLine is what an instruction executes: a list as it is (exec form), or else one text that a shell gets.
func commandLine(config v1.Config, line instructions.ShellDependantCmdLine) []string {
	if !line.PrependShell {
		return line.CmdLine
	}
	if len(line.CmdLine) == 0 {
		return nil // ENTRYPOINT with nothing takes the base image's away
	}
	return append(shellOf(config), strings.Join(line.CmdLine, " "))
}

// workdir is the working directory after WORKDIR: a relative path goes on from the one before.
func workdir(config v1.Config, dir string) string {
	if path.IsAbs(dir) {
		return path.Clean(dir)
	}
	return path.Join("/", config.WorkingDir, dir)
}

func setStopSignal(config *v1.Config, signal string) error {
	if n, err := strconv.Atoi(signal); err == nil && n > 0 && n < 65 {
		config.StopSignal = signal
		return nil
	}
	name := strings.ToUpper(signal)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if unix.SignalNum(name) == 0 && !strings.HasPrefix(name, "SIGRTM") {
		return kernel.Advise(fmt.Errorf("STOPSIGNAL: no signal %q", signal), "a name such as SIGTERM, or a number: `kill -l` lists them")
	}
	config.StopSignal = signal
	return nil
}

// expose notes ports: 80, 53/udp, 8000-8010. What Docker's users write of the host's side (127.0.0.1:80:80) has no effect.
func expose(config *v1.Config, ports []string) error {
	if config.ExposedPorts == nil {
		config.ExposedPorts = map[string]struct{}{}
	}
	for _, written := range ports {
		port, protocol, _ := strings.Cut(written[strings.LastIndexByte(written, ':')+1:], "/")
		protocol = strings.ToLower(protocol)
		if protocol == "" {
			protocol = "tcp"
		}
		first, last, isRange := strings.Cut(port, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 10, 16)
		to, err2 := strconv.ParseUint(last, 10, 16)
		if err1 != nil || err2 != nil || from > to || !slices.Contains([]string{"tcp", "udp", "sctp"}, protocol) {
			return kernel.Advise(fmt.Errorf("EXPOSE: invalid port: %q", written), "EXPOSE 80, EXPOSE 53/udp or EXPOSE 8000-8010")
		}
		for ; from <= to; from++ {
			config.ExposedPorts[fmt.Sprintf("%d/%s", from, protocol)] = struct{}{}
		}
	}
	return nil
}
