package seccomp

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"sandbox/kernel/capability"
)

// confinedVariable in the environment makes the test binary a confined process that tries system calls.
const confinedVariable = "SECCOMP_TEST_CONFINED"

func TestMain(m *testing.M) {
	if os.Getenv(confinedVariable) != "" {
		os.Exit(confined())
	}
	os.Exit(m.Run())
}

// TestKernelTakesTheProgram loads the program in another process and has it try system calls.
func TestKernelTakesTheProgram(t *testing.T) {
	if _, err := os.Stat("/proc/sys/kernel/seccomp/actions_avail"); err != nil {
		t.Skip("this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)")
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), confinedVariable+"=1")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("the confined process: %v", err)
	}
	for line := range strings.Lines(string(output)) {
		t.Log(strings.TrimSpace(line))
	}
}

// attempt is a system call and the errno that it must end with; 0 for success. The arguments are chosen so that each
// call would end otherwise without the filter.
type attempt struct {
	name    string
	number  uintptr
	a, b, c uintptr
	want    unix.Errno
}

var attempts = []attempt{
	{"keyctl", unix.SYS_KEYCTL, 0xffff, 0, 0, unix.EPERM},                       // EOPNOTSUPP
	{"add_key", unix.SYS_ADD_KEY, 0, 0, 0, unix.EPERM},                          // EFAULT
	{"mount", unix.SYS_MOUNT, 1, 1, 1, unix.EPERM},                              // EFAULT
	{"unshare", unix.SYS_UNSHARE, 1, 0, 0, unix.EPERM},                          // EINVAL
	{"bpf", unix.SYS_BPF, 0xffff, 0, 0, unix.EPERM},                             // EINVAL, or EPERM by itself
	{"clone3", unix.SYS_CLONE3, 0, 0, 0, unix.ENOSYS},                           // EINVAL
	{"clone of a user namespace", unix.SYS_CLONE, 0x10000200, 0, 0, unix.EPERM}, // EINVAL
	{"personality(0xbad)", unix.SYS_PERSONALITY, 0xbad, 0, 0, unix.EPERM},       // 0
	{"personality(0xffffffff)", unix.SYS_PERSONALITY, 0xffffffff, 0, 0, 0},
	{"personality(1<<32)", unix.SYS_PERSONALITY, 1 << 32, 0, 0, unix.EPERM}, // 0
	{"socket(AF_ALG)", unix.SYS_SOCKET, unix.AF_ALG, unix.SOCK_SEQPACKET, 0, unix.EPERM},
	{"socket(AF_VSOCK)", unix.SYS_SOCKET, unix.AF_VSOCK, unix.SOCK_STREAM, 0, unix.EPERM},
	{"socket(AF_UNIX)", unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0, 0},
	{"socket(AF_INET)", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0, 0},
	{"getpid", unix.SYS_GETPID, 0, 0, 0, 0},
	{"umask", unix.SYS_UMASK, 0o22, 0, 0, 0},
	{"a call newer than the profile", 1000, 0, 0, 0, unix.ENOSYS},
}

// confined loads the program for all threads and makes the attempts; it prints what went otherwise than it should.
func confined() int {
	runtime.LockOSThread()
	program, err := Default(uint64(capability.Default), Version{6, 18})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for range 2 { // the second is loaded on top of the first, and its time does not contain the first use of anything
		began := time.Now()
		if err := load(program); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Printf("%d instructions loaded in %d microseconds\n", len(program), time.Since(began).Microseconds())
	}
	status := 0
	for _, try := range attempts {
		if _, _, errno := unix.RawSyscall(try.number, try.a, try.b, try.c); errno != try.want {
			fmt.Printf("%s ends with %v, not %v\n", try.name, errno, try.want)
			status = 1
		}
	}
	return status
}

// load is what the runtime does with a program: seccomp(2), for all threads of this process.
func load(program []Instruction) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_NO_NEW_PRIVS): %w", err)
	}
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: (*unix.SockFilter)(unsafe.Pointer(&program[0]))}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}
