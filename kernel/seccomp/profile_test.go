package seccomp

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	moby "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel/capability"
)

// TestLoadOfTheDefaultProfile: read from JSON it must be the same program as the ready one.
func TestLoadOfTheDefaultProfile(t *testing.T) {
	text, err := json.Marshal(moby.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	for _, caps := range capabilitySets() {
		got, err := Load(bytes.NewReader(text), uint64(caps), Version{6, 18})
		if err != nil {
			t.Fatal(err)
		}
		if want, _ := Default(uint64(caps), Version{6, 18}); !slices.Equal(got, want) {
			t.Errorf("capabilities %#x: another program", uint64(caps))
		}
	}
}

// TestLoad reads small profiles and looks at what becomes of one call.
func TestLoad(t *testing.T) {
	const enosys = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	const eperm = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	mkdirat, _ := number("mkdirat")
	for _, test := range []struct {
		name, profile string
		caps          capability.Set
		kernel        Version
		args          [6]uint64
		want          uint32
	}{
		{name: "a call that is not named", profile: `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["statx"], "action": "SCMP_ACT_ALLOW"}]}`, want: eperm},
		{name: "an errno by default", profile: `{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, "syscalls": [{"names": ["statx"], "action": "SCMP_ACT_ALLOW"}]}`,
			want: unix.SECCOMP_RET_ERRNO | 13},
		{name: "behind the last one named", profile: `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`, want: enosys},
		{name: "a name of old", profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "mkdirat", "action": "SCMP_ACT_KILL"}]}`, want: unix.SECCOMP_RET_KILL_THREAD},
		{name: "an unknown name", profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdiratt", "mkdirat"], "action": "SCMP_ACT_LOG"}]}`, want: unix.SECCOMP_RET_LOG},
		{name: "trace hands on a number", profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_TRACE", "errnoRet": 7}]}`, want: unix.SECCOMP_RET_TRACE | 7},
		{name: "a capability that is there", caps: 1 << 21, want: eperm,
			profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "includes": {"caps": ["CAP_SYS_ADMIN"]}}]}`},
		{name: "a capability that is not there", want: unix.SECCOMP_RET_ALLOW,
			profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "includes": {"caps": ["CAP_SYS_ADMIN"]}}]}`},
		{name: "one of two capabilities rules out", caps: 1 << 21, want: unix.SECCOMP_RET_ALLOW,
			profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_CHOWN", "CAP_SYS_ADMIN"]}}]}`},
		{name: "another machine", want: unix.SECCOMP_RET_ALLOW,
			profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "includes": {"arches": ["s390x"]}}]}`},
		{name: "too old a kernel", kernel: Version{5, 9}, want: unix.SECCOMP_RET_ALLOW,
			profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "5.10"}}]}`},
		{name: "a kernel just new enough", kernel: Version{5, 10}, want: eperm,
			profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "5.10"}}]}`},
		{name: "a kernel too new", kernel: Version{6, 1}, want: unix.SECCOMP_RET_ALLOW,
			profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "excludes": {"minKernel": "5.10"}}]}`},
		{name: "all conditions together", args: [6]uint64{1, 2}, want: unix.SECCOMP_RET_ALLOW,
			profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}]}]}`},
		{name: "alternatives for one argument", args: [6]uint64{9}, want: eperm,
			profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 9, "op": "SCMP_CMP_EQ"}]}]}`},
		{name: "the high half counts", args: [6]uint64{1<<32 + 1}, want: unix.SECCOMP_RET_ALLOW,
			profile: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdirat"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			program, err := Load(strings.NewReader(test.profile), uint64(test.caps), test.kernel)
			if err != nil {
				t.Fatal(err)
			}
			verify(t, program)
			if got, _ := run(program, &data{mkdirat, native.abis[0].audit, test.args}); got != test.want {
				t.Errorf("%#x, want %#x", got, test.want)
			}
		})
	}
}

// number of a call on this machine.
func number(name string) (uint32, bool) {
	i := callIndex(name)
	if i < 0 {
		return 0, false
	}
	n := calls[i].numbers[native.abis[0].column]
	return uint32(n), n >= 0
}

func TestLoadNothing(t *testing.T) {
	for _, empty := range []string{`{}`, `{"syscalls": []}`, `null`} {
		if program, err := Load(strings.NewReader(empty), 0, Version{}); err != nil || len(program) != 0 {
			t.Errorf("%s: %d instructions, %v", empty, len(program), err)
		}
	}
}

// TestLoadErrors: an error names what is wrong and what would be right.
func TestLoadErrors(t *testing.T) {
	for profile, words := range map[string]string{
		``:                           `end of JSON`,
		`[]`:                         `cannot unmarshal array`,
		`{"defaultAction": "ALLOW"}`: `default action: unknown action "ALLOW": use SCMP_ACT_ALLOW, SCMP_ACT_ERRNO,`,
		`{"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`:                                                                               `default action: unknown action ""`,
		`{"defaultAction": "SCMP_ACT_NOTIFY"}`:                                                                                                          `supervisor`,
		`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 5000}`:                                                                                  `errnoRet 5000: an errno is at most 4095`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["x86"]}`:                                                                                 `unknown architecture "x86": use SCMP_ARCH_X86, SCMP_ARCH_X86_64`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]}`:                    `both architectures and archMap`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "read", "names": ["read"], "action": "SCMP_ACT_LOG"}]}`:                              `syscalls[0]: both name and names`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "DENY"}]}`:                                                      `syscalls[0] ["read"]: unknown action "DENY"`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"op": "EQ"}]}]}`:                      `unknown operator "EQ": use SCMP_CMP_EQ, SCMP_CMP_NE,`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}]}`: `argument index 6: a system call has arguments 0 to 5`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "includes": {"caps": ["SYS_ADMIN"]}}]}`:         `capability "SYS_ADMIN" has to be written in full`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "excludes": {"caps": ["CAP_SYSADMIN"]}}]}`:      `unknown capability "CAP_SYSADMIN": did you mean SYS_ADMIN?`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "includes": {"minKernel": "4.8.1"}}]}`:          `"4.8.1" is no kernel version`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "includes": {"minKernel": "0.0"}}]}`:            `"0.0" is no kernel version`,
	} {
		_, err := Load(strings.NewReader(profile), 0, Version{6, 1})
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: error %v, want one with %s", profile, err, words)
		}
	}
}

// TestMultiplexedCalls: what is said of a call holds for the way through socketcall and ipc as well.
func TestMultiplexedCalls(t *testing.T) {
	spec := &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Architectures: []specs.Arch{specs.ArchX86},
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"bind", "msgget"}, Action: specs.ActErrno}},
	}
	program, err := compile(spec, &amd64)
	if err != nil {
		t.Fatal(err)
	}
	const allow, refuse = uint32(unix.SECCOMP_RET_ALLOW), unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	for _, test := range []struct {
		number uint32
		first  uint64
		want   uint32
	}{{361, 0, refuse}, {102, 1, allow}, {102, 2, refuse}, {102, 3, allow}, {117, 13, refuse}, {117, 14, allow}, {399, 0, refuse}} {
		if got, _ := run(program, &data{test.number, unix.AUDIT_ARCH_I386, [6]uint64{test.first}}); got != test.want {
			t.Errorf("call %d with %d: %#x, want %#x", test.number, test.first, got, test.want)
		}
	}
}

// TestCallThatExistsMultiplexedOnly: 32-bit x86 has no accept but that of socketcall.
func TestCallThatExistsMultiplexedOnly(t *testing.T) {
	program, err := compile(&specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno,
		Architectures: []specs.Arch{specs.ArchX86},
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"accept"}, Action: specs.ActAllow}},
	}, &amd64)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := run(program, &data{102, unix.AUDIT_ARCH_I386, [6]uint64{5}}); got != unix.SECCOMP_RET_ALLOW {
		t.Errorf("socketcall(SYS_ACCEPT): %#x", got)
	}
}

// FuzzLoad: no profile brings Load down, and whatever it compiles the kernel would take and decides as the profile says.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"defaultAction": "SCMP_ACT_ERRNO", "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}],
		"syscalls": [{"names": ["read", "clone"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}]}]}`))
	f.Add([]byte(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "ptrace", "action": "SCMP_ACT_KILL", "excludes": {"minKernel": "4.8", "caps": ["CAP_SYS_PTRACE"]}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		spec, err := LoadSpec(bytes.NewReader(text), uint64(capability.Default), Version{5, 4})
		if err != nil || spec == nil {
			return
		}
		program, err := Compile(spec)
		if err != nil {
			return
		}
		verify(t, program)
		o := oracles(native)[0]
		n := newNaive(&o, spec)
		samples := samplesFor(spec)
		for number := range uint32(500) {
			for _, args := range append(samples[o.names[number]], [6]uint64{}) {
				if got, _ := run(program, &data{number, o.abi.audit, args}); got != n.decide(number, args) {
					t.Fatalf("call %d with %#x: %#x, want %#x", number, args, got, n.decide(number, args))
				}
			}
		}
	})
}
