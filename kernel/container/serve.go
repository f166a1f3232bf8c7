package container

import (
	"errors"
	"io"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/early"
)

// Whoever attaches to a container connects to a socket in its directory, on which its monitor listens. The first frame says what
// for:
//
//	a   to watch and to type; the frames of frame.go follow. The monitor answers r
//	h   to leave a terminal here, whose master comes with the message: that of an exec which the user has detached from.
//	    As long as it is open the program lives on; what it prints is for nobody
//	n   to bring the sockets of a resolver, packets and connections, which the container needs from now on. The monitor answers r
//
// The directory may have a name longer than a socket's address can be, so both sides go through /proc/self/fd.

// Frames that a connection begins with.
const (
	frameAttach = 'a'
	frameHold   = 'h'
	frameNames  = 'n'
)

// socketName is the socket's name in the container's directory.
const socketName = "attach"

// serve listens for those who attach. A container runs well without: the file system may have no sockets.
func (m *monitor) serve() {
	handle := &kernel.Handle{}
	listen := kernel.Step{
		Effect: kernel.Listen{Path: "/proc/self/fd/" + strconv.Itoa(early.Lock) + "/" + socketName, As: handle}, Section: "3.2",
		Why: kernel.Why{EN: "sandbox attach connects here", ZH: "sandbox attach 从这里连进来"},
	}
	err := m.engine.Door.Do(listen)
	if errors.Is(err, unix.EADDRINUSE) { // that of a monitor that was killed
		m.closeSocket()
		err = m.engine.Door.Do(listen)
	}
	if err != nil {
		return
	}
	file := os.NewFile(uintptr(handle.Number()), socketName)
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return
	}
	go m.accept(listener.(*net.UnixListener))
}

// closeSocket takes the socket's name away: from then on nobody can attach.
func (m *monitor) closeSocket() {
	m.engine.Door.Do(kernel.Step{
		Effect: kernel.Remove{Path: m.engine.Paths.dir(m.record.ID) + "/" + socketName}, Section: "3.2", Optional: true,
		Why: kernel.Why{EN: "nobody can attach any more", ZH: "不再接受 attach"},
	})
}

func (m *monitor) accept(listener *net.UnixListener) {
	for {
		conn, err := listener.AcceptUnix()
		if err != nil {
			return
		}
		go m.greet(conn)
	}
}

// greet does what a connection is for.
func (m *monitor) greet(conn *net.UnixConn) {
	defer conn.Close()
	kind, files, err := readGreeting(conn)
	switch {
	case err != nil:
	case kind == frameAttach:
		o := newOutbox(conn, func() bool { return true })
		o.say(frameReady, nil)
		m.audience.add(o)
		m.listen(conn, o)
	case kind == frameHold && len(files) == 1:
		io.Copy(io.Discard, files[0])
	case kind == frameNames && len(files) == 2:
		m.serveNames(files[0], files[1])
		(&frameWriter{w: conn}).write(frameReady, nil)
	}
	for _, f := range files {
		f.Close()
	}
}

// readGreeting reads the first frame, from ourselves or from root.
func readGreeting(conn *net.UnixConn) (kind byte, files []*os.File, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, nil, err
	}
	var peer *unix.Ucred
	if controlErr := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); controlErr != nil {
		return 0, nil, controlErr
	}
	if err == nil && peer.Uid != 0 && int(peer.Uid) != os.Geteuid() {
		err = unix.EPERM
	}
	if err != nil {
		return 0, nil, err
	}
	head, control := make([]byte, 5), make([]byte, unix.CmsgSpace(2*4))
	n, rights, _, _, err := conn.ReadMsgUnix(head, control)
	if err != nil {
		return 0, nil, err
	}
	if rights > 0 {
		files = receivedFiles(control[:rights])
	}
	if n < len(head) || head[1]|head[2]|head[3]|head[4] != 0 { // it has no content
		err = io.ErrUnexpectedEOF
	}
	return head[0], files, err
}

// receivedFile is the descriptor that came with a message; nil if there was none.
func receivedFile(control []byte) *os.File {
	if files := receivedFiles(control); len(files) == 1 {
		return files[0]
	}
	return nil
}

// receivedFiles are all that came with a message.
func receivedFiles(control []byte) (files []*os.File) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) != 1 {
		return nil
	}
	fds, _ := unix.ParseUnixRights(&messages[0])
	for _, fd := range fds {
		unix.SetNonblock(fd, true) // lets Go's poller wait for it
		files = append(files, os.NewFile(uintptr(fd), "received"))
	}
	return files
}
