package layer

import (
	"encoding/binary"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Owners knows whom files can be given to, and what to do about the others. An ordinary user has one id, in a container
// or out of it: all files are theirs and belong, as a container sees it, to root. Whom an archive gives a file to is then
// kept in an extended attribute, after a convention that other programs for ordinary users have too
// (rootlesscontaine.rs): a protocol buffer message of two numbers, uid and gid. A file of 0:0 has none. Only regular files
// and directories can have attributes: symbolic links, devices and pipes become root's.
type Owners struct {
	uid, gid int
	all      bool // every id there is, is there: nothing needs to be remembered, and what an attribute says is no more than a claim
}

const ownerAttribute = "user.rootlesscontainers"

// NewOwners looks at who we are.
func NewOwners() Owners {
	o := Owners{uid: os.Geteuid(), gid: os.Getegid()}
	if o.uid == 0 {
		// user_namespaces(7): the initial one maps all ids to themselves.
		ids, err := os.ReadFile("/proc/self/uid_map")
		fields := strings.Fields(string(ids))
		o.all = err != nil || len(fields) == 3 && fields[1] == "0" && fields[2] == "4294967295"
	}
	return o
}

// Set gives an open file or directory to somebody, or remembers to whom it should belong. Like every change of owner it
// may clear the set-user-ID bit.
func (o Owners) Set(fd, uid, gid int) error {
	if o.uid == 0 {
		if err := unix.Fchown(fd, uid, gid); !notMapped(err) {
			return err
		}
	}
	if uid == 0 && gid == 0 {
		return nil
	}
	err := unix.Fsetxattr(fd, ownerAttribute, encodeOwner(uint32(uid), uint32(gid)), 0)
	if err == unix.ENOTSUP {
		return nil // a file system without attributes: who owns the file is lost, which hurts only those who pack it again
	}
	return err
}

// SetAt is Set for what cannot be opened.
func (o Owners) SetAt(dir int, name string, uid, gid int) error {
	if o.uid != 0 {
		return nil
	}
	if err := unix.Fchownat(dir, name, uid, gid, unix.AT_SYMLINK_NOFOLLOW); !notMapped(err) {
		return err
	}
	return nil
}

// notMapped: this user namespace does not have the id (EINVAL), or nothing may be given away in it (EPERM).
func notMapped(err error) bool { return err == unix.EINVAL || err == unix.EPERM }

// Of is whom a file belongs to in an image: who owns it on disk, and what its attribute remembers ("" for none).
func (o Owners) Of(st *unix.Stat_t, remembered string) (uid, gid int) {
	uid, gid = int(st.Uid), int(st.Gid)
	if o.remembers(st) {
		if u, g, ok := decodeOwner([]byte(remembered)); ok && remembered != "" {
			return u, g
		}
	}
	if uid == o.uid {
		uid = 0
	}
	if gid == o.gid {
		gid = 0
	}
	return uid, gid
}

// remembers tells whether the attribute of a file counts: on our own only. In a container with many ids its users can set
// it on their files, and could have a set-user-ID program of theirs come out as root's.
func (o Owners) remembers(st *unix.Stat_t) bool {
	return !o.all && int(st.Uid) == o.uid && int(st.Gid) == o.gid
}

// encodeOwner writes message Resource { uint32 uid = 1; uint32 gid = 2; }, in which what is 0 is left out.
func encodeOwner(uid, gid uint32) []byte {
	var message []byte
	if uid != 0 {
		message = binary.AppendUvarint(append(message, 1<<3), uint64(uid))
	}
	if gid != 0 {
		message = binary.AppendUvarint(append(message, 2<<3), uint64(gid))
	}
	return message
}

func decodeOwner(message []byte) (uid, gid int, ok bool) {
	for len(message) > 0 {
		key := message[0]
		value, n := binary.Uvarint(message[1:])
		if n <= 0 || value > 1<<32-1 {
			return 0, 0, false
		}
		switch key {
		case 1 << 3:
			uid = int(value)
		case 2 << 3:
			gid = int(value)
		default:
			return 0, 0, false
		}
		message = message[1+n:]
	}
	return uid, gid, true
}
