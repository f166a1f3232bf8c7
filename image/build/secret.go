package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Secret is a file or a variable that RUN --mount=type=secret may ask for by its ID. It is in no layer, and the cache takes no
// notice of it.
type Secret struct {
	ID   string
	Path string // of a file; or
	Env  string // name of a variable of this process
}

// ParseSecret reads --secret id=ID[,src=FILE|,env=NAME]. Without either it is the variable ID, if there is one, or the file.
func ParseSecret(option string) (Secret, error) {
	var s Secret
	kind := ""
	for field := range strings.SplitSeq(option, ",") {
		key, value, found := strings.Cut(field, "=")
		switch strings.ToLower(key) {
		case "id":
			s.ID = value
		case "src", "source":
			s.Path = value
		case "env":
			s.Env = value
		case "type":
			kind = value
		default:
			found = false
		}
		if !found {
			return s, kernel.Advise(fmt.Errorf("--secret: unexpected %q", field), "--secret id=NAME,src=FILE or id=NAME,env=VARIABLE")
		}
	}
	switch {
	case s.ID == "":
		return s, kernel.Advise(errors.New("--secret: it has no id"), "--secret id=NAME,src=FILE")
	case kind == "env" && s.Env == "":
		s.Env, s.Path = s.Path, ""
	case kind != "" && kind != "file" && kind != "env":
		return s, fmt.Errorf("--secret: unknown type %q: file or env", kind)
	}
	if s.Env == "" && s.Path == "" {
		if _, set := os.LookupEnv(s.ID); set {
			s.Env = s.ID
		} else {
			s.Path = s.ID
		}
	}
	return s, nil
}

func secretID(a *instructions.Mount) string {
	switch {
	case a.Source != "":
		return a.Source
	case a.CacheID != "":
		return a.CacheID
	}
	return path.Base(a.Target)
}

// makeSecret puts a secret where no disk keeps it, and takes it away when the command has ended.
func (m *mounts) makeSecret(a *instructions.Mount) (*Mount, error) {
	id := secretID(a)
	content, found, err := m.b.secret(id)
	if err != nil {
		return nil, err
	}
	if !found {
		if a.Required {
			return nil, kernel.Advise(fmt.Errorf("secret %q is required, and there is none", id), "--secret id=%s,src=FILE", id)
		}
		return nil, nil
	}
	if a.Env != nil {
		name := *a.Env
		if name == "" {
			name = id
		}
		m.env = append(m.env, name+"="+content)
		if a.Target == "" {
			return nil, nil
		}
	}
	dir, lock, err := secretDirectory()
	if err != nil {
		return nil, err
	}
	m.closers = append(m.closers, func() error { return errors.Join(os.RemoveAll(dir), lock.Close()) })
	file := filepath.Join(dir, "secret")
	if err := writeFile(file, content, os.FileMode(number(a.Mode, 0o400))); err != nil {
		return nil, err
	}
	if a.UID != nil || a.GID != nil {
		if err := os.Chown(file, number(a.UID, 0), number(a.GID, 0)); err != nil {
			return nil, kernel.Advise(err, "an ordinary user cannot give files to others: leave uid and gid out")
		}
	}
	target := a.Target
	if target == "" {
		target = "/run/secrets/" + path.Base(id)
	}
	return &Mount{Type: "bind", Source: file, Target: target, ReadOnly: true}, nil
}

// memory is a directory that is kept in memory only, if this machine has one.
func memory() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		return shm
	}
	return os.TempDir()
}

const secretPrefix = "sandbox-secret-"

// secretDirectory makes a directory for a secret and locks it: one that nobody has locked was left by a build that was killed.
func secretDirectory() (dir string, lock *os.File, err error) {
	for {
		if dir, err = os.MkdirTemp(memory(), secretPrefix); err != nil {
			return "", nil, err
		}
		if lock, err = os.Open(dir); err == nil {
			err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
			if _, gone := os.Lstat(dir); err == nil && gone == nil {
				return dir, lock, nil
			}
			lock.Close()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EINTR) {
			return "", nil, errors.Join(err, os.Remove(dir))
		} // else somebody has swept it away before it was locked
	}
}

// sweepSecrets removes what killed builds of this user have left.
func sweepSecrets() {
	left, _ := filepath.Glob(memory() + "/" + secretPrefix + "*")
	for _, dir := range left {
		lock, err := os.Open(dir)
		if err != nil {
			continue // another user's, or just removed
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		lock.Close()
	}
}

func (b *builder) secret(id string) (content string, found bool, err error) {
	for _, s := range b.Secrets {
		if s.ID != id {
			continue
		}
		if s.Env != "" {
			content, found = os.LookupEnv(s.Env)
			return content, found, nil
		}
		data, err := os.ReadFile(s.Path)
		if err != nil {
			return "", false, kernel.Advise(fmt.Errorf("secret %q: %w", id, err), "--secret id=%s,src=FILE", id)
		}
		return string(data), true, nil
	}
	return "", false, nil
}
