package system

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/labs/command"
)

// info is what `info` knows, under Docker's names.
type info struct {
	Containers, ContainersRunning, ContainersPaused, ContainersStopped, Images int
	ServerVersion                                                              string
	Driver                                                                     string
	LoggingDriver                                                              string
	CgroupDriver, CgroupVersion                                                string
	DefaultRuntime                                                             string
	SecurityOptions                                                            []string
	KernelVersion, OperatingSystem, OSType, Architecture                       string
	NCPU                                                                       int
	MemTotal                                                                   int64
	Name                                                                       string
	DockerRootDir                                                              string
	LiveRestoreEnabled                                                         bool // containers live on without us: there is no daemon to restart
	Warnings                                                                   []string
}

// NewInfo makes `sandbox info`.
func NewInfo(env *command.Env) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "info [flags]", Short: "Show what there is on this machine", Args: cobra.NoArgs,
		Example: "  sandbox info\n  sandbox info --format '{{.Driver}} {{.CgroupVersion}}'",
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := gather(env)
			if err != nil {
				return err
			}
			if format != "" {
				return command.PrintOne(env.Out, format, i)
			}
			i.print(env.Out)
			for _, w := range i.Warnings {
				fmt.Fprintln(env.Err, "WARNING: "+w)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", "a Go template, or json")
	return cmd
}

func gather(env *command.Env) (info, error) {
	engine := env.Engine()
	i := info{
		ServerVersion: thisBuild().Version, Driver: "overlay", LoggingDriver: "json-file", CgroupDriver: "cgroupfs", DefaultRuntime: "sandbox",
		KernelVersion: kernelVersion(), OperatingSystem: osName(), OSType: runtime.GOOS, Architecture: machine(), NCPU: runtime.NumCPU(),
		DockerRootDir: engine.Paths.State, LiveRestoreEnabled: true, SecurityOptions: []string{"name=seccomp,profile=builtin"}, Warnings: []string{},
	}
	i.Name, _ = os.Hostname()
	if engine.Host.Rootless() {
		i.SecurityOptions = append(i.SecurityOptions, "name=rootless")
	}
	i.SecurityOptions = append(i.SecurityOptions, "name=cgroupns")
	var memory unix.Sysinfo_t
	if unix.Sysinfo(&memory) == nil {
		i.MemTotal = int64(memory.Totalram) * int64(memory.Unit)
	}
	i.cgroups(engine.Groups)
	list, err := engine.List()
	if err != nil {
		return i, err
	}
	for _, r := range list {
		i.Containers++
		switch {
		case r.State.Paused:
			i.ContainersPaused++
		case r.State.Running:
			i.ContainersRunning++
		default:
			i.ContainersStopped++
		}
	}
	images, err := engine.Images.List()
	i.Images = len(images)
	return i, err
}

func (i *info) cgroups(groups cgroup.Host) {
	switch groups.Mode {
	case cgroup.V2:
		i.CgroupVersion = "2"
	case cgroup.V1, cgroup.Hybrid:
		i.CgroupVersion = "1"
	}
	if !groups.Available() {
		i.CgroupDriver = "none"
		i.Warnings = append(i.Warnings, "No limits and no control groups: "+groups.Refusal.EN)
		return
	}
	for _, lacking := range groups.Lacking() {
		i.Warnings = append(i.Warnings, "No "+lacking+" support")
	}
}

// osName is PRETTY_NAME of os-release(5).
func osName() string {
	data, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "Linux"
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			if name, err := strconv.Unquote(value); err == nil {
				return name
			}
			return value
		}
	}
	return "Linux"
}

func machine() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return runtime.GOARCH
	}
	return unix.ByteSliceToString(name.Machine[:])
}

func (i info) print(w io.Writer) {
	fmt.Fprintf(w, "Containers: %d\n Running: %d\n Paused: %d\n Stopped: %d\nImages: %d\n", i.Containers, i.ContainersRunning, i.ContainersPaused, i.ContainersStopped, i.Images)
	fmt.Fprintf(w, "Server Version: %s (no daemon)\nStorage Driver: %s\nLogging Driver: %s\nCgroup Driver: %s\nCgroup Version: %s\n",
		i.ServerVersion, i.Driver, i.LoggingDriver, i.CgroupDriver, orNone(i.CgroupVersion))
	fmt.Fprintf(w, "Plugins:\n Volume: local\n Network: host none\n Log: json-file none\nRuntimes: %s\nDefault Runtime: %s\nSecurity Options:\n", i.DefaultRuntime, i.DefaultRuntime)
	for _, o := range i.SecurityOptions {
		name, more, _ := strings.Cut(strings.TrimPrefix(o, "name="), ",")
		fmt.Fprintf(w, " %s\n", name)
		if key, value, ok := strings.Cut(more, "="); ok {
			fmt.Fprintf(w, "  %s: %s\n", strings.ToUpper(key[:1])+key[1:], value)
		}
	}
	fmt.Fprintf(w, "Kernel Version: %s\nOperating System: %s\nOSType: %s\nArchitecture: %s\nCPUs: %d\nTotal Memory: %s\nName: %s\nDocker Root Dir: %s\nLive Restore Enabled: %v\n",
		i.KernelVersion, i.OperatingSystem, i.OSType, i.Architecture, i.NCPU, command.BinarySize(i.MemTotal), i.Name, i.DockerRootDir, i.LiveRestoreEnabled)
}
