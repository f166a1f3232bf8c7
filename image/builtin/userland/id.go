package userland

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

func runID(p *Process) int {
	opts, names, err := p.options("ugGnr", map[string]string{"user": "u", "group": "g", "groups": "G", "name": "n", "real": "r"})
	if err != nil {
		return p.Fail("%v", err)
	}
	users, groups := accounts{file: "/etc/passwd"}, accounts{file: "/etc/group"}
	who, err := identities(names, &users)
	if err != nil {
		return p.Fail("%v", err)
	}
	uid, gid := who.euid, who.egid
	if opts.has('r') {
		uid, gid = who.uid, who.gid
	}
	show := func(names *accounts, id int) string {
		if opts.has('n') {
			return names.name(id)
		}
		return strconv.Itoa(id)
	}
	switch opts.last("ugG") {
	case 'u':
		fmt.Fprintln(p.Stdout, show(&users, uid))
	case 'g':
		fmt.Fprintln(p.Stdout, show(&groups, gid))
	case 'G':
		words := make([]string, len(who.groups))
		for i, id := range who.groups {
			words[i] = show(&groups, id)
		}
		fmt.Fprintln(p.Stdout, strings.Join(words, " "))
	default:
		fmt.Fprintln(p.Stdout, who.describe(&users, &groups))
	}
	return 0
}

type identity struct {
	uid, euid, gid, egid int
	groups               []int // the first group comes first
}

// identities is what the kernel says of this process, or /etc of a user that is named.
func identities(names []string, users *accounts) (identity, error) {
	if len(names) > 0 {
		uid, ok := users.id(names[0])
		a := lookUpAccount(uid)
		if !ok || a.name != names[0] && strconv.Itoa(uid) != names[0] {
			return identity{}, fmt.Errorf("'%s': no such user", names[0])
		}
		who := identity{uid: uid, euid: uid, gid: a.gid, egid: a.gid}
		who.setGroups(groupsOf(a.name))
		return who, nil
	}
	who := identity{uid: os.Getuid(), euid: os.Geteuid(), gid: os.Getgid(), egid: os.Getegid()}
	groups, err := os.Getgroups()
	who.setGroups(groups)
	return who, err
}

func (who *identity) setGroups(ids []int) {
	who.groups = []int{who.egid}
	for _, id := range ids {
		if !slices.Contains(who.groups, id) {
			who.groups = append(who.groups, id)
		}
	}
}

func (who identity) describe(users, groups *accounts) string {
	text := fmt.Sprintf("uid=%s gid=%s", numbered(users, who.uid), numbered(groups, who.gid))
	if who.euid != who.uid {
		text += " euid=" + numbered(users, who.euid)
	}
	if who.egid != who.gid {
		text += " egid=" + numbered(groups, who.egid)
	}
	words := make([]string, len(who.groups))
	for i, id := range who.groups {
		words[i] = numbered(groups, id)
	}
	return text + " groups=" + strings.Join(words, ",")
}

// numbered is 0(root), or 1234 where the number has no name.
func numbered(names *accounts, id int) string {
	number := strconv.Itoa(id)
	if name := names.name(id); name != number {
		return number + "(" + name + ")"
	}
	return number
}

func runWhoami(p *Process) int {
	users := accounts{file: "/etc/passwd"}
	uid := os.Geteuid()
	name := users.name(uid)
	if name == strconv.Itoa(uid) {
		return p.Fail("cannot find name for user ID %d", uid)
	}
	fmt.Fprintln(p.Stdout, name)
	return 0
}

func runLogname(p *Process) int {
	// There is no login in a container; the process's real user is as near as it gets.
	fmt.Fprintln(p.Stdout, lookUpAccount(os.Getuid()).name)
	return 0
}

func runGroups(p *Process) int {
	users, groups := accounts{file: "/etc/passwd"}, accounts{file: "/etc/group"}
	who, err := identities(p.Args[1:], &users)
	if err != nil {
		return p.Fail("%v", err)
	}
	words := make([]string, len(who.groups))
	for i, id := range who.groups {
		words[i] = groups.name(id)
	}
	text := strings.Join(words, " ")
	if len(p.Args) > 1 {
		text = p.Args[1] + " : " + text
	}
	fmt.Fprintln(p.Stdout, text)
	return 0
}
