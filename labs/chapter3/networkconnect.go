package chapter3

import (
	"errors"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type networkConnectOptions struct {
	ip, ip6                string
	aliases, options, link []string
	linkLocal              []string
	priority               int
}

func newNetworkConnect(env *command.Env) *cobra.Command {
	var opts networkConnectOptions
	cmd := &cobra.Command{
		Use:     "connect [flags] NETWORK CONTAINER",
		Short:   "Put a container into another network, too",
		Long:    "Put a container into another network, too. One that runs gets another interface at once; another one when it starts.",
		Example: "  sandbox network connect my_net2 web\n  sandbox network connect --ip 172.22.1.40 --alias db my_net2 web",
		Args:    cobra.ExactArgs(2),
		RunE:    func(cmd *cobra.Command, args []string) error { return runNetworkConnect(env, opts, args[0], args[1]) },
	}
	f := cmd.Flags()
	f.StringVar(&opts.ip, "ip", "", "its IPv4 address there: in a network with a --subnet of its own")
	f.StringVar(&opts.ip6, "ip6", "", "its IPv6 address there")
	f.StringSliceVar(&opts.aliases, "alias", nil, "another name for it there")
	f.StringArrayVar(&opts.options, "driver-opt", nil, "an option of the driver: NAME=VALUE")
	f.IntVar(&opts.priority, "gw-priority", 0, "of several networks the one with the highest number is the way to everywhere (of equal ones the first)")
	f.StringSliceVar(&opts.link, "link", nil, "another container, and a name that this one alone knows it by: NAME[:ALIAS]")
	f.StringSliceVar(&opts.linkLocal, "link-local-ip", nil, "a link-local address")
	f.MarkHidden("link-local-ip")
	return cmd
}

func runNetworkConnect(env *command.Env, opts networkConnectOptions, ref, name string) error {
	switch {
	case len(opts.linkLocal) > 0:
		return kernel.Advise(errors.New("--link-local-ip is not supported"), "--ip6 fd00::9 in a network with --ipv6")
	}
	engine := env.Engine()
	r, err := engine.Get(name)
	if err != nil {
		return err
	}
	a := container.Attachment{Name: ref, Aliases: opts.aliases, Priority: opts.priority}
	if a.Links, err = parseLinks(opts.link); err != nil {
		return err
	}
	if a.IPv4, err = parseAddress("--ip", opts.ip, false); err != nil {
		return err
	}
	if a.IPv6, err = parseAddress("--ip6", opts.ip6, true); err != nil {
		return err
	}
	if a.Options, err = namedValues("--driver-opt", "com.docker.network.endpoint.ifname=net1", opts.options); err != nil {
		return err
	}
	return engine.ConnectNetwork(r, a)
}

func newNetworkDisconnect(env *command.Env) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:     "disconnect [flags] NETWORK CONTAINER",
		Short:   "Take a container out of a network",
		Example: "  sandbox network disconnect my_net2 web",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := env.Engine().Get(args[1])
			if err != nil {
				return err
			}
			return env.Engine().DisconnectNetwork(r, args[0], force)
		},
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "also from a network that is no more")
	return cmd
}
