package userland

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func runMkfifo(p *Process) int {
	opts, names, err := p.options("m:", map[string]string{"mode": "m"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 0 {
		return p.Fail("missing operand")
	}
	code := 0
	for _, name := range names {
		if err := makeNode(name, unix.S_IFIFO, 0, opts); err != nil {
			code = p.Fail("cannot create fifo '%s': %s", name, causeText(err))
		}
	}
	return code
}

func runMknod(p *Process) int {
	opts, operands, err := p.options("m:", map[string]string{"mode": "m"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(operands) < 2 {
		return p.Fail("missing operand")
	}
	kind, isDevice := uint32(unix.S_IFIFO), operands[1] != "p"
	switch operands[1] {
	case "b":
		kind = unix.S_IFBLK
	case "c", "u":
		kind = unix.S_IFCHR
	case "p":
	default:
		return p.Fail("invalid device type '%s'", operands[1])
	}
	device := uint64(0)
	if isDevice {
		if len(operands) != 4 {
			return p.Fail("special files require major and minor device numbers")
		}
		major, errMajor := strconv.ParseUint(operands[2], 0, 32)
		minor, errMinor := strconv.ParseUint(operands[3], 0, 32)
		if errMajor != nil || errMinor != nil {
			return p.Fail("invalid device %s %s", operands[2], operands[3])
		}
		device = unix.Mkdev(uint32(major), uint32(minor))
	}
	if err := makeNode(operands[0], kind, device, opts); err != nil {
		return p.Fail("%s: %s", operands[0], causeText(err))
	}
	return 0
}

func makeNode(name string, kind uint32, device uint64, opts *options) error {
	mode := uint32(0o666)
	if opts.has('m') {
		change, err := parseMode(opts.value('m'))
		if err != nil {
			return err
		}
		mode = change(mode, false)
	}
	if err := unix.Mknod(name, kind|mode, int(device)); err != nil || !opts.has('m') {
		return err
	}
	return syscall.Chmod(name, mode)
}
