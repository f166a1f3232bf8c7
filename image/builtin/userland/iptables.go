package userland

import (
	"bufio"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel/firewall"
)

// runIptablesSave prints the firewall's rules, as iptables-save and ip6tables-save do.
func runIptablesSave(p *Process) int {
	opts, operands, err := p.options("ct:46", map[string]string{"counters": "c", "table": "t"})
	if err != nil || len(operands) > 0 {
		return p.Fail("usage: [-c] [-t TABLE]")
	}
	table := opts.value('t')
	if table != "" && !slices.Contains(firewall.TableNames, table) {
		return p.Fail("there is no table %s", table)
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	return p.firewallResult(firewall.Save(out, familyOf(p.Args[0]), table, opts.has('c')))
}

func familyOf(program string) firewall.Family {
	if strings.HasPrefix(filepath.Base(program), "ip6") {
		return firewall.IPv6
	}
	return firewall.IPv4
}

func (p *Process) firewallResult(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, unix.EPERM):
		return p.Fail("Permission denied (you must be root)")
	case errors.Is(err, unix.EPROTONOSUPPORT), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP):
		return p.Fail("this kernel has no nf_tables")
	}
	return p.Fail("%s", causeText(err))
}

// runIptables shows the firewall's rules: -L and -S of iptables and ip6tables. It changes none.
func runIptables(p *Process) int {
	opts, operands, err := p.options("t:LSnvx46w", map[string]string{
		"table": "t", "list": "L", "list-rules": "S", "numeric": "n", "verbose": "v", "exact": "x", "line-numbers": "0", "wait": "w",
	})
	if err != nil || len(operands) > 1 || opts.has('L') == opts.has('S') {
		return p.Fail("it only shows rules here: [-t TABLE] -S [CHAIN], or -L [CHAIN] [-n] [-v] [-x] [--line-numbers]")
	}
	table := opts.value('t')
	if table == "" {
		table = "filter"
	}
	if !slices.Contains(firewall.TableNames, table) {
		return p.Fail("there is no table %s", table)
	}
	list, _, err := firewall.Table(familyOf(p.Args[0]), table)
	if err != nil {
		return p.firewallResult(err)
	}
	if len(operands) == 1 {
		if list = slices.DeleteFunc(list, func(l firewall.Listing) bool { return l.Name != operands[0] }); len(list) == 0 {
			return p.Fail("No chain/target/match by that name.")
		}
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	if opts.has('S') {
		for _, head := range []bool{true, false} {
			for _, l := range list {
				firewall.SaveChain(out, l, head)
			}
		}
		return 0
	}
	for i, l := range list {
		if i > 0 {
			fmt.Fprintln(out)
		}
		firewall.List(out, l, firewall.ListOptions{Verbose: opts.has('v'), Numbers: opts.has('0'), Exact: opts.has('x')})
	}
	return 0
}
