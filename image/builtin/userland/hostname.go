package userland

import (
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// runHostname shows or sets the name of this UTS namespace.
func runHostname(p *Process) int {
	opts, words, err := p.options("sifdIF:", map[string]string{
		"short": "s", "ip-address": "i", "fqdn": "f", "long": "f", "domain": "d", "all-ip-addresses": "I", "file": "F",
	})
	if err != nil {
		return p.Fail("%v", err)
	}
	if opts.has('F') {
		text, err := os.ReadFile(opts.value('F'))
		if err != nil {
			return p.Fail("%s", causeText(err))
		}
		words = []string{strings.TrimSpace(string(text))}
	}
	if len(words) > 0 {
		if err := unix.Sethostname([]byte(words[0])); err != nil {
			return p.Fail("you must be root to change the host name: %s", causeText(err))
		}
		return 0
	}
	name, err := os.Hostname()
	if err != nil {
		return p.Fail("%s", causeText(err))
	}
	switch opts.last("sifdI") {
	case 's':
		name, _, _ = strings.Cut(name, ".")
	case 'f':
		name = fullHostname(name)
	case 'd':
		_, name, _ = strings.Cut(fullHostname(name), ".")
	case 'i':
		found, err := names().LookupHost(context.Background(), name)
		if err != nil {
			return p.Fail("Name or service not known")
		}
		name = strings.Join(found, " ")
	case 'I':
		name, err = ownAddresses()
		if err != nil {
			return p.Fail("%v", err)
		}
	}
	fmt.Fprintln(p.Stdout, name)
	return 0
}

// fullHostname is the first name on the line of /etc/hosts that has the host's name in it: there the domain is added.
func fullHostname(name string) string {
	text, _ := os.ReadFile("/etc/hosts")
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		for i, field := range fields {
			if i > 0 && field == name {
				return fields[1]
			}
		}
	}
	return name
}

// ownAddresses are the global addresses of all interfaces.
func ownAddresses() (string, error) {
	addresses, err := readAddresses(unix.AF_UNSPEC)
	var global []string
	for _, a := range addresses {
		if a.scope == unix.RT_SCOPE_UNIVERSE {
			global = append(global, a.local.String())
		}
	}
	return strings.Join(global, " ") + " ", err
}

// runDomainname shows or sets the NIS domain, which belongs to the UTS namespace, too.
func runDomainname(p *Process) int {
	if len(p.Args) > 1 {
		if err := unix.Setdomainname([]byte(p.Args[1])); err != nil {
			return p.Fail("you must be root to change the domain name: %s", causeText(err))
		}
		return 0
	}
	var names unix.Utsname
	if err := unix.Uname(&names); err != nil {
		return p.Fail("%s", causeText(err))
	}
	fmt.Fprintln(p.Stdout, unix.ByteSliceToString(names.Domainname[:]))
	return 0
}
