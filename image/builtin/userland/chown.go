package userland

import (
	"fmt"
	"os"
	"strings"
)

func runChown(p *Process) int { return p.changeOwner(false) }

func runChgrp(p *Process) int { return p.changeOwner(true) }

func (p *Process) changeOwner(onlyGroup bool) int {
	opts, operands, err := p.options("RhvcfHLP", map[string]string{"recursive": "R", "no-dereference": "h", "verbose": "v",
		"changes": "c", "silent": "f", "quiet": "f"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(operands) < 2 {
		return p.Fail("missing operand")
	}
	spec := operands[0]
	if onlyGroup {
		spec = ":" + spec
	}
	uid, gid, err := parseOwner(spec)
	if err != nil {
		return p.Fail("%v", err)
	}
	chown := os.Chown
	if opts.has('h') || opts.has('R') {
		chown = os.Lchown
	}
	code := 0
	for _, name := range operands[1:] {
		code |= p.eachFile(name, opts.has('R'), func(path string, _ os.FileInfo) error {
			if err := chown(path, uid, gid); err != nil {
				return fmt.Errorf("changing ownership of '%s': %s", path, causeText(err))
			}
			if opts.last("vc") != 0 {
				fmt.Fprintf(p.Stdout, "changed ownership of '%s' to %s\n", path, spec)
			}
			return nil
		})
	}
	return code
}

// parseOwner reads user, user:group, user: (the user's own group) and :group. An id that stays as it is is -1.
func parseOwner(spec string) (uid, gid int, err error) {
	users, groups := accounts{file: "/etc/passwd"}, accounts{file: "/etc/group"}
	user, group, hasGroup := strings.Cut(spec, ":")
	if !hasGroup {
		if before, after, ok := strings.Cut(spec, "."); ok {
			if _, known := users.id(spec); !known {
				user, group, hasGroup = before, after, true
			}
		}
	}
	uid, gid = -1, -1
	if user != "" {
		id, ok := users.id(user)
		if !ok {
			return 0, 0, fmt.Errorf("invalid user: '%s'", spec)
		}
		uid = id
		if hasGroup && group == "" {
			gid = lookUpAccount(id).gid
		}
	}
	if group != "" {
		id, ok := groups.id(group)
		if !ok {
			return 0, 0, fmt.Errorf("invalid group: '%s'", spec)
		}
		gid = id
	}
	return uid, gid, nil
}
