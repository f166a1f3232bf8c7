package userland

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// ipCall is one call of ip, with the flags that stand before the object.
type ipCall struct {
	*Process
	out     *bufio.Writer
	family  int
	brief   bool // -br
	oneline bool // -o: everything about an object on one line, for scripts
	stats   bool // -s
	details bool // -d
	links   []*netLink
}

// runIP shows and changes links, addresses and routes in iproute2's words: ip addr, ip link set eth0 up, ip route add …
func runIP(p *Process) int {
	c := &ipCall{Process: p, out: bufio.NewWriter(p.Stdout)}
	defer c.out.Flush()
	nl.EnableErrorMessageReporting = true // let the kernel say in a sentence what it does not like
	words, err := c.takeFlags(p.Args[1:])
	if err != nil {
		return c.ipFail(err)
	}
	if len(words) == 0 {
		fmt.Fprintln(p.Stderr, "Usage: ip [-4|-6] [-br] [-o] [-s] { address | link | route | neigh } [COMMAND …]")
		return 255
	}
	object := words[0]
	for _, o := range []struct {
		name string
		run  func(words []string) error
	}{{"address", c.address}, {"link", c.link}, {"route", c.route}, {"neighbour", c.neighbour}, {"neighbor", c.neighbour}} {
		if strings.HasPrefix(o.name, object) {
			if err := o.run(words[1:]); err != nil {
				return c.ipFail(err)
			}
			return 0
		}
	}
	return c.ipFail(said("Object %q is unknown, try \"ip help\".", object))
}

// takeFlags reads what stands before the object. iproute2 writes its flags with one dash or two.
func (c *ipCall) takeFlags(words []string) ([]string, error) {
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		switch flag := strings.TrimLeft(words[0], "-"); {
		case flag == "4":
			c.family = unix.AF_INET
		case flag == "6":
			c.family = unix.AF_INET6
		case flag == "o" || flag == "oneline":
			c.oneline = true
		case strings.HasPrefix("brief", flag) && len(flag) > 1:
			c.brief = true
		case strings.HasPrefix("statistics", flag) || flag == "stats":
			c.stats = true
		case strings.HasPrefix("details", flag):
			c.details = true
		case flag == "n" || flag == "N" || strings.HasPrefix(flag, "c"): // numeric, colour: nothing to do
		case flag == "V":
			return nil, said("ip utility of the sandbox base image")
		default:
			return nil, said("Option %q is unknown, try \"ip -help\".", words[0])
		}
		words = words[1:]
	}
	return words, nil
}

// ipFail prints an error as iproute2 does, without the command's name. Its exit code for what the kernel refused is 2.
func (c *ipCall) ipFail(err error) int {
	c.out.Flush()
	fmt.Fprintln(c.Stderr, err)
	if errors.As(err, new(refusal)) {
		return 2
	}
	return 1
}

// refusal is a change that the kernel did not make.
type refusal string

func (r refusal) Error() string { return string(r) }

// refused puts the kernel's error into iproute2's words: the errno, or the sentence that newer kernels send along.
func refused(err error) error {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err
	}
	if sentence, ok := strings.CutPrefix(err.Error(), errno.Error()+": "); ok {
		return refusal("Error: " + strings.TrimSuffix(sentence, ".") + ".")
	}
	return refusal("RTNETLINK answers: " + causeText(errno))
}

// verb finds the command word among those of an object; it may be cut short, as in `ip a s`.
func verb(words []string, known ...string) (string, []string, error) {
	if len(words) == 0 {
		return known[0], nil, nil
	}
	for _, k := range known {
		if strings.HasPrefix(k, words[0]) {
			return k, words[1:], nil
		}
	}
	return "", nil, said("Command %q is unknown, try \"ip help\".", words[0])
}

// arguments goes through keyword arguments: `dev eth0 scope link`.
type arguments struct {
	words []string
}

func (a *arguments) more() bool { return len(a.words) > 0 }

func (a *arguments) next() string {
	if len(a.words) == 0 {
		return ""
	}
	word := a.words[0]
	a.words = a.words[1:]
	return word
}

// value is the word after a keyword.
func (a *arguments) value() (string, error) {
	if len(a.words) == 0 {
		return "", said("Command line is not complete. Try option \"help\"")
	}
	return a.next(), nil
}

// number is the number after a keyword.
func (a *arguments) number(keyword string) (int, error) {
	text, err := a.value()
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, said("Error: argument %q is wrong: Invalid %q value", text, keyword)
	}
	return n, nil
}

func garbage(word string) error {
	return said("Error: either \"dev\" is duplicate, or %q is a garbage.", word)
}

// device finds an interface for a change.
func device(name string) (netlink.Link, error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return nil, said("Cannot find device %q", name)
	}
	return link, nil
}

// parseHost reads an address with or without a prefix length; without one it means this host alone.
func parseHost(text string) (netip.Prefix, error) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix, nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, said("Error: any valid prefix is expected rather than %q.", text)
	}
	return netip.PrefixFrom(address, address.BitLen()), nil
}

func parseAddress(text string) (netip.Addr, error) {
	address, err := netip.ParseAddr(text)
	if err != nil {
		return address, said("Error: inet address is expected rather than %q.", text)
	}
	return address, nil
}

// namespaceOf opens the network namespace that is named by a process or, as `ip netns` has them, by a file.
func namespaceOf(name string) (*os.File, error) {
	path := "/run/netns/" + name
	if _, err := strconv.Atoi(name); err == nil {
		path = "/proc/" + name + "/ns/net"
	} else if strings.Contains(name, "/") {
		path = name
	}
	file, err := os.Open(path)
	switch {
	case err != nil && strings.HasPrefix(path, "/proc/"):
		return nil, refusal("RTNETLINK answers: No such process")
	case err != nil:
		return nil, said("Error: argument %q is wrong: Invalid \"netns\" value", name)
	}
	return file, nil
}
