package doctor

import (
	"encoding/binary"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Message types of nfnetlink: the subsystem in the upper byte (linux/netfilter/nfnetlink.h).
const (
	getGeneration = 10<<8 | unix.NFT_MSG_GETGEN // nf_tables: which generation of rules is it?
	getExtension  = 11 << 8                     // nft_compat: do you know this extension of iptables?
)

// askNetfilter asks two harmless questions in a network namespace of its own; asking may load the modules. The thread
// that has entered the namespace is not given back to Go: it ends with its goroutine, and the namespace with it.
func askNetfilter() (Netfilter, error) {
	type result struct {
		answer Netfilter
		err    error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		answer, err := askInNewNamespace()
		done <- result{answer, err}
	}()
	r := <-done
	return r.answer, r.err
}

func askInNewNamespace() (Netfilter, error) {
	door := &kernel.Door{Process: "client"}
	if err := door.Do(kernel.Step{Effect: kernel.Unshare{Flags: unix.CLONE_NEWNET}, Section: "3.6"}); err != nil {
		return Netfilter{}, err
	}
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err == unix.EPROTONOSUPPORT {
		return Netfilter{}, nil
	}
	if err != nil {
		return Netfilter{}, fmt.Errorf("open a netfilter socket: %w", err)
	}
	defer unix.Close(socket)

	extension := attribute(nil, 1, []byte("addrtype\x00"))  // NFTA_COMPAT_NAME
	extension = attribute(extension, 2, []byte{0, 0, 0, 1}) // NFTA_COMPAT_REV, in network byte order
	extension = attribute(extension, 3, []byte{0, 0, 0, 0}) // NFTA_COMPAT_TYPE: a match
	var answer Netfilter
	if answer.Tables, err = ask(socket, getGeneration, nil); err != nil {
		return Netfilter{}, err
	}
	answer.Compat, err = ask(socket, getExtension, extension)
	return answer, err
}

// attribute appends a netlink attribute (netlink(7)), padded to four bytes.
func attribute(to []byte, kind uint16, value []byte) []byte {
	to = binary.NativeEndian.AppendUint16(to, uint16(4+len(value)))
	to = binary.NativeEndian.AppendUint16(to, kind)
	to = append(to, value...)
	for len(to)%4 != 0 {
		to = append(to, 0)
	}
	return to
}

// ask sends one question and tells whether it was answered with anything but an error.
func ask(socket int, kind uint16, attributes []byte) (bool, error) {
	const header = 16 + 4 // nlmsghdr, nfgenmsg
	message := binary.NativeEndian.AppendUint32(nil, uint32(header+len(attributes)))
	message = binary.NativeEndian.AppendUint16(message, kind)
	message = binary.NativeEndian.AppendUint16(message, unix.NLM_F_REQUEST)
	message = append(message, 0, 0, 0, 0, 0, 0, 0, 0) // sequence number, port
	message = append(message, unix.AF_INET, 0, 0, 0)
	message = append(message, attributes...)
	if err := unix.Sendto(socket, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return false, fmt.Errorf("ask netfilter: %w", err)
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(socket, answer, 0)
	if err != nil || n < header {
		return false, fmt.Errorf("netfilter does not answer: %w", err)
	}
	return binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR, nil
}
