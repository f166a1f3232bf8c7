package container

import (
	"os"
	"path/filepath"
	"strconv"
)

// Paths is where things lie on disk.
type Paths struct {
	State string // what outlives a reboot: images, layers, containers
	Run   string // what does not: the mount point
}

// DefaultPaths follows root ($SANDBOX_ROOT or --root; "" for neither), else /var/lib/sandbox and /run/sandbox for root,
// the XDG directories for everybody else.
func DefaultPaths(root string) Paths {
	switch {
	case root != "":
		if abs, err := filepath.Abs(root); err == nil {
			root = abs
		}
		return Paths{State: root, Run: filepath.Join(root, "run")}
	case os.Geteuid() == 0:
		return Paths{State: "/var/lib/sandbox", Run: "/run/sandbox"}
	}
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		data = filepath.Join(homeDir(), ".local/share")
	}
	run := os.Getenv("XDG_RUNTIME_DIR")
	if run == "" {
		run = "/tmp/sandbox-" + strconv.Itoa(os.Geteuid())
	}
	return Paths{State: filepath.Join(data, "sandbox"), Run: filepath.Join(run, "sandbox")}
}

func homeDir() string {
	if home, err := os.UserHomeDir(); err == nil {
		return home
	}
	return "/"
}

func (p Paths) containers() string        { return p.State + "/containers" }
func (p Paths) names() string             { return p.State + "/names" }
func (p Paths) dir(id string) string      { return p.containers() + "/" + id }
func (p Paths) record(id string) string   { return p.dir(id) + "/container.json" }
func (p Paths) word(id string) string     { return p.dir(id) + "/last-word.json" }
func (p Paths) spec(id string) string     { return p.dir(id) + "/config.json" }
func (p Paths) parent(id string) string   { return p.dir(id) + "/cgroup-parent" }
func (p Paths) asked(id string) string    { return p.dir(id) + "/asked.json" }
func (p Paths) log(id string) string      { return p.dir(id) + "/log.json" }
func (p Paths) networks() string          { return p.State + "/networks" }
func (p Paths) upper(id string) string    { return p.dir(id) + "/upper" }
func (p Paths) work(id string) string     { return p.dir(id) + "/work" }
func (p Paths) nameOf(name string) string { return p.names() + "/" + name }
func (p Paths) mountPoint() string        { return p.Run + "/root" }
func (p Paths) mountPoints() string       { return p.State + "/mountpoints" }
func (p Paths) view() string              { return p.Run + "/view" }
func (p Paths) events() string            { return p.State + "/events.json" }
