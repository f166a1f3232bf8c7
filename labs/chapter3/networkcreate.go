package chapter3

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
	network "sandbox/net"
)

type networkCreateOptions struct {
	driver, scope, ipamDriver        string
	subnets, gateways, ranges        []string
	auxiliary, options, ipamOptions  []string
	labels                           []string
	internal, attachable, ipv4, ipv6 bool
	ingress, configOnly              bool
	configFrom                       string
}

func newNetworkCreate(env *command.Env) *cobra.Command {
	var opts networkCreateOptions
	cmd := &cobra.Command{
		Use:   "create [flags] NETWORK",
		Short: "Create a network",
		Long: `Create a network. Containers in it reach each other, by address and by name; those in other networks do not reach them.

Drivers:
  bridge    a switch in the kernel that the containers are plugged into; the host is their gateway (the default)
  macvlan   each container has an interface of its own on the host's wire: -o parent=eth0
  ipvlan    the same with the MAC address of the host's interface: -o parent=eth0 [-o ipvlan_mode=l3]

Options (-o) of a bridge:
  com.docker.network.bridge.name=br0                      the name of the bridge on the host
  com.docker.network.bridge.enable_icc=false              containers do not reach each other, only the gateway
  com.docker.network.bridge.enable_ip_masquerade=false    packets that leave the host keep the container's address
  com.docker.network.bridge.host_binding_ipv4=127.0.0.1   where ports are published that name no address of the host
  com.docker.network.driver.mtu=1400                      the largest packet, in bytes`,
		Example: "  sandbox network create my_net\n  sandbox network create --subnet 172.22.1.0/24 --gateway 172.22.1.1 my_net2\n  sandbox network create --internal inside",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("subnet") && len(opts.subnets) == 0 { // a variable that is not set
				return kernel.Advise(errors.New("--subnet is empty"), "--subnet 172.28.0.0/16, or leave it out: then a free one is found")
			}
			return runNetworkCreate(env, opts, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVarP(&opts.driver, "driver", "d", network.Bridge, "bridge, macvlan or ipvlan")
	f.StringSliceVar(&opts.subnets, "subnet", nil, "its addresses: 172.22.1.0/24; a second one for IPv6")
	f.StringSliceVar(&opts.gateways, "gateway", nil, "the gateway's address; usually the first one of the subnet")
	f.StringSliceVar(&opts.ranges, "ip-range", nil, "the part of the subnet from which containers get addresses")
	f.StringArrayVar(&opts.auxiliary, "aux-address", nil, "an address that somebody else has: NAME=ADDRESS")
	f.BoolVar(&opts.internal, "internal", false, "no way out of the network, and none in")
	f.BoolVar(&opts.ipv4, "ipv4", true, "with IPv4 addresses")
	f.BoolVar(&opts.ipv6, "ipv6", false, "with IPv6 addresses, too")
	f.StringArrayVarP(&opts.options, "opt", "o", nil, "an option of the driver: NAME=VALUE")
	f.StringArrayVar(&opts.labels, "label", nil, "a label NAME=VALUE")
	f.BoolVar(&opts.attachable, "attachable", false, "containers can be connected by hand; here they always can")
	f.StringVar(&opts.ipamDriver, "ipam-driver", "default", "who gives out addresses; there is only default")
	f.StringArrayVar(&opts.ipamOptions, "ipam-opt", nil, "an option for that: NAME=VALUE")
	f.StringVar(&opts.scope, "scope", "", "local: this machine")
	f.BoolVar(&opts.ingress, "ingress", false, "for swarms; there is none here")
	f.BoolVar(&opts.configOnly, "config-only", false, "for swarms; there is none here")
	f.StringVar(&opts.configFrom, "config-from", "", "for swarms; there is none here")
	for _, name := range []string{"ingress", "config-only", "config-from"} {
		f.MarkHidden(name)
	}
	return cmd
}

func runNetworkCreate(env *command.Env, opts networkCreateOptions, name string) error {
	if err := opts.check(); err != nil {
		return err
	}
	auxiliary, err := namedValues("--aux-address", "printer=172.28.0.9", opts.auxiliary)
	if err != nil {
		return err
	}
	options, err := namedValues("--opt", "com.docker.network.driver.mtu=1400", opts.options)
	if err != nil {
		return err
	}
	n, err := env.Engine().CreateNetwork(network.CreateOptions{
		Name: name, Driver: opts.driver, Internal: opts.internal, Attachable: opts.attachable, IPv6: opts.ipv6, NoIPv4: !opts.ipv4,
		Subnets: opts.subnets, Gateways: opts.gateways, Ranges: opts.ranges, Auxiliary: auxiliary,
		Options: options, IPAMOptions: pairs(opts.ipamOptions), Labels: pairs(opts.labels),
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(env.Out, n.ID)
	return nil
}

// check refuses what is for several machines.
func (o *networkCreateOptions) check() error {
	swarm := ""
	switch {
	case o.ingress:
		swarm = "--ingress makes the network that spreads a swarm's published ports over its machines"
	case o.configOnly:
		swarm = "--config-only keeps a configuration for the networks of a swarm"
	case o.configFrom != "":
		swarm = "--config-from takes the configuration of another network, made with --config-only for a swarm"
	case o.scope != "" && o.scope != "local":
		swarm = fmt.Sprintf("the scope %s is that of a swarm", o.scope)
	}
	if swarm != "" {
		return kernel.Advise(fmt.Errorf("%s, and there is no swarm here", swarm), "leave it out: the network is this machine's")
	}
	if o.ipamDriver != "" && o.ipamDriver != "default" {
		return kernel.Advise(fmt.Errorf("could not find an IPAM driver with name %q", o.ipamDriver), "--ipam-driver default, or leave it out")
	}
	for _, label := range o.labels {
		if strings.HasPrefix(label, "=") || label == "" {
			return kernel.Advise(errors.New("invalid label: it has no name"), "--label NAME=VALUE")
		}
	}
	return nil
}

// namedValues reads NAME=VALUE lines that need both.
func namedValues(flag, example string, list []string) (map[string]string, error) {
	for _, s := range list {
		if name, value, ok := strings.Cut(s, "="); !ok || name == "" || value == "" {
			return nil, kernel.Advise(fmt.Errorf("invalid %s: %q is not NAME=VALUE", flag, s), "%s %s", flag, example)
		}
	}
	return pairs(list), nil
}
