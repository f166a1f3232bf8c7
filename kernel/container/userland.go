package container

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	network "sandbox/net"
)

// An ordinary user cannot give a container a veth pair: one of its ends would be an interface of the machine's. But in the network
// namespace of a container, which is his, he may make a tap device: an interface whose packets a program reads and writes as
// bytes. pasta and slirp4netns are such programs. Each is a whole TCP/IP stack in a process: what the container sends they
// send on through sockets of their own, as any program of that user might. No root, no bridge, no rules.
//
// The program joins the container's user and network namespaces, which are there once its first process has been cloned, and the
// container's program shall find its network ready. So the two wait for each other, through a pair of sockets:
//
//	the container's birth                     its monitor
//	─────────────────────                     ───────────
//	writes a byte: I am there ──────────────► gets the sender's pid with it (SCM_CREDENTIALS, unix(7))
//	mounts, devices, …                        starts pasta PID, and waits until that says that it is ready
//	reads a byte              ◄────────────── writes one
//	writes another: fails if the monitor
//	  has given up, or was killed
//	execve
//
// A monitor that is just being started performs births before it can do anything else (package early). Such a birth waits until
// it can.

// Userland is a network that a program carries: which one, and what the container has there.
type Userland struct {
	Program string // pasta or slirp4netns: what HostConfig.NetworkMode says

	// While the container runs:
	Ports []network.Publish `json:",omitempty"`
	Pid   int               `json:",omitempty"` // of the program
	Born  uint64            `json:",omitempty"` // see State.Born
	Lost  string            `json:",omitempty"` // why nobody carries its packets any more
}

// Names of the programs, which are those of the network modes as well. Podman has the same.
const (
	pasta = "pasta"
	slirp = "slirp4netns"
)

// What a container has in a userland network: slirp4netns' own choice, and pasta is told the same.
var (
	userlandAddress = netip.MustParsePrefix("10.0.2.100/24")
	userlandGateway = netip.MustParseAddr("10.0.2.2")
	userlandDNS     = netip.MustParseAddr("10.0.2.3") // the program asks the host's name server
)

// planUserland decides how an ordinary user's container is connected. It leaves other networks than these to others.
func (e *Engine) planUserland(r *Record, asked []Attachment) (done bool, err error) {
	hc := &r.HostConfig
	if !e.Host.Rootless() {
		return false, nil
	}
	program, usual := hc.NetworkMode, false
	switch hc.NetworkMode {
	case "", "default", network.Default:
		program, err = usualUserland()
		if usual = hc.NetworkMode != network.Default; usual && err != nil && !hc.publishes() {
			hc.NetworkMode = "none"
			return false, nil
		}
	case pasta, slirp:
		err = checkUserland(program)
	default:
		for _, name := range []string{pasta, slirp} {
			if strings.HasPrefix(program, name+":") {
				return false, kernel.Advise(fmt.Errorf("options of %s cannot be given: %q", name, program), "--network %s, with -p and --dns", name)
			}
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	hc.NetworkMode, r.Userland = program, &Userland{Program: program}
	return true, checkUserlandWishes(program, asked, hc)
}

// checkUserlandWishes refuses what such a network cannot have.
func checkUserlandWishes(program string, asked []Attachment, hc *HostConfig) error {
	if len(asked) > 1 {
		return kernel.Advise(fmt.Errorf("conflicting options: network %s cannot be one of several", program), "leave the others out")
	}
	for _, a := range asked {
		if a.IPv4.IsValid() || a.IPv6.IsValid() || a.MAC != "" || len(a.Aliases) > 0 || len(a.Links) > 0 || len(a.Options) > 0 {
			return kernel.Advise(fmt.Errorf("invalid endpoint settings: in the network that %s carries a container is alone, and always %s", program, userlandAddress.Addr()),
				"leave --ip, --mac-address, --network-alias and --link out, or run it in a pocket host: sandbox lab host sandbox run …")
		}
	}
	for name := range hc.PortBindings {
		if strings.HasSuffix(name, "/sctp") {
			return kernel.Advise(fmt.Errorf("%s publishes no sctp ports: %s", program, name), "tcp or udp, or run it as root")
		}
	}
	return nil
}

// usualUserland is the program that is there; pasta is the faster one.
func usualUserland() (string, error) {
	err := checkUserland(pasta)
	if err == nil {
		return pasta, nil
	}
	if checkUserland(slirp) == nil {
		return slirp, nil
	}
	if _, missing := exec.LookPath(pasta); missing != nil {
		err = kernel.Advise(errors.New("an ordinary user's network needs the program pasta or slirp4netns, and neither is installed"),
			"apt install passt, or slirp4netns; or run it as root, in a pocket host (sandbox lab host sandbox run …), or with --network none or host")
	}
	return "", err
}

// checkUserland tells why a program cannot be used here.
func checkUserland(program string) error {
	if _, err := exec.LookPath(program); err != nil {
		return kernel.Advise(fmt.Errorf("--network %s needs the program %[1]s, which is not installed", program),
			"apt install %s, or --network none", map[string]string{pasta: "passt", slirp: slirp}[program])
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM):
		return kernel.Advise(errors.New("/dev/net/tun is closed to ordinary users: no tap device can be made"), "sudo chmod 666 /dev/net/tun   opens it, as most systems do")
	case err != nil:
		return kernel.Advise(fmt.Errorf("no tap device can be made: /dev/net/tun: %w", err), "sudo modprobe tun")
	}
	unix.Close(fd)
	if program == pasta && !hasDefaultRoute() {
		return kernel.Advise(errors.New("this machine has no default route, and pasta goes by that"), "--network slirp4netns does without, or --network none")
	}
	return nil
}

// hasDefaultRoute looks at the machine's routes.
func hasDefaultRoute() bool {
	routes, _ := os.ReadFile("/proc/net/route") // interface, destination, …, mask
	for line := range strings.Lines(string(routes)) {
		if f := strings.Fields(line); len(f) > 7 && f[1] == "00000000" && f[7] == "00000000" {
			return true
		}
	}
	routes, _ = os.ReadFile("/proc/net/ipv6_route") // destination, length, …, interface
	for line := range strings.Lines(string(routes)) {
		if f := strings.Fields(line); len(f) > 9 && strings.Trim(f[0], "0") == "" && f[1] == "00" && f[9] != "lo" {
			return true
		}
	}
	return false
}

// enterUserland prepares a start: the host's ports are chosen, and the birth has to wait for the program. The ports are only tried
// here; the program takes them for itself.
func (e *Engine) enterUserland(r *Record, b *birth) error {
	if err := checkUserland(r.Userland.Program); err != nil {
		return err
	}
	list, err := e.holdPorts(r)
	if err != nil {
		return err
	}
	s := sockets{ports: list}
	r.Userland.Ports = s.published()
	s.close()
	b.waits = true
	return e.writeEtc(r)
}

// sayThere lets the monitor know the process that has the container's namespaces.
func (b *birth) sayThere() []kernel.Step {
	if !b.waits {
		return nil
	}
	return kernel.In("3.6",
		kernel.Because(kernel.Close{FD: kernel.FD(b.ends.waiting)}, "the monitor's end of this pair of sockets", "这对套接字里监视进程的那一头"),
		kernel.Because(kernel.Knock{FD: b.ends.await}, "the namespaces are there: the network can be made, while the rest goes on", "namespace 已经有了：可以开始接网络，这边继续"),
	)
}

// awaitNetwork waits for the network.
func (b *birth) awaitNetwork() []kernel.Step {
	if !b.waits {
		return nil
	}
	return kernel.In("3.6",
		kernel.Because(kernel.Await{FD: b.ends.await}, "until the network is there", "等网络接好"),
		kernel.Because(kernel.Knock{FD: b.ends.await}, "if it could not be made nobody is at the other end any more, and the container does not begin",
			"网络要是没接成，另一头就没有人了，容器也就不会开始"),
	)
}

// carrierArgs are the program's arguments. The namespaces are those of process pid.
func (r *Record) carrierArgs(pid int) []string {
	u := r.Userland
	if u.Program == slirp {
		args := []string{slirp, "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox", "--enable-seccomp", "--ready-fd=3"}
		if len(u.Ports) > 0 {
			args = append(args, "--api-socket="+userlandSocket)
		}
		return append(args, strconv.Itoa(pid), "eth0")
	}
	args := []string{pasta, "--foreground", "--quiet", "--config-net", "--no-map-gw", "--ns-ifname", "eth0",
		"--address", userlandAddress.Addr().String(), "--netmask", strconv.Itoa(userlandAddress.Bits()), "--gateway", userlandGateway.String(),
		"--pid", "/dev/stdout"}
	if len(r.HostConfig.Dns) == 0 { // an answer of the host's name server then has this address, whoever was asked
		args = append(args, "--dns-forward", userlandDNS.String())
	}
	given := map[string]bool{}
	for _, p := range u.Ports {
		flag := map[string]string{"tcp": "--tcp-ports", "udp": "--udp-ports"}[p.Protocol]
		ports := fmt.Sprintf("%d:%d", p.HostPort, p.Port)
		if !p.HostIP.IsUnspecified() {
			ports = p.HostIP.String() + "/" + ports
		}
		args, given[flag] = append(args, flag, ports), true
	}
	for _, flag := range []string{"--tcp-ports", "--udp-ports"} { // what is not said would be: all of them
		if !given[flag] {
			args = append(args, flag, "none")
		}
	}
	return append(args, "--tcp-ns", "none", "--udp-ns", "none", strconv.Itoa(pid)) // the host's loopback stays the host's
}

// hostAddresses are those under which others reach this machine: so does a container, whose own addresses are not known outside.
func hostAddresses() (list []netip.Addr) {
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && p.Addr().IsGlobalUnicast() {
			return []netip.Addr{p.Addr()}
		}
	}
	return nil
}
