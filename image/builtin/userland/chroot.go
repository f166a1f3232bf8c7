package userland

import (
	"strings"
	"syscall"
)

// runChroot runs a program that takes another directory for the root: chroot /new sh.
func runChroot(p *Process) int {
	opts, words, err := p.options("+u:g:s", map[string]string{"userspec": "u", "skip-chdir": "s"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(words) == 0 {
		return p.Fail("usage: chroot [--userspec=USER:GROUP] ROOT [COMMAND…]")
	}
	if err := syscall.Chroot(words[0]); err != nil {
		p.Fail("cannot change root directory to '%s': %s", words[0], causeText(err))
		return 125
	}
	if !opts.has('s') {
		if err := syscall.Chdir("/"); err != nil { // else `..` would lead out
			p.Fail("cannot chdir to root directory: %s", causeText(err))
			return 125
		}
	}
	if opts.has('u') {
		if err := becomeUser(opts.value('u')); err != "" {
			p.Fail("%s", err)
			return 125
		}
	}
	return p.become(shellOr(words[1:]))
}

// becomeUser takes on the ids of "user", "user:group" or numbers. The group goes first: a user may not change it.
func becomeUser(spec string) (problem string) {
	user, group, hasGroup := strings.Cut(spec, ":")
	if hasGroup && group != "" {
		gid, ok := (&accounts{file: "/etc/group"}).id(group)
		if !ok {
			return "invalid group '" + group + "'"
		}
		if err := syscall.Setgroups(nil); err != nil {
			return "cannot drop supplementary groups: " + causeText(err)
		}
		if err := syscall.Setgid(gid); err != nil {
			return "cannot set group: " + causeText(err)
		}
	}
	if user == "" {
		return ""
	}
	uid, ok := (&accounts{file: "/etc/passwd"}).id(user)
	if !ok {
		return "invalid user '" + user + "'"
	}
	if err := syscall.Setuid(uid); err != nil {
		return "cannot set user: " + causeText(err)
	}
	return ""
}
