package userland

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCapabilityText(t *testing.T) {
	const known = 1<<41 - 1
	docker := uint64(0xa80425fb)
	for _, c := range []struct {
		sets capabilitySets
		want string
	}{
		{capabilitySets{}, "="},
		{capabilitySets{permitted: known, effective: known}, "=ep"},
		{capabilitySets{permitted: known &^ (1 << 24), effective: known &^ (1 << 24)}, "=ep cap_sys_resource-ep"},
		{capabilitySets{permitted: 1 | 1<<5, effective: 1}, "cap_chown=ep cap_kill=p"},
	} {
		check(t, "capabilities", c.sets.text(known), c.want)
	}
	mustPrint(t, "0x00000000a80425fb="+capabilityNames(docker)+"\n", "capsh", "--decode=00000000a80425fb")
	check(t, "Docker's capabilities", capabilityNames(docker), "cap_chown,cap_dac_override,cap_fowner,cap_fsetid,cap_kill,cap_setgid,cap_setuid,cap_setpcap,"+
		"cap_net_bind_service,cap_net_raw,cap_sys_chroot,cap_mknod,cap_audit_write,cap_setfcap")
	check(t, "IAB", capabilitySets{bounding: known &^ 1, inheritable: 1 << 5, ambient: 1 << 6}.iab(known), "!cap_chown,%cap_kill,^cap_setgid")
}

func TestCPULists(t *testing.T) {
	set, err := parseCPUList("0,1,4-6,9")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "list", formatCPUList(set), "0,1,4-6,9")
	check(t, "mask", formatMask(set), "273")
	again, err := parseMask("0x273")
	if err != nil || *again != *set {
		t.Errorf("parseMask(0x273) = %v, %v", again, err)
	}
	for _, wrong := range []string{"", "x", "3-1", "99999"} {
		if _, err := parseCPUList(wrong); err == nil {
			t.Errorf("CPU list %q was accepted", wrong)
		}
	}
}

func TestSysctlNames(t *testing.T) {
	check(t, "dots", sysctlPath("net.ipv4.ip_forward"), "/proc/sys/net/ipv4/ip_forward")
	check(t, "a dot in an interface's name", sysctlPath("net.ipv4.conf.eth0/5.forwarding"), "/proc/sys/net/ipv4/conf/eth0.5/forwarding")
	check(t, "slashes", sysctlPath("net/ipv4/conf/eth0.5/forwarding"), "/proc/sys/net/ipv4/conf/eth0.5/forwarding")
	check(t, "and back", sysctlName("/proc/sys/net/ipv4/conf/eth0.5/forwarding"), "net.ipv4.conf.eth0/5.forwarding")
	mustRefuse(t, "sysctl: cannot stat /proc/sys/nonsense: No such file or directory\n", 1, "sysctl", "nonsense")
}

func TestSaneTerminal(t *testing.T) {
	raw := &unix.Termios{Cflag: unix.CS8 | unix.B38400}
	makeSane(raw)
	check(t, "what is unusual after sane", flagLines(raw, true), "")
	if _, err := changeTerminal(raw, &unix.Winsize{}, []string{"-echo"}); err != nil {
		t.Fatal(err)
	}
	check(t, "without echo", flagLines(raw, true), "-echo\n")
	check(t, "keys", strings.SplitN(characterLines(raw), "\n", 2)[0], "intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = <undef>;")
	if _, err := changeTerminal(raw, &unix.Winsize{}, []string{"nonsense"}); err == nil {
		t.Error("stty knows nonsense")
	}
}

func TestSizes(t *testing.T) {
	check(t, "disk", shortSize(256<<30)+" "+shortSize(0)+" "+shortSize(1536), "256G 0B 1.5K")
	for text, want := range map[string]uint64{"": 0, "10": 10, "4K": 4096, "1MiB": 1 << 20} {
		if got, err := parseBinarySize(text); err != nil || got != want {
			t.Errorf("parseBinarySize(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestSystemCommandsAreInTheTable(t *testing.T) {
	if !slices.IsSorted(Names()) {
		t.Error("the table is not sorted, so that Lookup misses commands")
	}
	for name := range strings.FieldsSeq(`arp brctl capsh chroot dmesg domainname findmnt free getpcaps hostname ifconfig ip ipcmk ipcrm ipcs kill killall
		lsblk lsmod lsns mount mountpoint nc netstat nsenter nslookup pgrep pidof ping ping6 pivot_root pkill ps pstree reset route setsid ss stty sysctl
		taskset top traceroute umount unshare uptime wget`) {
		if _, found := Lookup(name); !found {
			t.Errorf("no %s", name)
		}
	}
}
