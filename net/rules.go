package network

import (
	"net/netip"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
)

// The chains, and how a packet goes through them:
//
//	raw     PREROUTING  ─► SANDBOX-DIRECT      not straight to a container's address, and not to 127.0.0.1 from a container
//	nat     PREROUTING  ─► SANDBOX-PORTS       published ports: the destination becomes a container's
//	        OUTPUT      ─► SANDBOX-PORTS       … for packets of the host itself, not to ::1
//	filter  FORWARD     ─► SANDBOX-FORWARD     what passes from one interface to another
//	                         ├► SANDBOX-INTERNAL    internal networks: nothing in, nothing out
//	                         ├► SANDBOX-ACCEPT      into a network: answers, and what came by a published port
//	                         ├► SANDBOX-ISOLATION   into a network: nothing else
//	                         └► SANDBOX-OUT         out of a network: everything
//	nat     POSTROUTING ─► SANDBOX-MASQUERADE  packets of containers leave the host with its address
//
// A network has one rule or two in each, whatever the number of networks: that no network's packets reach another one follows from
// nothing but answers and published ports being let into any. In none of the chains does the order of the rules matter, so that
// what is missing can always be put to the end. Only in SANDBOX-FORWARD it does; that chain is written as a whole.
//
// A published port is one rule, in SANDBOX-PORTS. SANDBOX-ACCEPT lets in whatever connection had its destination replaced
// (--ctstate DNAT). So a port that is not published is not reachable from outside, even for who knows the container's address.
const (
	chainDirect     = "SANDBOX-DIRECT"
	chainPorts      = "SANDBOX-PORTS"
	chainForward    = "SANDBOX-FORWARD"
	chainInternal   = "SANDBOX-INTERNAL"
	chainAccept     = "SANDBOX-ACCEPT"
	chainIsolation  = "SANDBOX-ISOLATION"
	chainOut        = "SANDBOX-OUT"
	chainMasquerade = "SANDBOX-MASQUERADE"
)

// tag begins the comment of each rule of ours. By itself it is the comment of those that all networks share.
const tag = "sandbox"

// owner of a network's rules, or of a container's in it, as their comment says it.
func (n *Network) owner() string { return tag + ":" + n.Short() }

func (n *Network) ownerOf(e Endpoint) string { return n.owner() + ":" + short(e.Container) }

func short(id string) string { return id[:min(12, len(id))] }

// planner collects steps for one family.
type planner struct {
	family firewall.Family
	steps  []kernel.Step
}

func (p *planner) chain(table, name string) firewall.Chain {
	return firewall.Chain{Family: p.family, Table: table, Name: name}
}

func (p *planner) do(verb firewall.Verb, r firewall.Rule, en, zh string) {
	p.steps = append(p.steps, kernel.Step{
		Effect: kernel.Rule{Change: firewall.Change{Verb: verb, Rule: r}}, Section: section, Why: kernel.Why{EN: en, ZH: zh},
	})
}

func (p *planner) newChain(table, name, en, zh string) {
	p.do(firewall.NewChain, firewall.Rule{Chain: p.chain(table, name)}, en, zh)
}

// add a rule to a chain of ours.
func (p *planner) add(table, name string, r firewall.Rule, en, zh string) {
	r.Chain = p.chain(table, name)
	p.do(firewall.Append, r, en, zh)
}

// jump from a chain of the kernel's to one of ours: from FORWARD before all other rules, which may belong to somebody who drops
// what they do not know.
func (p *planner) jump(table, from string, r firewall.Rule, en, zh string) {
	r.Chain, r.Comment = p.chain(table, from), tag
	verb := firewall.Append
	if from == "FORWARD" {
		verb = firewall.Insert
	}
	p.do(verb, r, en, zh)
}

// base is what all networks share: chains, and the jumps to them.
func (p *planner) base() {
	p.newChain("filter", chainForward, "a chain of our own for what passes between interfaces: others' rules stay as they are", "给“从一个网卡转到另一个网卡”的包建自己的链：别人的规则原样不动")
	p.newChain("filter", chainInternal, "internal networks: nothing in, nothing out", "内部网络：不进也不出")
	p.newChain("filter", chainAccept, "what may come into a network", "什么可以进入网络")
	p.newChain("filter", chainIsolation, "everything else may not", "其余的一律不准进")
	p.newChain("filter", chainOut, "what may leave a network", "什么可以离开网络")
	for _, to := range []string{chainInternal, chainAccept, chainIsolation, chainOut} {
		r := firewall.Rule{Comment: tag, Target: to}
		p.add("filter", chainForward, r, forwardWhy[to].EN, forwardWhy[to].ZH)
	}
	p.jump("filter", "FORWARD", firewall.Rule{Target: chainForward}, "first of all, so that another program's rules cannot drop containers' packets before", "放在最前面，免得别的程序的规则先把容器的包丢掉")

	p.newChain("nat", chainPorts, "published ports", "已发布的端口")
	p.newChain("nat", chainMasquerade, "whose source address is replaced", "哪些包要换掉源地址")
	loopback := firewall.Prefix{Prefix: loopbackOf(p.family), Not: true}
	p.jump("nat", "PREROUTING", firewall.Rule{To: loopback, ToType: firewall.Local, Target: chainPorts}, "who asks one of this machine's addresses may mean a published port; 127.0.0.1 from outside is a forgery", "发往本机地址的包，可能是要找已发布的端口；从外面来却写着 127.0.0.1 的是伪造的")
	if p.family == firewall.IPv6 { // which has no route_localnet: a packet from ::1 leaves by no bridge, whatever its destination becomes
		p.jump("nat", "OUTPUT", firewall.Rule{To: loopback, ToType: firewall.Local, Target: chainPorts}, "… and so may programs on this machine; by ::1 the container's monitor carries it", "本机上的程序也一样；用 ::1 的由容器的监视进程转交")
	} else {
		p.jump("nat", "OUTPUT", firewall.Rule{ToType: firewall.Local, Target: chainPorts}, "… and so may programs on this machine, by 127.0.0.1 too", "本机上的程序也一样，用 127.0.0.1 也行")
	}
	p.jump("nat", "POSTROUTING", firewall.Rule{Target: chainMasquerade}, "the last place before a packet leaves", "包离开之前的最后一站")

	p.newChain("raw", chainDirect, "before anything else is looked at", "在一切检查之前")
	p.jump("raw", "PREROUTING", firewall.Rule{Target: chainDirect}, "containers' addresses are for this machine only", "容器的地址只供本机使用")
}

// forwardWhy: what SANDBOX-FORWARD asks, in this order.
var forwardWhy = map[string]kernel.Why{
	chainInternal:  {EN: "first: an internal network has no outside", ZH: "第一步：内部网络没有“外面”"},
	chainAccept:    {EN: "second: answers, and what came by a published port, may come in", ZH: "第二步：回应的包、经已发布端口来的包，可以进"},
	chainIsolation: {EN: "third: nothing else comes into a network, from another one or from outside", ZH: "第三步：其余的都不能进，不管来自别的网络还是外面"},
	chainOut:       {EN: "fourth: what is left is on its way out", ZH: "第四步：剩下的都是往外走的"},
}

func loopbackOf(f firewall.Family) netip.Prefix {
	if f == firewall.IPv6 {
		return netip.MustParsePrefix("::1/128")
	}
	return netip.MustParsePrefix("127.0.0.0/8")
}

// families that the network has a subnet of.
func (n *Network) families() []firewall.Family {
	var list []firewall.Family
	if _, v4 := n.pool(false); v4 {
		list = append(list, firewall.IPv4)
	}
	if _, v6 := n.pool(true); v6 {
		list = append(list, firewall.IPv6)
	}
	return list
}

// RulesUp is what the kernel has to have for the network: forwarding, chains and rules. The bridge has to be there already. All of it
// is in the list whether the kernel has it or not: Missing leaves out what is there.
func (n *Network) RulesUp() []kernel.Step {
	steps := n.forwarding()
	for _, family := range n.families() {
		p := &planner{family: family}
		p.base()
		n.own(p)
		steps = append(steps, p.steps...)
	}
	return steps
}

// undo turns rules that are added into their removal. What is gone already need not go.
func undo(steps []kernel.Step, why kernel.Why) []kernel.Step {
	for i, s := range steps {
		r := s.Effect.(kernel.Rule)
		r.Verb = firewall.Delete
		steps[i] = kernel.Step{Effect: r, Section: section, Why: why, Optional: true}
	}
	return steps
}

// forwarding lets the kernel pass packets from one interface to another, and to 127.0.0.1's published ports.
func (n *Network) forwarding() []kernel.Step {
	var steps []kernel.Step
	for _, family := range n.families() {
		if family == firewall.IPv6 {
			steps = append(steps, kernel.Because(kernel.WriteFile{Path: "/proc/sys/net/ipv6/conf/all/forwarding", Data: "1"},
				"the kernel passes packets on between interfaces: the machine becomes a router", "让内核在网卡之间转发包：这台机器成为路由器"))
			continue
		}
		steps = append(steps,
			kernel.Because(kernel.WriteFile{Path: "/proc/sys/net/ipv4/ip_forward", Data: "1"},
				"the kernel passes packets on between interfaces: the machine becomes a router", "让内核在网卡之间转发包：这台机器成为路由器"),
			kernel.Because(kernel.WriteFile{Path: "/proc/sys/net/ipv4/conf/" + n.Bridge() + "/route_localnet", Data: "1"},
				"a packet from 127.0.0.1 may leave by the bridge, so that published ports are reached by that address too", "允许源地址是 127.0.0.1 的包从网桥出去，这样用它也能访问已发布的端口"))
	}
	return kernel.In(section, steps...)
}

// own rules of the network, of one family.
func (n *Network) own(p *planner) {
	pool, _ := n.pool(p.family == firewall.IPv6)
	subnet := firewall.Prefix{Prefix: pool.Subnet.Masked()}
	bridge, others := firewall.Interface{Name: n.Bridge()}, firewall.Interface{Name: n.Bridge(), Not: true}
	add := func(table, chain string, r firewall.Rule, en, zh string) {
		r.Comment = n.owner()
		p.add(table, chain, r, en, zh)
	}

	if n.Internal {
		add("filter", chainInternal, firewall.Rule{In: bridge, Out: others, Target: "DROP"}, "an internal network: nothing leaves it", "内部网络：什么也出不去")
		add("filter", chainInternal, firewall.Rule{In: others, Out: bridge, Target: "DROP"}, "… and nothing comes in", "什么也进不来")
	} else {
		add("filter", chainAccept, firewall.Rule{Out: bridge, State: firewall.Related | firewall.Established, Target: "ACCEPT"},
			"into the network: answers to what its containers asked", "可以进这个网络的：对容器所发请求的回应")
		add("filter", chainAccept, firewall.Rule{Out: bridge, State: firewall.DestNAT, Target: "ACCEPT"},
			"… and what came by a published port", "还有经已发布端口来的包")
		add("filter", chainIsolation, firewall.Rule{In: others, Out: bridge, Target: "DROP"}, "from another network, or from outside: no", "来自别的网络或外面的：不准进")
	}
	if !n.ICC() {
		add("filter", chainIsolation, firewall.Rule{In: bridge, Out: bridge, Target: "DROP"}, "its containers do not reach each other (enable_icc=false)", "它的容器之间互不相通（enable_icc=false）")
	}
	add("filter", chainOut, firewall.Rule{In: bridge, Target: "ACCEPT"}, "its containers may speak to whoever is left", "剩下的去处，它的容器都可以访问")

	if n.Masquerade() {
		add("nat", chainMasquerade, firewall.Rule{From: subnet, Out: others, Target: "MASQUERADE"}, "packets of its containers leave with this machine's address: nobody outside knows theirs", "容器的包离开本机时换上本机的地址：外面没人认识容器的地址")
		add("raw", chainDirect, firewall.Rule{To: subnet, In: others, ToType: firewall.NotLocal, Target: "DROP"}, "whoever sends to a container's address from elsewhere has guessed it", "从别处直接发往容器地址的包，都是猜来的")
	}
	if !n.Internal {
		add("nat", chainMasquerade, firewall.Rule{From: subnet, Out: bridge, State: firewall.DestNAT, Target: "MASQUERADE"},
			"a container that asks a published port of its own network has to get the answer by way of this machine, too", "容器访问同一网络里已发布的端口时，回应也要绕经本机")
	}
	if p.family == firewall.IPv4 {
		add("nat", chainMasquerade, firewall.Rule{From: firewall.Prefix{Prefix: loopbackOf(p.family)}, Out: bridge, Target: "MASQUERADE"},
			"127.0.0.1 means something else inside: the container sees the bridge's address", "127.0.0.1 在容器里是它自己：让容器看到网桥的地址")
		add("raw", chainDirect, firewall.Rule{To: firewall.Prefix{Prefix: loopbackOf(p.family)}, In: bridge, Target: "DROP"},
			"no container reaches what listens on this machine's 127.0.0.1", "容器碰不到只在本机 127.0.0.1 上监听的程序")
	}
}

// Publish is the rules of an endpoint's published ports.
func (n *Network) Publish(e Endpoint) []kernel.Step {
	if n.Internal {
		return nil
	}
	p := &planner{}
	for _, port := range e.Ports {
		for _, p.family = range familiesOf(port.HostIP) {
			to := e.IPv4.Addr()
			if p.family == firewall.IPv6 {
				to = e.IPv6.Addr()
			}
			if !to.IsValid() || port.HostIP == netip.IPv6Loopback() {
				continue // the container does not speak this version of IP, or none can go there from ::1: its monitor carries it
			}
			r := firewall.Rule{
				Protocol: port.Protocol, Ports: firewall.Port(port.HostPort), Comment: n.ownerOf(e),
				Target: "DNAT", ToAddress: to, ToPorts: firewall.Port(port.Port),
			}
			if port.HostIP.IsValid() && !port.HostIP.IsUnspecified() {
				r.To = firewall.Prefix{Prefix: netip.PrefixFrom(port.HostIP, port.HostIP.BitLen())}
			}
			p.add("nat", chainPorts, r, "-p: the destination becomes the container's", "-p：目的地换成容器的地址和端口")
		}
	}
	return p.steps
}

// familiesOf the host's addresses that a port is published on. 0.0.0.0 is all of them, of both families, as the host's socket has it.
func familiesOf(host netip.Addr) []firewall.Family {
	switch {
	case host.Is6():
		return []firewall.Family{firewall.IPv6}
	case host.IsValid() && !host.IsUnspecified():
		return []firewall.Family{firewall.IPv4}
	}
	return []firewall.Family{firewall.IPv4, firewall.IPv6}
}

// Unpublish takes the rules of an endpoint's published ports away.
func (n *Network) Unpublish(e Endpoint) []kernel.Step {
	return undo(n.Publish(e), kernel.Why{EN: "the container has ended: its published port goes", ZH: "容器结束了，它发布的端口也撤掉"})
}
