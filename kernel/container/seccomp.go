package container

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/capability"
	"sandbox/kernel/seccomp"
)

// seccompFilter compiles the profile that config.json asks for; nil for none.
func (b *birth) seccompFilter() ([]unix.SockFilter, error) {
	caps := uint64(capability.SetOf(b.spec.Process.Capabilities.Bounding))
	version := seccomp.Version{Major: b.host.Major, Minor: b.host.Minor}
	var program []seccomp.Instruction
	var err error
	switch profile := b.spec.Annotations[annotationSeccomp]; {
	case profile == "unconfined":
		return nil, nil
	case profile == "default":
		program, err = seccomp.Default(caps, version)
	case b.spec.Linux.Seccomp != nil:
		program, err = seccomp.Compile(b.spec.Linux.Seccomp)
	case profile != "":
		program, err = loadProfile(profile, caps, version)
	}
	if err != nil || len(program) == 0 {
		return nil, err
	}
	return unsafe.Slice((*unix.SockFilter)(unsafe.Pointer(&program[0])), len(program)), nil
}

func loadProfile(path string, caps uint64, version seccomp.Version) ([]seccomp.Instruction, error) {
	file, err := openProfile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	program, err := seccomp.Load(file, caps, version)
	if err != nil {
		return nil, kernel.Advise(fmt.Errorf("seccomp profile %s: %w", path, err), "a profile as Docker's: {\"defaultAction\": …, \"syscalls\": […]}")
	}
	return program, nil
}

func openProfile(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, kernel.Advise(fmt.Errorf("seccomp profile: %w", err), "--security-opt seccomp=FILE.json, or seccomp=unconfined for none")
	}
	return file, nil
}

// loadSeccomp: what comes after it is judged by it.
func (b *birth) loadSeccomp(filter []unix.SockFilter) []kernel.Step {
	if filter == nil {
		return nil
	}
	return kernel.In("3.5", kernel.Because(kernel.Seccomp{Filter: filter},
		"system calls that a container has no business with are refused from here on", "容器用不着的系统调用，从现在起一律拒绝"))
}
