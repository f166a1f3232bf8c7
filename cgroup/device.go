package cgroup

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

// DefaultDevices are Docker's rules for devices: none may be used, any device node may be made, and the harmless
// ones may be read and written. --device appends to them. The order counts: a later rule wins.
var DefaultDevices = []specs.LinuxDeviceCgroup{
	{Allow: false, Access: "rwm"},
	device("c", -1, -1, "m"),
	device("b", -1, -1, "m"),
	device("c", 1, 3, "rwm"),    // /dev/null
	device("c", 1, 5, "rwm"),    // /dev/zero
	device("c", 1, 7, "rwm"),    // /dev/full
	device("c", 1, 8, "rwm"),    // /dev/random
	device("c", 1, 9, "rwm"),    // /dev/urandom
	device("c", 5, 0, "rwm"),    // /dev/tty
	device("c", 5, 1, "rwm"),    // /dev/console
	device("c", 5, 2, "rwm"),    // /dev/ptmx
	device("c", 136, -1, "rwm"), // /dev/pts/*
}

// AllDevices are the rules of a container with --privileged.
var AllDevices = []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}

// whyDevice explains the rules for the well-known devices; their names are the same in every language.
var whyDevice = map[string]kernel.Why{
	"c *:* m":   {EN: "a node of any character device may be made, not opened", ZH: "任何字符设备：可以建节点，不能打开"},
	"b *:* m":   {EN: "a node of any block device may be made, not opened", ZH: "任何块设备：可以建节点，不能打开"},
	"c 1:3 rwm": {EN: "/dev/null"}, "c 1:5 rwm": {EN: "/dev/zero"}, "c 1:7 rwm": {EN: "/dev/full"}, "c 1:8 rwm": {EN: "/dev/random"},
	"c 1:9 rwm": {EN: "/dev/urandom"}, "c 5:0 rwm": {EN: "/dev/tty"}, "c 5:1 rwm": {EN: "/dev/console"}, "c 5:2 rwm": {EN: "/dev/ptmx"},
	"c 136:* rwm": {EN: "/dev/pts/*"},
}

// device is a rule that allows; -1 stands for any number.
func device(kind string, major, minor int64, access string) specs.LinuxDeviceCgroup {
	return specs.LinuxDeviceCgroup{Allow: true, Type: kind, Major: &major, Minor: &minor, Access: access}
}

// rule is one device rule in a form that is complete: the specification leaves out what means "all".
type rule struct {
	allow        bool
	kind         byte  // 'a' (all), 'b' or 'c'
	major, minor int64 // -1: any
	access       string
}

// readRules completes the rules and leaves out those before the last one for all devices, which have no effect.
func readRules(list []specs.LinuxDeviceCgroup) ([]rule, error) {
	var rules []rule
	for _, d := range list {
		r := rule{allow: d.Allow, kind: 'a', major: -1, minor: -1, access: "rwm"}
		if d.Type != "" {
			r.kind = d.Type[0]
		}
		if d.Major != nil {
			r.major = *d.Major
		}
		if d.Minor != nil {
			r.minor = *d.Minor
		}
		if d.Access != "" {
			r.access = d.Access
		}
		if len(d.Type) > 1 || !strings.ContainsRune("abc", rune(r.kind)) {
			return nil, fmt.Errorf("device rule: %q is not a kind of device: a, b or c", d.Type)
		}
		if strings.Trim(r.access, "rwm") != "" {
			return nil, fmt.Errorf("device rule: access %q is not made of r, w and m", d.Access)
		}
		if r.isForAll() {
			rules = rules[:0]
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// isForAll tells whether the rule judges every device and every access.
func (r rule) isForAll() bool {
	return r.kind == 'a' && r.major < 0 && r.minor < 0 &&
		strings.Contains(r.access, "r") && strings.Contains(r.access, "w") && strings.Contains(r.access, "m")
}

// line is the rule as the files of v1 want it: "c 1:3 rwm".
func (r rule) line() string {
	return fmt.Sprintf("%c %s:%s %s", r.kind, orStar(r.major), orStar(r.minor), r.access)
}

func orStar(n int64) string {
	if n < 0 {
		return "*"
	}
	return strconv.FormatInt(n, 10)
}

// deviceWrites are the rules as writes to a group of v1. A new group may do what its parent may.
func deviceWrites(dir string, list []specs.LinuxDeviceCgroup) ([]kernel.Step, error) {
	rules, err := readRules(list)
	var steps []kernel.Step
	for _, r := range rules {
		if r.kind == 'a' && !r.isForAll() {
			return nil, fmt.Errorf("device rule %q: cgroup v1 cannot express a part of all devices", r.line())
		}
		file, data := "devices.deny", r.line()
		if r.allow {
			file = "devices.allow"
		}
		if r.isForAll() {
			data = "a"
		}
		steps = append(steps, kernel.Step{
			Effect: kernel.WriteFile{Path: path.Join(dir, file), Data: data}, Section: "3.5", Why: r.why(),
		})
	}
	return steps, err
}

func (r rule) why() kernel.Why {
	known, ok := whyDevice[r.line()]
	switch {
	case r.isForAll() && r.allow:
		return kernel.Why{EN: "--privileged: every device", ZH: "--privileged：所有设备都可以用"}
	case r.isForAll():
		return kernel.Why{EN: "no device at all, but for those that follow", ZH: "先一律不许，再逐个放行"}
	case !r.allow:
		return kernel.Why{EN: "not this device", ZH: "不许用这个设备"}
	case ok:
		return known
	}
	return kernel.Why{EN: "--device", ZH: "--device 指定的设备"}
}
