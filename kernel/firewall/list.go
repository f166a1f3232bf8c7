package firewall

import (
	"fmt"
	"io"
	"strings"
)

// ListOptions are those of iptables -L.
type ListOptions struct {
	Verbose, Numbers, Exact bool // -v, --line-numbers, -x
}

// List prints a chain as iptables -L -n does.
func List(w io.Writer, l Listing, o ListOptions) {
	switch {
	case l.Policy == "":
		fmt.Fprintf(w, "Chain %s (%d references)\n", l.Name, l.References)
	case o.Verbose:
		fmt.Fprintf(w, "Chain %s (policy %s %s packets, %s bytes)\n", l.Name, l.Policy, o.count(l.Packets), o.count(l.Bytes))
	default:
		fmt.Fprintf(w, "Chain %s (policy %s)\n", l.Name, l.Policy)
	}
	o.head(w)
	for i, e := range l.Entries {
		o.entry(w, i+1, e)
	}
}

func (o ListOptions) head(w io.Writer) {
	if o.Numbers {
		fmt.Fprint(w, "num  ")
	}
	if o.Verbose {
		fmt.Fprintf(w, " pkts bytes target     prot opt in     out     source               destination         \n")
	} else {
		fmt.Fprintf(w, "target     prot opt source               destination         \n")
	}
}

func (o ListOptions) entry(w io.Writer, number int, e Entry) {
	if o.Numbers {
		fmt.Fprintf(w, "%-4d ", number)
	}
	if o.Verbose {
		fmt.Fprintf(w, "%5s %5s ", o.count(e.Packets), o.count(e.Bytes))
	}
	target, rest := e.Target, e.listed()
	if e.strangeJump != "" {
		words := strings.Fields(e.strangeJump)
		target = words[1]
		rest += " " + strings.Join(words[2:], " ")
	}
	protocol := e.Protocol
	if protocol == "" {
		protocol = "all"
	}
	fmt.Fprintf(w, "%-9s  %-4s --  ", target, protocol)
	if o.Verbose {
		fmt.Fprintf(w, "%-6s %-6s ", listedInterface(e.In), listedInterface(e.Out))
	}
	fmt.Fprintf(w, "%-20s %-20s %s\n", e.listedPrefix(e.From), e.listedPrefix(e.To), rest)
}

// count is a number in at most five characters, in thousands, millions …, or as it is (-x).
func (o ListOptions) count(n uint64) string {
	for _, unit := range []string{"", "K", "M", "G", "T"} {
		if n < 100000 || o.Exact {
			return fmt.Sprint(n) + unit
		}
		n = (n + 500) / 1000
	}
	return fmt.Sprint(n)
}

func listedInterface(i Interface) string {
	switch {
	case i.Name == "":
		return "*"
	case i.Not:
		return "!" + i.Name
	}
	return i.Name
}

func (e Entry) listedPrefix(p Prefix) string {
	sign := " "
	if p.Not {
		sign = "!"
	}
	switch {
	case !p.IsValid() && e.Family == IPv6:
		return " ::/0"
	case !p.IsValid():
		return " 0.0.0.0/0"
	case p.IsSingleIP():
		return sign + p.Addr().String()
	}
	return sign + p.Prefix.String()
}

// listed is what iptables -L says of a rule's extensions, one after the other.
func (e Entry) listed() string {
	w := &words{}
	if e.SourcePorts.some() || e.Ports.some() {
		w.add(e.Protocol)
		for _, side := range []struct {
			name  string
			ports Ports
		}{{"spt", e.SourcePorts}, {"dpt", e.Ports}} {
			if side.ports.some() {
				plural := ""
				if side.ports.last() != side.ports.First {
					plural = "s"
				}
				w.add(side.name + plural + ":" + side.ports.text(":"))
			}
		}
	}
	if e.FromType != AnyType || e.ToType != AnyType {
		w.add("ADDRTYPE match")
		for i, t := range []Type{e.FromType, e.ToType} {
			if t != AnyType {
				w.add([]string{"src-type", "dst-type"}[i], map[Type]string{Local: "LOCAL", NotLocal: "!LOCAL"}[t])
			}
		}
	}
	if e.State != 0 {
		w.add("ctstate", e.State.String())
	}
	if e.strange != "" {
		w.WriteString(e.strange)
	}
	if e.Comment != "" {
		w.add("/* " + e.Comment + " */")
	}
	switch {
	case e.Target == "DNAT" || e.Target == "SNAT":
		w.add("to:" + e.translation())
	case e.Target == "REDIRECT" && e.ToPorts.some():
		w.add("redir ports " + e.ToPorts.text("-"))
	case e.Target == "MASQUERADE" && e.ToPorts.some():
		w.add("masq ports: " + e.ToPorts.text("-"))
	}
	return strings.TrimPrefix(w.String(), " ")
}
