package kernel

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// UnlockTerminal is ioctl(2) TIOCSPTLCK on a pty's master: its other end may be opened.
type UnlockTerminal struct{ Master Descriptor }

// Call in strace's notation.
func (u UnlockTerminal) Call() Call {
	return Call{Name: "ioctl", Args: []string{u.Master.String(), "TIOCSPTLCK", "[0]"}}
}

func (u UnlockTerminal) compile(c *compiler) {
	c.add(unix.SYS_IOCTL, u.Master.arg(c.b), unix.TIOCSPTLCK, c.b.Words(0))
}

// OpenTerminal is ioctl(2) TIOCGPTPEER (Linux 4.13): opens the other end of a pty, with no path that could be another.
type OpenTerminal struct {
	Master Descriptor
	As     *Handle
}

// Call in strace's notation.
func (o OpenTerminal) Call() Call {
	return Call{Name: "ioctl", Args: []string{o.Master.String(), "TIOCGPTPEER", "O_RDWR|O_NOCTTY"}, ShowResult: true}
}

func (o OpenTerminal) compile(c *compiler) {
	c.add(unix.SYS_IOCTL, o.Master.arg(c.b), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY)
}

func (o OpenTerminal) handle() *Handle { return o.As }

// ControllingTerminal is ioctl(2) TIOCSCTTY: the terminal sends its Ctrl-C to this session.
type ControllingTerminal struct{ FD int }

// Call in strace's notation.
func (t ControllingTerminal) Call() Call {
	return Call{Name: "ioctl", Args: []string{fmt.Sprint(t.FD), "TIOCSCTTY", "0"}}
}

func (t ControllingTerminal) compile(c *compiler) { c.add(unix.SYS_IOCTL, t.FD, unix.TIOCSCTTY, 0) }

// WindowSize is ioctl(2) TIOCSWINSZ.
type WindowSize struct {
	FD            Descriptor
	Rows, Columns uint16
}

// Call in strace's notation.
func (w WindowSize) Call() Call {
	size := fmt.Sprintf("{ws_row=%d, ws_col=%d, ws_xpixel=0, ws_ypixel=0}", w.Rows, w.Columns)
	return Call{Name: "ioctl", Args: []string{w.FD.String(), "TIOCSWINSZ", size}}
}

func (w WindowSize) compile(c *compiler) {
	size := binary.NativeEndian.AppendUint16(nil, w.Rows)
	size = binary.NativeEndian.AppendUint16(size, w.Columns)
	c.add(unix.SYS_IOCTL, w.FD.arg(c.b), unix.TIOCSWINSZ, c.b.Bytes(append(size, 0, 0, 0, 0)))
}

// SendDescriptor is sendmsg(2) with SCM_RIGHTS: passes a descriptor through a Unix socket to another process. The
// descriptor's number is part of the message, so it must be known beforehand (Dup gives it one).
type SendDescriptor struct {
	Socket int
	FD     int
	Also   []int  // more of them
	Data   string // what goes with it; one byte if that is nothing, since there must be something
}

// Call in strace's notation, without the parts of the message that are empty.
func (s SendDescriptor) Call() Call {
	all := strings.Trim(strings.ReplaceAll(fmt.Sprint(s.all()), " ", ", "), "[]")
	message := "{msg_control=[{cmsg_type=SCM_RIGHTS, cmsg_data=[" + all + "]}]}"
	return Call{Name: "sendmsg", Args: []string{fmt.Sprint(s.Socket), message, "0"}}
}

func (s SendDescriptor) all() []int { return append([]int{s.FD}, s.Also...) }

func (s SendDescriptor) compile(c *compiler) {
	rights := unix.UnixRights(s.all()...)
	control, length := c.b.Bytes(rights), len(rights)
	data := s.Data
	if data == "" {
		data = "t"
	}
	vector := c.b.Words(c.b.Bytes([]byte(data)), len(data)) // struct iovec
	message := c.b.Words(0, 0, vector, 1, control, length, 0)
	c.add(unix.SYS_SENDMSG, s.Socket, message, 0)
}

// TerminalMode is ioctl(2) TCSETS (termios(3)): what a terminal does with what is typed, before anybody reads it.
type TerminalMode struct {
	FD   int
	Mode unix.Termios
}

var localModes = []flag{
	{unix.ISIG, "ISIG"}, {unix.ICANON, "ICANON"}, {unix.ECHO, "ECHO"}, {unix.ECHOE, "ECHOE"}, {unix.ECHOK, "ECHOK"},
	{unix.ECHONL, "ECHONL"}, {unix.NOFLSH, "NOFLSH"}, {unix.TOSTOP, "TOSTOP"}, {unix.IEXTEN, "IEXTEN"},
	{unix.ECHOCTL, "ECHOCTL"}, {unix.ECHOPRT, "ECHOPRT"}, {unix.ECHOKE, "ECHOKE"},
}

// Call in strace's notation, of the modes only those that matter here.
func (m TerminalMode) Call() Call {
	shell := "stty -raw echo"
	switch {
	case m.Mode.Lflag&(unix.ICANON|unix.ISIG) == 0:
		shell = "stty raw -echo"
	case m.Mode.Lflag&unix.ICANON == 0:
		shell = "stty cbreak -echo"
	case m.Mode.Lflag&unix.ECHO == 0:
		shell = "stty -echo echonl"
	}
	modes := "{c_lflag=" + flags(uint64(m.Mode.Lflag), localModes) + "}"
	return Call{Name: "ioctl", Args: []string{fmt.Sprint(m.FD), "TCSETS", modes}, Shell: shell}
}

func (m TerminalMode) compile(c *compiler) {
	mode, _ := binary.Append(nil, binary.NativeEndian, m.Mode) // struct termios: it has no gaps
	c.add(unix.SYS_IOCTL, m.FD, unix.TCSETS, c.b.Bytes(mode))
}

// RawTerminal puts the user's own terminal into raw mode (cfmakeraw(3)): what is typed goes to the container as it is,
// Ctrl-C included. restore puts it back; it may be called more than once.
func RawTerminal(door Doer, file *os.File) (restore func(), err error) {
	fd := int(file.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	raw := *before
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	return changeTerminal(door, fd, *before, raw, "3.2", Why{
		"each key goes to the container as it is typed, Ctrl-C too; the echo comes from there", "每个按键原样送进容器，Ctrl-C 也一样；回显由容器里的终端负责"})
}

// KeysTerminal lets single keys be read from the user's own terminal, without Enter and without echo; Ctrl-C is a signal as ever.
func KeysTerminal(door Doer, file *os.File) (restore func(), err error) {
	fd := int(file.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	keys := *before
	keys.Lflag &^= unix.ECHO | unix.ICANON
	keys.Cc[unix.VMIN], keys.Cc[unix.VTIME] = 1, 0
	return changeTerminal(door, fd, *before, keys, "3.4", Why{"the key q ends it", "按 q 键就结束"})
}

// KeepTerminal remembers the mode of the user's own terminal. restore puts it back if it has become another one: whoever was to
// do that may have been killed.
func KeepTerminal(door Doer, file *os.File) (restore func()) {
	fd := int(file.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {} // no terminal
	}
	return func() {
		now, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err == nil && *now != *before {
			door.Do(Try(In("3.2", Because(TerminalMode{FD: fd, Mode: *before}, "your terminal is as it was", "你的终端恢复原样"))...)...)
		}
	}
}

func changeTerminal(door Doer, fd int, before, now unix.Termios, section string, why Why) (restore func(), err error) {
	err = door.Do(In(section, Because(TerminalMode{FD: fd, Mode: now}, why.EN, why.ZH))...)
	return func() {
		door.Do(Try(In(section, Because(TerminalMode{FD: fd, Mode: before}, "your terminal is as it was", "你的终端恢复原样"))...)...)
	}, err
}

// ForegroundGroup is ioctl(2) TIOCSPGRP: the terminal's Ctrl-C goes to the process's own group, which it leads.
type ForegroundGroup struct{ FD int }

// Call in strace's notation.
func (g ForegroundGroup) Call() Call {
	return Call{Name: "ioctl", Args: []string{fmt.Sprint(g.FD), "TIOCSPGRP", "[getpid()]"}}
}

func (g ForegroundGroup) compile(c *compiler) {
	pid := c.add(unix.SYS_GETPID)
	c.answer = c.add(unix.SYS_IOCTL, g.FD, unix.TIOCSPGRP, c.b.Result(pid)) // where the pid is, as ioctl wants it
}
