package server

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/crypto/bcrypt"
)

// Accounts are the lines of an htpasswd file, USER:HASH, with hashes of bcrypt ($2y$…): what `htpasswd -B` and
// SetPassword write. The file is read again when it has changed, so that a new account needs no restart.
type Accounts struct {
	path string

	mu     sync.Mutex
	stamp  stamp               // of the file as it was read
	hashes map[string]string   // of each user
	decoy  string              // one of them: what a stranger's password is held against; it takes as long
	proven map[string][32]byte // what each user's right password was last time: bcrypt is slow on purpose

	computing sync.Mutex // one bcrypt at a time: guessing does not take the machine's other processors
}

// OpenAccounts reads an htpasswd file.
func OpenAccounts(path string) (*Accounts, error) {
	a := &Accounts{path: path}
	return a, a.refresh(func(string, ...any) {})
}

// Check tells whether the password is the user's. It logs what is wrong with the file; while it cannot be read, nobody
// comes in.
func (a *Accounts) Check(user, password string, log func(format string, args ...any)) bool {
	a.mu.Lock()
	err := a.refresh(log)
	hash, known := a.hashes[user]
	if !known {
		hash = a.decoy
	}
	proof, proven := a.proven[user]
	a.mu.Unlock()
	if err != nil {
		log("accounts: %v\n", err)
		return false
	}
	if user == "" && password == "" {
		return false // no attempt at all: the first request of every client
	}
	attempt := sha256.Sum256([]byte(hash + password))
	if known && proven && attempt == proof {
		return true
	}
	a.computing.Lock()
	defer a.computing.Unlock()
	if bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil || !known {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hashes[user] == hash { // still
		a.proven[user] = attempt
	}
	return true
}

// stamp tells one state of a file from another: also from one of the same size in the same tick of the clock, where it
// was replaced.
type stamp struct {
	inode         uint64
	size          int64
	changed, tick int64
}

func stampOf(info fs.FileInfo) stamp {
	s := stamp{size: info.Size(), changed: info.ModTime().UnixNano()}
	if raw, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode, s.tick = raw.Ino, syscall.TimespecToNsec(raw.Ctim)
	}
	return s
}

// refresh reads the file if it is not as it was.
func (a *Accounts) refresh(log func(format string, args ...any)) error {
	info, err := os.Stat(a.path)
	if err != nil {
		return err
	}
	stamp := stampOf(info)
	if stamp == a.stamp {
		return nil
	}
	content, err := os.ReadFile(a.path)
	if err != nil {
		return err
	}
	a.hashes, a.proven = map[string]string{}, map[string][32]byte{}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		user, hash, _ := strings.Cut(line, ":")
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			log("%s, line %d: no bcrypt hash, this account cannot log in: `sandbox registry passwd` makes one\n", a.path, number)
			continue
		}
		a.hashes[user], a.decoy = hash, hash
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("cannot read %s: %w", a.path, err)
	}
	a.stamp = stamp
	return nil
}

// SetPassword gives a user of an htpasswd file a new password, or the file a new user. The file is replaced as a whole.
func SetPassword(path, user, password string) error {
	reserved := func(c rune) bool { return c == ':' || c < ' ' || c == 0x7f }
	if user == "" || len(user) > 255 || user[0] == '#' || strings.ContainsFunc(user, reserved) {
		return fmt.Errorf("invalid user name %q: no colon, no control characters, no # in front, at most 255 bytes", user)
	}
	if password == "" {
		return errors.New("an empty password")
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return err // more than the 72 bytes that bcrypt looks at
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var content strings.Builder
	for line := range strings.Lines(string(old)) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), ":"); name != user {
			content.WriteString(strings.TrimRight(line, "\n") + "\n")
		}
	}
	content.WriteString(user + ":" + string(hash) + "\n")
	return replace(path, content.String())
}

// replace writes a file whole, with the permissions that it had.
func replace(path, content string) error {
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer file.Close()
	defer os.Remove(file.Name()) // a failure's; after the renaming there is none
	_, err = file.WriteString(content)
	if err := errors.Join(err, file.Chmod(mode), file.Sync()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
