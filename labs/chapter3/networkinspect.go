package chapter3

import (
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"sandbox/labs/command"
	network "sandbox/net"
)

func newNetworkInspect(env *command.Env) *cobra.Command {
	var format string
	var verbose bool
	cmd := &cobra.Command{
		Use:     "inspect [flags] NETWORK...",
		Short:   "Show all that is known of networks, and who is in them, as JSON",
		Example: "  sandbox network inspect bridge\n  sandbox network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{println}}{{end}}' my_net",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.Inspect(format, args, func(ref string) (any, error) { return inspectNetwork(env, ref) })
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", "a Go template, or json")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "with a swarm's services, too; there is none here")
	return cmd
}

// networkView is a network as Docker's `network inspect` shows it, field by field in its order.
type networkView struct {
	Name       string
	ID         string `json:"Id"`
	Created    time.Time
	Scope      string
	Driver     string
	EnableIPv4 bool
	EnableIPv6 bool
	IPAM       network.IPAM
	Internal   bool
	Attachable bool
	Ingress    bool
	ConfigFrom struct{ Network string }
	ConfigOnly bool
	Containers map[string]networkMember
	Options    map[string]string
	Labels     map[string]string
}

// networkMember is a container that is in a network.
type networkMember struct {
	Name        string
	EndpointID  string
	MacAddress  string
	IPv4Address string
	IPv6Address string
}

func inspectNetwork(env *command.Env, ref string) (any, error) {
	engine := env.Engine()
	n, err := engine.Networks().Get(ref)
	if err != nil {
		return nil, err
	}
	inside, err := engine.NetworkMembers(n)
	if err != nil {
		return nil, err
	}
	view := networkView{
		Name: n.Name, ID: n.ID, Created: n.Created, Scope: n.Scope, Driver: n.Driver, EnableIPv4: n.EnableIPv4, EnableIPv6: n.EnableIPv6, IPAM: n.IPAM,
		Internal: n.Internal, Attachable: n.Attachable, Ingress: n.Ingress, ConfigFrom: n.ConfigFrom, ConfigOnly: n.ConfigOnly,
		Containers: map[string]networkMember{}, Options: n.Options, Labels: n.Labels,
	}
	for _, e := range inside {
		view.Containers[e.Container] = networkMember{Name: e.Name, EndpointID: e.ID, MacAddress: e.MAC, IPv4Address: prefixText(e.IPv4), IPv6Address: prefixText(e.IPv6)}
	}
	return view, nil
}

// prefixText is an address with its subnet's length; "" for none.
func prefixText(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	return p.String()
}
