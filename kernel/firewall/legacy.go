package firewall

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Beside nf_tables the kernel may have the tables of older days, which the program iptables-legacy fills. It asks both for each packet, and one
// that either of them drops is lost. They are read here, not written: with getsockopt(2) of a raw socket, as that program does it
// (linux/netfilter_ipv4/ip_tables.h).

// LegacyTable is one of them that says something.
type LegacyTable struct {
	Program string // iptables-legacy or ip6tables-legacy
	Family  Family
	Name    string // filter, nat …
	Rules   int    // beside those that every table has
	Drops   bool   // it is filter, and its policy for FORWARD is DROP
}

func (t LegacyTable) String() string {
	policy := ""
	if t.Drops {
		policy = ", FORWARD: DROP"
	}
	return fmt.Sprintf("%s (%s: %d%s)", t.Name, t.Program, t.Rules, policy)
}

// legacy is what differs between the families.
type legacy struct {
	program       string
	of            Family
	names         string // the file that lists tables which somebody has used since the boot
	family, level int
	entry         int // the size of a rule's head: struct ipt_entry, ip6t_entry
}

var legacies = []legacy{
	{"iptables-legacy", IPv4, "/proc/thread-self/net/ip_tables_names", unix.AF_INET, unix.IPPROTO_IP, 112},
	{"ip6tables-legacy", IPv6, "/proc/thread-self/net/ip6_tables_names", unix.AF_INET6, unix.IPPROTO_IPV6, 168},
}

const (
	legacyInfo    = 64 // IPT_SO_GET_INFO and IP6T_SO_GET_INFO
	legacyEntries = 65 // …_GET_ENTRIES
)

// legacyTable is struct ipt_getinfo.
type legacyTable struct {
	Name       [32]byte
	ValidHooks uint32
	HookEntry  [5]uint32
	Underflow  [5]uint32 // where each hook's policy is
	NumEntries uint32
	Size       uint32
}

// LegacyTables are those of the network namespace that the calling thread is in that have rules, or a policy that drops. One that nobody has used is
// not asked about: that alone would make it.
func LegacyTables() (list []LegacyTable, err error) {
	for _, l := range legacies {
		names, readErr := os.ReadFile(l.names)
		if errors.Is(readErr, fs.ErrNotExist) {
			continue
		}
		if readErr != nil {
			err = errors.Join(err, readErr)
			continue
		}
		for _, name := range slices.Sorted(slices.Values(strings.Fields(string(names)))) {
			table, askErr := l.ask(name)
			if askErr != nil {
				err = errors.Join(err, askErr)
			} else if table.Rules > 0 || table.Drops {
				list = append(list, table)
			}
		}
	}
	return list, err
}

func (l legacy) ask(name string) (LegacyTable, error) {
	table := LegacyTable{Program: l.program, Family: l.of, Name: name}
	socket, err := unix.Socket(l.family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return table, err
	}
	defer unix.Close(socket)
	var info legacyTable
	copy(info.Name[:], name)
	if err := getOption(socket, l.level, legacyInfo, unsafe.Pointer(&info), unsafe.Sizeof(info)); err != nil {
		return table, err
	}
	table.Rules = int(info.NumEntries) - bits.OnesCount32(info.ValidHooks) - 1 // a policy for each hook, and the end
	if name != "filter" {
		return table, nil
	}
	const head = 40 // the name, the size, and up to a multiple of eight
	entries := make([]byte, head+info.Size)
	copy(entries, name)
	binary.NativeEndian.PutUint32(entries[32:], info.Size)
	if err := getOption(socket, l.level, legacyEntries, unsafe.Pointer(&entries[0]), uintptr(len(entries))); err != nil {
		return table, err
	}
	const targetHead = 32 // struct xt_entry_target, which the verdict is behind: -1 - NF_DROP, -1 - NF_ACCEPT
	if at := head + int(info.Underflow[unix.NF_INET_FORWARD]) + l.entry + targetHead; at+4 <= len(entries) {
		table.Drops = int32(binary.NativeEndian.Uint32(entries[at:])) == -1
	}
	return table, nil
}

func getOption(socket, level, option int, value unsafe.Pointer, size uintptr) error {
	length := uint32(size)
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(socket), uintptr(level), uintptr(option), uintptr(value), uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
