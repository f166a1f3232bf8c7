package userland

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// ipcKind is one of the three kinds of System V objects.
type ipcKind struct {
	name, id  string // of the file in /proc/sysvipc, and of its column of ids
	byID, key rune   // the flags of ipcrm
	remove    func(id int) unix.Errno
}

var ipcKinds = []ipcKind{
	{"shm", "shmid", 'm', 'M', func(id int) unix.Errno {
		_, errno := systemV(unix.SYS_SHMCTL, uintptr(id), ipcRemove, 0)
		return errno
	}},
	{"msg", "msqid", 'q', 'Q', func(id int) unix.Errno {
		_, errno := systemV(unix.SYS_MSGCTL, uintptr(id), ipcRemove, 0)
		return errno
	}},
	{"sem", "semid", 's', 'S', func(id int) unix.Errno {
		_, errno := systemV(unix.SYS_SEMCTL, uintptr(id), 0, ipcRemove)
		return errno
	}},
}

// runIpcrm removes objects by id (-m -q -s), by key (-M -Q -S), or all of this namespace (-a).
func runIpcrm(p *Process) int {
	opts, words, err := p.options("am:q:s:M:Q:S:", map[string]string{
		"all": "a", "shmem-id": "m", "queue-id": "q", "semaphore-id": "s", "shmem-key": "M", "queue-key": "Q", "semaphore-key": "S",
	})
	if err != nil || len(words) > 0 || len(opts.found) == 0 {
		return p.Fail("usage: ipcrm -a | -m|-q|-s ID | -M|-Q|-S KEY")
	}
	code := 0
	for _, kind := range ipcKinds {
		objects, err := readIPC(kind.name)
		if err != nil {
			return p.Fail("%s", causedBy(err))
		}
		for _, text := range kind.chosen(objects, opts) {
			id, err := strconv.Atoi(text)
			if err != nil {
				code = p.Fail("invalid %s (%s)", kind.id, text)
			} else if errno := kind.remove(id); errno != 0 {
				code = p.Fail("%s %d: %s", kind.id, id, causeText(errno))
			}
		}
	}
	return code
}

// chosen are the ids of the objects that the flags name.
func (k ipcKind) chosen(objects []ipcObject, opts *options) []string {
	ids := opts.values(k.byID)
	for _, key := range opts.values(k.key) {
		found := "key " + key // which is no id, and will be complained of
		for _, o := range objects {
			if o.key() == key || o["key"] == key {
				found = o[k.id]
			}
		}
		ids = append(ids, found)
	}
	if opts.has('a') {
		for _, o := range objects {
			ids = append(ids, o[k.id])
		}
	}
	return ids
}
