package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	kernel "sandbox/testscripts/kernel"
)

// loadModules loads the modules in the order in which the host has numbered them: what another needs comes before it.
func loadModules() error {
	files, err := filepath.Glob(kernel.Modules + "/*.ko")
	if err != nil {
		return err
	}
	for _, file := range files { // sorted
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return os.RemoveAll(kernel.Modules)
}

func loopbackUp() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

// disk finds the disk to which qemu has given a serial number, as a name in /sys/block.
func disk(serial string) (string, error) {
	files, err := filepath.Glob("/sys/block/*/serial")
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(data)) == serial {
			return filepath.Base(filepath.Dir(file)), nil
		}
	}
	return "", fmt.Errorf("no disk has the serial number %s", serial)
}

// startSwap writes the header of a swap area and switches it on: what mkswap(8) and swapon(8) do. The header is
// union swap_header of the kernel's include/linux/swap.h: at 1024 the version, the number of the last page and of the bad
// ones, all 32 bits; the signature ends the first page.
func startSwap() error {
	name, err := disk("swap")
	if err != nil {
		return err
	}
	size, err := os.ReadFile("/sys/block/" + name + "/size") // in sectors of 512 bytes
	if err != nil {
		return err
	}
	var sectors int64
	if _, err := fmt.Sscan(string(size), &sectors); err != nil {
		return err
	}
	page := int64(os.Getpagesize())
	header := make([]byte, page)
	binary.NativeEndian.PutUint32(header[1024:], 1)
	binary.NativeEndian.PutUint32(header[1028:], uint32(sectors*512/page-1))
	copy(header[page-10:], "SWAPSPACE2")
	device := "/dev/" + name
	if err := os.WriteFile(device, header, 0); err != nil {
		return err
	}
	path, err := unix.BytePtrFromString(device)
	if err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_SWAPON, uintptr(unsafe.Pointer(path)), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// mountDisk mounts the file system that the host has made on the disk as /tmp, where the tests keep their stores, and sets
// BFQ for it: only with that scheduler (or io.cost) can groups have weights for a disk.
func mountDisk() error {
	name, err := disk("disk")
	if err != nil {
		return err
	}
	file := "/sys/block/" + name + "/queue/scheduler"
	if err := os.WriteFile(file, []byte("bfq"), 0); err != nil {
		return err
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Contains(got, []byte("[bfq]")) {
		return fmt.Errorf("%s says %q, %v", file, got, err)
	}
	if err := os.Mkdir("/tmp", 0o755); err != nil {
		return err
	}
	if err := unix.Mount("/dev/"+name, "/tmp", "ext4", unix.MS_NOSUID|unix.MS_NODEV, ""); err != nil {
		return err
	}
	return os.Chmod("/tmp", os.ModeSticky|0o777)
}
