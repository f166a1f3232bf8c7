package chapter3

import (
	"github.com/spf13/pflag"

	"sandbox/labs/limits"
)

// createOptions are the flags of `run` and `create`, under Docker's names.
type createOptions struct {
	name, hostname, domainname, workdir, user string
	entrypoint                                string
	cidfile, pid, ipc, uts                    string
	stopSignal, shmSize, platform, pull       string
	restart                                   string
	env, envFiles, labels, labelFiles         []string
	volumes, mounts, tmpfs, volumesFrom       []string
	capAdd, capDrop, securityOpt              []string
	logDriver                                 string
	logOpts                                   []string
	ulimits, sysctls, devices                 []string
	detach, interactive, tty, remove          bool
	readOnly, privileged, init, quiet         bool
	stopTimeout                               int
	health                                    healthOptions
	network                                   networkOptions
	limits                                    limits.Options
	oomScoreAdj                               int
	cgroupns                                  string
	deviceRules                               []string

	flags *pflag.FlagSet
}

// addFlags registers them.
func (o *createOptions) addFlags(f *pflag.FlagSet) {
	o.flags = f
	f.SetInterspersed(false) // what follows the image belongs to the container
	f.Bool("help", false, "this help")
	f.BoolVarP(&o.interactive, "interactive", "i", false, "keep standard input open")
	f.BoolVarP(&o.tty, "tty", "t", false, "give the container a terminal")
	f.StringVar(&o.name, "name", "", "the container's name")
	f.StringVarP(&o.hostname, "hostname", "h", "", "its host name (default: its short id)")
	f.StringVar(&o.domainname, "domainname", "", "its NIS domain name")
	f.StringVarP(&o.workdir, "workdir", "w", "", "the directory it starts in")
	f.StringVarP(&o.user, "user", "u", "", "who it runs as: name or uid, [:group]")
	f.StringArrayVarP(&o.env, "env", "e", nil, "a variable: NAME=VALUE, or NAME alone for its value here")
	f.StringArrayVar(&o.envFiles, "env-file", nil, "a file of such variables, one a line")
	f.StringVar(&o.entrypoint, "entrypoint", "", "instead of the image's ENTRYPOINT")
	f.StringArrayVarP(&o.labels, "label", "l", nil, "set a label NAME=VALUE")
	f.StringArrayVar(&o.labelFiles, "label-file", nil, "a file of labels, one a line")
	f.StringVar(&o.cidfile, "cidfile", "", "write the id to this file")
	f.BoolVar(&o.remove, "rm", false, "remove the container when it has ended")
	f.StringVar(&o.restart, "restart", "no", "whether it comes again when it has ended: no, always, unless-stopped, on-failure[:N]")
	f.BoolVar(&o.readOnly, "read-only", false, "mount its root read-only")
	f.StringArrayVar(&o.tmpfs, "tmpfs", nil, "a file system in memory: DIR[:OPTIONS]")
	f.StringArrayVarP(&o.volumes, "volume", "v", nil, "a volume or a directory of the host: [SOURCE:]DIR[:ro]")
	f.StringArrayVar(&o.mounts, "mount", nil, "what -v does, in words: type=bind,source=A,target=B,readonly (or type=volume, type=tmpfs)")
	f.StringArrayVar(&o.volumesFrom, "volumes-from", nil, "mount all that this container has mounted: CONTAINER[:ro]")
	f.BoolVar(&o.privileged, "privileged", false, "all capabilities and devices, nothing masked")
	f.StringArrayVar(&o.capAdd, "cap-add", nil, "add a capability: NET_ADMIN (ALL for all)")
	f.StringArrayVar(&o.capDrop, "cap-drop", nil, "drop a capability: CHOWN (ALL for all)")
	f.StringArrayVar(&o.securityOpt, "security-opt", nil, "seccomp=unconfined|FILE, no-new-privileges")
	f.BoolVar(&o.init, "init", false, "a small init as PID 1, which reaps and passes signals on")
	f.StringVar(&o.pid, "pid", "", "PID namespace: host, container:NAME, or one of its own")
	f.StringVar(&o.ipc, "ipc", "", "IPC namespace: host, private, shareable, or container:NAME")
	f.StringVar(&o.uts, "uts", "", "UTS namespace: host, or one of its own")
	o.network.addFlags(f)
	f.StringVar(&o.stopSignal, "stop-signal", "", "what `stop` sends (default SIGTERM)")
	f.IntVar(&o.stopTimeout, "stop-timeout", 0, "seconds until `stop` kills (default 10)")
	o.health.addFlags(f)
	o.limits.AddCreate(f)
	f.IntVar(&o.oomScoreAdj, "oom-score-adj", 0, "how likely the OOM killer takes it when the machine is out of memory: -1000 to 1000")
	f.StringArrayVar(&o.ulimits, "ulimit", nil, "a resource limit: nofile=1024:2048")
	f.StringArrayVar(&o.sysctls, "sysctl", nil, "a kernel parameter of its namespaces: net.ipv4.ip_forward=1")
	f.StringArrayVar(&o.devices, "device", nil, "a device of the host: /dev/x[:/dev/y[:rwm]]")
	f.StringArrayVar(&o.deviceRules, "device-cgroup-rule", nil, "devices that it may use once it has a node: 'c 1:3 rwm'")
	f.StringVar(&o.cgroupns, "cgroupns", "", "cgroup namespace: host, or private")
	f.StringVar(&o.shmSize, "shm-size", "64m", "size of /dev/shm")
	f.StringVar(&o.logDriver, "log-driver", "json-file", "where its output is kept: json-file, or none")
	f.StringArrayVar(&o.logOpts, "log-opt", nil, "options of json-file: max-size=10m, max-file=3, labels=, env=, labels-regex=, env-regex=")
	f.StringVar(&o.platform, "platform", "", "the image's platform: linux/amd64")
	f.StringVar(&o.pull, "pull", "missing", "whether to fetch the image: missing (only if it is not here), never or always")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing of a pull")
}
