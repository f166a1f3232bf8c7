package kernel

import (
	"golang.org/x/sys/unix"

	"sandbox/kernel/birth"
)

// AppendFile adds whole lines to the end of a file, which it makes if there is none, in one write(2): with O_APPEND the
// kernel finds the end and writes there in one go, so that several processes may do it at the same time without a lock.
type AppendFile struct {
	Path string
	Data []byte
	Mode uint32
}

// Call as the openat(2), which is what may make the file.
func (a AppendFile) Call() Call {
	return Call{
		Name:  "openat",
		Args:  []string{"AT_FDCWD", quote(a.Path), "O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC", octalMode(a.Mode)},
		Shell: "echo … >> " + a.Path,
	}
}

func (a AppendFile) compile(c *compiler) {
	open := c.add(unix.SYS_OPENAT, atFdcwd, c.str(a.Path), unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND|unix.O_CLOEXEC, int(a.Mode))
	c.add(unix.SYS_WRITE, c.b.Result(open), c.b.Bytes(a.Data), len(a.Data))
	c.addFlags(birth.Cleanup, unix.SYS_CLOSE, c.b.Result(open))
}
