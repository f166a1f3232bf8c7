package chapter3

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/image/carry"
	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type cpOptions struct{ archive, follow, quiet bool }

// NewCp makes `sandbox cp`.
func NewCp(env *command.Env) *cobra.Command {
	var opts cpOptions
	cmd := &cobra.Command{
		Use:   "cp [flags] CONTAINER:SRC_PATH DEST_PATH|-  ·  cp [flags] SRC_PATH|- CONTAINER:DEST_PATH",
		Short: "Copy files between a container and the host",
		Long: `Copy files between a container, running or not, and the host, as cp -a does.

  SRC is a file         DEST is missing: it becomes the file   a file: is replaced   a directory: the file goes into it
  SRC is a directory    DEST is missing: it becomes a copy     a file: an error      a directory: SRC goes into it;
                                                                                     with SRC/. what is in SRC
With - a tar archive is read from standard input, or written to standard output. What is copied belongs to root in the
container, and to you on the host; with -a, and from an archive, to whom it belonged.`,
		Example: "  sandbox cp web:/etc/nginx ./conf\n  sandbox cp index.html web:/srv/\n  sandbox cp web:/var/log - | tar t",
		Args:    cobra.ExactArgs(2),
		RunE:    func(cmd *cobra.Command, args []string) error { return runCp(env, opts, args[0], args[1]) },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.archive, "archive", "a", false, "files keep their owners")
	f.BoolVarP(&opts.follow, "follow-link", "L", false, "follow a symbolic link in SRC_PATH")
	f.BoolVarP(&opts.quiet, "quiet", "q", false, "say nothing")
	return cmd
}

// place is one end of a copy.
type place struct {
	container string // "": the host
	path      string
	look      func(path string, follow bool) (carry.Info, error)
}

func (p place) String() string {
	if p.container != "" {
		return p.container + ":" + p.path
	}
	return p.path
}

// parsePlace reads CONTAINER:PATH, or a path on the host: one that begins with / or . is, whatever colons are in it.
func parsePlace(arg string) place {
	name, path, ok := strings.Cut(arg, ":")
	if !ok || filepath.IsAbs(arg) || strings.HasPrefix(arg, ".") || arg == "-" {
		return place{path: arg, look: carry.Look}
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return place{container: name, path: path}
}

func runCp(env *command.Env, opts cpOptions, source, dest string) error {
	from, to := parsePlace(source), parsePlace(dest)
	switch {
	case source == "" || dest == "":
		return kernel.Advise(errors.New("source and destination may not be empty"), "sandbox cp web:/etc/hosts .")
	case from.container != "" && to.container != "":
		return kernel.Advise(errors.New("copying between containers is not supported"), "sandbox cp %s - | sandbox cp - %s", from, to)
	case from.container == "" && to.container == "":
		return kernel.Advise(errors.New("must specify at least one container source"), "CONTAINER:PATH on one side; a file with a colon in its name: ./NAME")
	}
	ref := from.container + to.container
	r, err := env.Engine().Get(ref)
	if err != nil {
		return err
	}
	files, err := env.Engine().OpenFiles(r)
	if err != nil {
		return err
	}
	defer files.Close()
	c := &copying{env: env, opts: opts, files: files, record: r, from: from, to: to}
	if from.container != "" {
		c.from.look = files.Look
		if err = c.out(); err == nil {
			env.Engine().Event(r.Event("archive-path", "path", from.path))
		}
		return err
	}
	c.to.look = files.Look
	if err = c.in(); err == nil {
		env.Engine().Event(r.Event("extract-to-dir", "path", to.path))
	}
	return err
}

// copying is one run of cp.
type copying struct {
	env      *command.Env
	opts     cpOptions
	files    *container.Files
	record   *container.Record
	from, to place
}

// origin is what is to be copied, found: where it is, and what it is called at the other end.
type origin struct {
	carry.Info
	name    string
	content bool // SRC/. : not the directory, what is in it
}

// origin looks for what is to be copied.
func (c *copying) origin() (origin, error) {
	path := c.from.path
	base := filepath.Base(path)
	o := origin{name: base, content: strings.HasSuffix(path, "/.") || path == "." || filepath.Clean(path) == "/"}
	mustBeDir := o.content || strings.HasSuffix(path, "/")
	if c.from.container == "" {
		abs, err := filepath.Abs(path)
		if err != nil {
			return o, err
		}
		path, o.name = abs, filepath.Base(abs)
	}
	var err error
	o.Info, err = c.from.look(filepath.Clean(path), c.opts.follow || mustBeDir)
	switch {
	case err != nil:
		return o, err
	case !o.Exists && c.from.container != "":
		return o, kernel.Advise(fmt.Errorf("could not find the file %s in container %s", c.from.path, c.from.container), "sandbox exec %s ls %s", c.from.container, filepath.Dir(filepath.Clean(c.from.path)))
	case !o.Exists:
		return o, kernel.Advise(fmt.Errorf("no such file or directory: %s", c.from.path), "ls %s", filepath.Dir(c.from.path))
	case mustBeDir && !o.Dir:
		return o, kernel.Advise(fmt.Errorf("%s is not a directory", c.from), "leave the slash at the end out")
	}
	return o, nil
}

// target decides where something goes: the directory that it is unpacked into, and its name there; "" for what is in a
// directory, without the directory itself.
func (c *copying) target(o origin) (dir, name string, err error) {
	path := c.to.path
	mustBeDir := strings.HasSuffix(path, "/") || strings.HasSuffix(path, "/.")
	if c.to.container == "" {
		if path, err = filepath.Abs(path); err != nil {
			return "", "", err
		}
	}
	t, err := c.to.look(filepath.Clean(path), true)
	switch {
	case err != nil:
		return "", "", err
	case t.Exists && t.Dir && o.content:
		return t.Path, "", nil
	case t.Exists && t.Dir:
		return t.Path, o.name, nil
	case t.Exists && o.Dir:
		return "", "", kernel.Advise(fmt.Errorf("cannot copy a directory to a file: %s", c.to), "name a directory, or what does not exist yet")
	case t.Exists && mustBeDir:
		return "", "", kernel.Advise(fmt.Errorf("%s is not a directory", c.to), "leave the slash at the end out")
	case !t.Exists && !t.Parent:
		return "", "", kernel.Advise(fmt.Errorf("no such directory: %s", filepath.Dir(filepath.Clean(c.to.path))), "%s", c.makeDirectory(filepath.Dir(filepath.Clean(c.to.path))))
	case !t.Exists && mustBeDir && !o.Dir:
		return "", "", kernel.Advise(fmt.Errorf("the destination directory must exist: %s", c.to), "%s", c.makeDirectory(filepath.Clean(c.to.path)))
	}
	return filepath.Dir(t.Path), filepath.Base(t.Path), nil
}

// makeDirectory is how to make what is missing.
func (c *copying) makeDirectory(dir string) string {
	switch {
	case c.to.container == "":
		return "mkdir -p " + dir
	case c.record.State.Running:
		return "sandbox exec " + c.to.container + " mkdir -p " + dir
	}
	return "the container does not run: copy a directory to " + filepath.Dir(dir) + " that has it"
}
