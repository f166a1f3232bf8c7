package build

import (
	"context"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Runner runs the commands of RUN in containers. Package build knows no containers: whoever starts a build hands in what
// runs them.
type Runner interface {
	// Run returns when the command has ended. A command that fails is not an error of Run: see Ran.Code. When ctx is
	// cancelled the container is ended and removed.
	Run(ctx context.Context, r RunRequest) (*Ran, error)
}

// RunRequest is one command that is to be run.
type RunRequest struct {
	Layers  []string  // of the root file system: names under Store.LayerDir, the lowest first
	Config  v1.Config // Env, User, WorkingDir …
	Args    []string  // what to execute
	Stdin   string
	Network string // "default", "none", "host"
	Mounts  []Mount
	Started func(id string) // called before anything of the output
	Output  io.Writer       // both streams
}

// Mount is something that the command finds in its file system and that does not get into the layer.
type Mount struct {
	Type     string   // "bind", "tmpfs" or "layers"
	Source   string   // bind: a path of this machine. layers: a path in them
	Target   string   // absolute
	Layers   []string // layers: names under Store.LayerDir, the lowest first, which the command sees merged. What it writes there is thrown away
	ReadOnly bool
	Size     int64  // tmpfs: bytes; 0: no limit
	Mode     uint32 // tmpfs: permissions of its root; 0: 01777
}

// Ran is a command that has ended. Its container is there until Close.
type Ran struct {
	ID    string
	Code  int    // exit code
	Upper string // what it has written: an overlayfs upper directory on the store's file system; it may be moved away
	Close func() error
}
