package container

import (
	"strings"
	"time"

	network "sandbox/net"
)

// Record is what is known of a container, in the file container.json of its directory: the shape that `inspect`
// shows, with Docker's names.
type Record struct {
	ID         string `json:"Id"`
	Created    Moment
	Path       string
	Args       []string
	State      State
	Image      string // the image's ID
	Name       string // with a leading slash, as Docker has it
	Driver     string
	HostConfig HostConfig
	Config     Config
	Mounts     []MountPoint

	RestartCount int      // how often the restart policy has brought it back since it was started by hand
	Layers       []string `json:"SandboxLayers"` // the image's layers by directory name, lowest first
	Attended     bool     `json:"SandboxAttended,omitempty"`

	Networks     []Attachment      `json:"SandboxNetworks,omitempty"`
	Held         []network.Publish `json:"SandboxPorts,omitempty"` // ports of the host that its monitor holds for it, while it runs
	Userland     *Userland         `json:"SandboxUserland,omitempty"`
	MountOptions []MountOption     `json:"SandboxMounts,omitempty"` // all that is mounted for it, wherever it was asked for
}

// State is what a container is doing.
type State struct {
	Status     string // created, running, paused, restarting, exited, dead
	Running    bool   // also while it is down and about to come again, as Docker has it
	Paused     bool
	Restarting bool
	OOMKilled  bool
	Dead       bool
	Pid        int
	ExitCode   int
	Error      string
	StartedAt  Moment
	FinishedAt Moment
	Health     *Health `json:",omitempty"`                  // where there are health checks
	End        *End    `json:"SandboxEnd,omitempty"`        // why it has ended; while it runs, the time before
	Stopped    bool    `json:"SandboxStopped,omitempty"`    // it is down because a person wanted that: unless-stopped
	Born       uint64  `json:"SandboxStartTicks,omitempty"` // field 22 of /proc/PID/stat: tells a pid from its successor
	Boot       string  `json:"SandboxBoot,omitempty"`       // the boot that Pid is of
	Monitor    int     `json:"Monitor,omitempty"`
}

// Moment is a time that templates show as the JSON does: 2026-01-02T15:04:05.123456789Z.
type Moment struct{ time.Time }

func (m Moment) String() string { return m.Format(time.RFC3339Nano) }

func now() Moment { return Moment{time.Now().UTC()} }

// Config is what the container was asked to be, whatever the machine.
type Config struct {
	Hostname     string
	Domainname   string
	User         string
	AttachStdin  bool
	AttachStdout bool
	AttachStderr bool
	Tty          bool
	OpenStdin    bool
	StdinOnce    bool
	ExposedPorts map[string]struct{} `json:",omitempty"`
	Env          []string
	Cmd          []string
	Image        string
	Volumes      map[string]struct{} // VOLUME of the image, -v DIR
	WorkingDir   string
	Entrypoint   []string
	Labels       map[string]string
	Healthcheck  *Healthcheck `json:",omitempty"`
	Shell        []string     `json:",omitempty"` // what runs a health check that is a line of shell
	StopSignal   string       `json:",omitempty"`
	StopTimeout  *int         `json:",omitempty"`
}

// HostConfig is what of this machine the container was given.
type HostConfig struct {
	Resources
	Binds        []string // -v with a source
	LogConfig    LogConfig
	NetworkMode  string
	PortBindings map[string][]PortBinding

	PublishAllPorts bool
	Dns             []string
	DnsOptions      []string
	DnsSearch       []string
	ExtraHosts      []string

	RestartPolicy  RestartPolicy
	AutoRemove     bool
	VolumesFrom    []string
	CapAdd         []string
	CapDrop        []string
	IpcMode        string
	Links          []string // of the default network, as Docker shows them; see Link
	PidMode        string
	UTSMode        string
	Privileged     bool
	ReadonlyRootfs bool
	SecurityOpt    []string
	Tmpfs          map[string]string `json:",omitempty"`
	ShmSize        int64
	Sysctls        map[string]string `json:",omitempty"`
	Ulimits        []Ulimit
	Devices        []Device
	Init           bool
	OomScoreAdj    int
	CgroupnsMode   string
	Mounts         []Mount `json:",omitempty"` // --mount
	MaskedPaths    []string
	ReadonlyPaths  []string
}

// Ulimit is one --ulimit.
type Ulimit struct {
	Name string
	Hard int64
	Soft int64
}

// Device is one --device.
type Device struct {
	PathOnHost        string
	PathInContainer   string
	CgroupPermissions string
}

// CommandLine is the command as tables show it: an argument with a space in it stands in quotes.
func (r *Record) CommandLine() string {
	line := r.Path
	for _, arg := range r.Args {
		if strings.Contains(arg, " ") {
			arg = "'" + arg + "'"
		}
		line += " " + arg
	}
	return line
}

// Short is the id as people type it: 12 digits.
func (r *Record) Short() string { return r.ID[:12] }

// PlainName is the name without its slash.
func (r *Record) PlainName() string {
	if r.Name == "" {
		return ""
	}
	return r.Name[1:]
}
