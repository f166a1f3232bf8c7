package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"sandbox/image"
	"sandbox/image/build/copying"
	"sandbox/image/layer"
	"sandbox/kernel"
)

// mounts are what a RUN --mount… asks for. plan finds out what the result depends on; make, which is only called if the
// command has to be run, gets them ready.
type mounts struct {
	b       *builder
	st      *state
	program *script // a here-document that is executed

	ready   []func(ctx context.Context, d *image.Draft) (*Mount, error)
	closers []func() error

	list []Mount
	env  []string // secrets as variables
}

func (m *mounts) close() error {
	var errs []error
	for _, f := range m.closers {
		errs = append(errs, f())
	}
	m.closers = nil
	return errors.Join(errs...)
}

func (m *mounts) plan(ctx context.Context, asked []*instructions.Mount, o *operation) error {
	for _, a := range asked {
		target := a.Target
		if target != "" && !path.IsAbs(target) {
			target = path.Join("/", m.st.config.WorkingDir, target)
		}
		needsTarget := a.Type != instructions.MountTypeSecret && a.Type != instructions.MountTypeSSH
		if needsTarget && (target == "" || path.Clean(target) == "/") {
			return kernel.Advise(fmt.Errorf("--mount=type=%s needs a target, which is not /", a.Type), "--mount=type=%s,target=/path", a.Type)
		}
		a := *a
		a.Target = target
		if err := m.planOne(ctx, &a, o); err != nil {
			return err
		}
	}
	if m.program != nil {
		m.ready = append(m.ready, m.makeScript)
	}
	return nil
}

func (m *mounts) planOne(ctx context.Context, a *instructions.Mount, o *operation) error {
	r := &o.record
	switch a.Type {
	case instructions.MountTypeBind:
		return m.planBind(ctx, a, o)
	case instructions.MountTypeTmpfs:
		r.More = append(r.More, fmt.Sprintf("--mount=type=tmpfs,target=%s,size=%d", a.Target, a.SizeLimit))
		m.ready = append(m.ready, func(context.Context, *image.Draft) (*Mount, error) {
			return &Mount{Type: "tmpfs", Target: a.Target, Size: a.SizeLimit, ReadOnly: a.ReadOnly}, nil
		})
	case instructions.MountTypeCache:
		r.More = append(r.More, fmt.Sprintf("--mount=type=cache,id=%s,target=%s,from=%s,source=%s", cacheID(a), a.Target, a.From, a.Source))
		m.ready = append(m.ready, func(ctx context.Context, d *image.Draft) (*Mount, error) { return m.makeCache(ctx, a, d) })
	case instructions.MountTypeSecret:
		r.More = append(r.More, fmt.Sprintf("--mount=type=secret,id=%s,target=%s", secretID(a), a.Target))
		m.ready = append(m.ready, func(ctx context.Context, d *image.Draft) (*Mount, error) { return m.makeSecret(a) })
	default:
		return kernel.Advise(fmt.Errorf("--mount=type=%s is not supported", a.Type), "give a key as a secret: --mount=type=secret,id=key, and --secret id=key,src=FILE")
	}
	return nil
}

// planBind: of a stage or an image the layers count; of the build context the content.
func (m *mounts) planBind(ctx context.Context, a *instructions.Mount, o *operation) error {
	r := &o.record
	option := fmt.Sprintf("--mount=type=bind,target=%s,source=%s,readonly=%t", a.Target, a.Source, a.ReadOnly)
	_, further := m.b.Contexts[strings.ToLower(a.From)]
	if a.From != "" && !further {
		layers, err := m.b.layersOf(ctx, m.st, a.From)
		if err != nil {
			return err
		}
		source := path.Join("/", a.Source)
		if _, err := layer.Stat(m.b.Store.Stack(layers, ""), source); err != nil {
			return fmt.Errorf("--mount: %s has no %s: %w", a.From, source, err)
		}
		r.More = append(r.More, option+",layers="+strings.Join(layers, ":"))
		m.ready = append(m.ready, func(context.Context, *image.Draft) (*Mount, error) {
			return &Mount{Type: "layers", Layers: layers, Source: source, Target: a.Target, ReadOnly: a.ReadOnly}, nil
		})
		return nil
	}
	from, err := m.b.source(ctx, m.st, a.From)
	if err != nil {
		return err
	}
	files := m.copyOf(from, a.Source)
	m.closers = append(m.closers, func() error { return errors.Join(files.Close(), m.b.release(from)) })
	digest, err := files.Digest(ctx)
	if err != nil {
		return fmt.Errorf("--mount: %w", err)
	}
	o.inputs = append(o.inputs, files)
	r.More = append(r.More, option)
	r.Content += digest.Sum
	r.files = merged(digest.Files, r.files)
	m.ready = append(m.ready, func(ctx context.Context, d *image.Draft) (*Mount, error) {
		dir, err := os.MkdirTemp(d.Dir(), "mount")
		if err != nil {
			return nil, err
		}
		// A copy: the container sees it without what is ignored, as root's, and may write to it if it is not read-only.
		if err := files.Write(ctx, dir, nil); err != nil {
			return nil, err
		}
		return &Mount{Type: "bind", Source: dir + files.Dest, Target: a.Target, ReadOnly: a.ReadOnly}, nil
	})
	return nil
}

// copyOf copies a file or directory under a name of its own.
func (m *mounts) copyOf(from *copying.Tree, source string) *copying.Copy {
	if source = strings.TrimPrefix(path.Join("/", source), "/"); source == "" {
		source = "."
	}
	return &copying.Copy{From: from, Sources: []string{source}, Dest: "/content", UID: -1, GID: -1, Clamp: m.b.Epoch}
}

// make gets everything ready.
func (m *mounts) make(ctx context.Context, d *image.Draft) error {
	for _, ready := range m.ready {
		mount, err := ready(ctx, d)
		if err != nil {
			return err
		}
		if mount != nil {
			m.list = append(m.list, *mount)
		}
	}
	return nil
}

// makeScript writes a here-document that is a program.
func (m *mounts) makeScript(_ context.Context, d *image.Draft) (*Mount, error) {
	dir, err := os.MkdirTemp(d.Dir(), "script")
	if err != nil {
		return nil, err
	}
	err = errors.Join(os.Chmod(dir, 0o755), writeFile(filepath.Join(dir, m.program.name), m.program.content, 0o755))
	return &Mount{Type: "bind", Source: dir, Target: scripts, ReadOnly: true}, err
}

// writeFile writes a file with exactly this mode, whatever the umask.
func writeFile(path, content string, mode os.FileMode) error {
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// number is an optional option of a mount, or else what it usually is.
func number(option *uint64, usual int) int {
	if option == nil {
		return usual
	}
	return int(*option)
}
