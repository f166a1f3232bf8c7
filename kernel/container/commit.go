package container

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/image"
	"sandbox/image/layer"
	"sandbox/kernel"
)

var errNotFrozen = errors.New("the container does not come to a standstill")

// CommitRequest is what `commit` was asked for.
type CommitRequest struct {
	Author, Comment string
	Pause           bool
	Change          func(*v1.Config) error // what -c changes of the configuration
	Names           []image.Name
}

// Commit makes an image of a container: the image that it is made of, one layer more that holds what it has written, and
// its configuration. While the layer is read a running container stands still, so that no file is caught half written.
func (e *Engine) Commit(r *Record, req CommitRequest) (*image.Image, error) {
	base, err := e.Images.Find(r.Image)
	if err != nil {
		return nil, err
	}
	config, err := e.Images.ConfigFile(base)
	if err != nil {
		return nil, err
	}
	draft, err := e.Images.Begin()
	if err != nil {
		return nil, err
	}
	defer draft.Discard()
	draft.Parent = base.ID
	if err := draft.Base(base); err != nil {
		return nil, err
	}
	if err := e.commitLayer(r, draft, req.Pause && r.State.Running); err != nil {
		return nil, err
	}
	config.Config = r.imageConfig(base.Config)
	if req.Change != nil {
		if err := req.Change(&config.Config); err != nil {
			return nil, err
		}
	}
	config.Author, config.Created, config.Container = req.Author, v1.Time{Time: now().Time}, r.ID
	if config.OS == "" {
		config.OS, config.Architecture = "linux", runtime.GOARCH
	}
	config.History = append(config.History, v1.History{
		Author: req.Author, Comment: req.Comment, Created: config.Created, CreatedBy: strings.Join(append([]string{r.Path}, r.Args...), " "),
	})
	return draft.Commit(*config, req.Names...)
}

// commitLayer reads the container's own layer into a draft.
func (e *Engine) commitLayer(r *Record, draft *image.Draft, pause bool) error {
	if pause {
		thaw, err := e.freeze(r)
		if err != nil {
			return err
		}
		defer thaw()
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reader.Close()
	packed := make(chan error, 1)
	go func() {
		err := layer.Pack(writer, e.Upper(r), layer.PackOptions{})
		writer.Close()
		packed <- err
	}()
	_, err = draft.AddLayer(reader)
	if err == nil {
		_, err = io.Copy(io.Discard, reader)
	}
	reader.Close() // ends the packer, if it still writes
	if packErr := <-packed; packErr != nil && err == nil {
		err = packErr
	}
	return err
}

// freeze stops a container's processes where they are. One without a control group, as an ordinary user's may be, goes
// on running: nothing else could stop all of its processes at once. The lock on upper tells the others that we are at
// work; if we are killed they thaw it.
func (e *Engine) freeze(r *Record) (thaw func(), err error) {
	steps, err := e.groups(r.ID).Freeze(r.ID)
	if err != nil {
		return func() {}, nil
	}
	lock, err := lockShared(e.Upper(r))
	if err != nil {
		return nil, err
	}
	if r.State.Paused { // it stands still, and nobody can unpause it while we have the lock
		return func() { lock.Close() }, nil
	}
	thaw = func() {
		e.thaw(r.ID)
		lock.Close()
	}
	if err := e.standStill(r, steps, "again, or with --pause=false: a file may then be caught half written"); err != nil {
		thaw()
		return nil, err
	}
	return thaw, nil
}

func (e *Engine) thaw(id string) {
	if steps, err := e.groups(id).Thaw(id); err == nil {
		e.Door.Do(kernel.Try(steps...)...)
	}
}

// thawAbandoned lets a container go on that a killed commit or pause has left standing still.
func (e *Engine) thawAbandoned(r *Record) {
	if r.State.Paused || !e.groups(r.ID).Frozen(r.ID) {
		return
	}
	lock, taken, err := takeLock(e.Upper(r))
	if err != nil || !taken {
		return
	}
	defer lock.Close()
	if now, err := e.Paths.load(r.ID); err == nil && !now.State.Paused { // it may have been paused since r was read
		e.thaw(r.ID)
	}
}

// lockFreezer takes the lock on the container's freezer, which a commit holds while it needs it.
func (e *Engine) lockFreezer(r *Record) (*os.File, error) {
	lock, taken, err := takeLock(e.Upper(r))
	if err == nil && !taken {
		err = kernel.Advise(fmt.Errorf("container %s is just being committed or paused", r.PlainName()), "try again")
	}
	return lock, err
}

// imageConfig is the container's configuration as an image's: what of it does not belong to this one container.
func (r *Record) imageConfig(base v1.Config) v1.Config {
	c := base
	c.User, c.Env, c.Cmd, c.Entrypoint = r.Config.User, r.Config.Env, r.Config.Cmd, r.Config.Entrypoint
	c.WorkingDir, c.Labels, c.StopSignal = r.Config.WorkingDir, r.Config.Labels, r.Config.StopSignal
	c.ExposedPorts, c.Volumes = r.Config.ExposedPorts, r.Config.Volumes // the image's, --expose and -v DIR
	c.Healthcheck = r.Config.Healthcheck.inImage()
	return c
}
