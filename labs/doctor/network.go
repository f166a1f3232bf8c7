package doctor

import (
	"strings"
)

// Netfilter is what the kernel answered to questions about its firewall.
type Netfilter struct {
	Tables bool // nf_tables
	Compat bool // and rules in the form of the iptables program (NFT_COMPAT)
}

// netfilter: bridges need rules for addresses and ports. The kernel is asked where it answers (root of the network
// namespace); else its lists are believed.
func netfilter(m Machine) []Finding {
	f := Finding{Name: "nf_tables", Section: "3.6", State: OK,
		Detail: text("there, with NFT_COMPAT: iptables-save shows our rules", "有，带 NFT_COMPAT:iptables-save 能看到我们的规则")}
	answer, asked := Netfilter{}, false
	if m.Netfilter != nil {
		var err error
		answer, err = m.Netfilter()
		asked = err == nil
	}
	if !asked {
		tables, compat := m.has("CONFIG_NF_TABLES", "nf_tables"), m.has("CONFIG_NFT_COMPAT", "nft_compat")
		if tables == unknown {
			f.State = Limited
			f.Detail = text("not known: the kernel answers only root, and its module list is not there", "不清楚：内核只回答 root，也没有模块列表可查")
			f.Cure = text("run sandbox doctor as root", "用 root 运行 sandbox doctor")
			return one(f)
		}
		answer = Netfilter{Tables: tables == present, Compat: compat != absent}
	}
	switch {
	case !answer.Tables:
		f.State, f.Detail = Missing, text("this kernel has no nf_tables: containers get no network but none and host", "内核没有 nf_tables：只能用 none 和 host 网络")
		f.Cure = same("modprobe nf_tables")
	case !answer.Compat:
		f.State, f.Detail = Limited, text("there, without NFT_COMPAT: rules work, iptables-save does not show them all", "有，但没有 NFT_COMPAT：规则有效，iptables-save 显示不全")
		f.Cure = same("modprobe nft_compat")
	}
	return one(f)
}

// legacyTables: rules of iptables-legacy are asked as well as ours, and what they drop is lost.
func legacyTables(m Machine) []Finding {
	if m.Legacy == nil {
		return nil
	}
	tables, err := m.Legacy()
	if err != nil || len(tables) == 0 { // the kernel tells only the machine's root
		return nil
	}
	f := Finding{Name: "iptables-legacy", Section: "3.6", State: Limited}
	var names []string
	for _, t := range tables {
		names = append(names, t.String())
	}
	list := strings.Join(names, ", ")
	f.Detail = text("tables of the older kind have rules, too: "+list+"; a packet that they drop is lost, whatever our rules say, and network path does not follow them",
		"旧式的表里也有规则："+list+"；被它们丢弃的包，我们的规则放行也没用，network path 也不会去查")
	f.Cure = text("iptables-legacy -I FORWARD -i sandbox0 -j ACCEPT, and the same with -o; or move them to nf_tables: iptables-legacy-save | iptables-nft-restore",
		"iptables-legacy -I FORWARD -i sandbox0 -j ACCEPT，-o 再来一条；或者把它们搬到 nf_tables：iptables-legacy-save | iptables-nft-restore")
	return one(f)
}

// userland: an ordinary user makes no interfaces on the machine. A program carries the packets of a container of hers.
func userland(m Machine) []Finding {
	if m.UID == 0 {
		return nil
	}
	f := Finding{Name: "pasta or slirp4netns", Section: "3.6", State: Limited}
	found := ""
	for _, program := range []string{"slirp4netns", "pasta"} {
		if _, err := m.LookPath(program); err == nil {
			found = program
		}
	}
	switch {
	case found == "":
		f.Detail = text("neither is installed: a container of yours has no network, or the host's", "都没有安装：你的容器没有网络，或者只能用 host 的网络")
		f.Cure = text("install the package passt (pasta), or slirp4netns", "安装 passt（pasta）或 slirp4netns 软件包")
	case !m.writable("/dev/net/tun"):
		f.Detail = text("/dev/net/tun is closed to you, so that "+found+" has nothing to make an interface with", "你打不开 /dev/net/tun，"+found+" 没法建网卡")
		f.Cure = same("sudo chmod 666 /dev/net/tun")
	default:
		f.State, f.Detail = OK, text(found+" carries the packets of a container of yours", "你的容器由 "+found+" 搬运数据包")
	}
	return one(f)
}

// links: a bridge for each network, a veth pair for each container.
func links(m Machine) []Finding {
	f := Finding{Name: "bridge and veth", Section: "3.6", State: OK, Detail: text("can be made", "可以创建")}
	if m.Link != nil {
		if err := m.Link(); err != nil {
			f.State, f.Detail, f.Cure = Missing, same(lastPart(err)), same("modprobe bridge veth")
		}
		return one(f)
	}
	f.Detail = text("the kernel has both", "内核都有")
	bridge, veth := m.has("CONFIG_BRIDGE", "bridge"), m.has("CONFIG_VETH", "veth")
	switch {
	case bridge == absent || veth == absent:
		f.State, f.Detail = Missing, text("this kernel lacks one of them", "内核至少缺一个")
		f.Cure = text("boot a kernel with CONFIG_BRIDGE and CONFIG_VETH", "换用带 CONFIG_BRIDGE 和 CONFIG_VETH 的内核")
	case bridge == unknown || veth == unknown:
		f.State, f.Detail = Limited, text("not known: the kernel's module list is not there", "不清楚：没有内核模块列表可查")
		f.Cure = same("modprobe -a bridge veth")
	}
	return one(f)
}

// forwarding: without it, packets of a bridge go nowhere. `network create` and the first `run` switch it on where
// they may; a network namespace of one's own has its own switch.
func forwarding(m Machine) []Finding {
	f := Finding{Name: "ip_forward", Section: "3.6", State: OK, Detail: text("is on", "已打开")}
	if m.read("/proc/sys/net/ipv4/ip_forward") == "1" {
		return one(f)
	}
	f.Detail = text("is off; the first bridge switches it on", "未打开；建第一个网桥时会打开")
	if m.UID != 0 {
		f.Detail = text("is off here; a network namespace of your own has its own switch", "这里未打开；你自己的 network namespace 有自己的开关")
	}
	return one(f)
}
