package container

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// attachStreams gives the program its standard input, output and error: pipes that lead to the monitor, or a terminal
// of the container's own devpts, whose other end is sent to the monitor.
func (b *birth) attachStreams() []kernel.Step {
	if !b.spec.Process.Terminal {
		return kernel.In("3.1",
			kernel.Because(kernel.Dup{From: kernel.FD(b.ends.stdin), To: 0}, "standard input", "标准输入"),
			kernel.Because(kernel.Dup{From: kernel.FD(b.ends.stdout), To: 1}, "standard output leads to the monitor, which writes the log", "标准输出通向监视进程，由它写日志"),
			kernel.Because(kernel.Dup{From: kernel.FD(b.ends.stderr), To: 2}, "standard error", "标准错误"),
		)
	}
	steps := terminalSteps(b.ends, b.rows, b.cols)
	console := kernel.Because(kernel.CreateFile{Path: "/dev/console", Mode: 0o620}, "", "")
	bind := kernel.Because(kernel.Mount{Source: "/dev/pts/0", Target: "/dev/console", Flags: unix.MS_BIND}, "the container's console is its first terminal", "容器的控制台就是它的第一个终端")
	steps = append(steps, kernel.In("3.1", console, bind)...)
	if uid := b.spec.Process.User.UID; uid != 0 {
		steps = append(steps, kernel.In("3.1", kernel.Because(kernel.Chown{Path: "/dev/pts/0", UID: int(uid), GID: -1}, "", ""))...)
	}
	return steps
}

// terminalSteps open a terminal in the devpts that is mounted at /dev/pts and make it the process's own.
func terminalSteps(e ends, rows, cols uint16) []kernel.Step {
	master, slave := &kernel.Handle{}, &kernel.Handle{}
	steps := []kernel.Step{
		kernel.Because(kernel.Open{Path: "/dev/pts/ptmx", Flags: unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC, As: master}, "-t: a terminal, made of two ends", "-t：一个终端有两头"),
		kernel.Because(kernel.UnlockTerminal{Master: master.FD()}, "", ""),
		kernel.Because(kernel.OpenTerminal{Master: master.FD(), As: slave}, "the program's end", "程序用这一头"),
		kernel.Because(kernel.Dup{From: master.FD(), To: e.master, Cloexec: true}, "", ""),
		kernel.Because(kernel.SendDescriptor{Socket: e.pty, FD: e.master}, "the other end goes to the monitor, outside", "另一头交给外面的监视进程"),
	}
	if rows != 0 {
		steps = append(steps, kernel.Because(kernel.WindowSize{FD: master.FD(), Rows: rows, Columns: cols}, "as large as yours", "和你的终端一样大"))
	}
	for fd := range 3 {
		steps = append(steps, kernel.Because(kernel.Dup{From: slave.FD(), To: fd}, "", ""))
	}
	steps = append(steps, kernel.Because(kernel.ControllingTerminal{FD: 0}, "Ctrl-C typed there comes as SIGINT here", "在那头按 Ctrl-C，这里就收到 SIGINT"))
	return kernel.In("3.1", steps...)
}

// idMap is a mapping as /proc/PID/uid_map takes it: inside, outside, how many.
func idMap(list []specs.LinuxIDMapping) string {
	var b strings.Builder
	for _, m := range list {
		for i, n := range []uint32{m.ContainerID, m.HostID, m.Size} {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(strconv.FormatUint(uint64(n), 10))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
