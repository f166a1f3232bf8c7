package chapter3

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
	network "sandbox/net"
)

type networkLsOptions struct {
	filters        []string
	format         string
	quiet, noTrunc bool
}

const networkFilterHelp = "id= name= driver= label=NAME[=VALUE] scope= type=custom|builtin dangling=true|false"

func newNetworkLs(env *command.Env) *cobra.Command {
	var opts networkLsOptions
	cmd := &cobra.Command{
		Use:     "ls [flags]",
		Aliases: []string{"list"},
		Short:   "List networks",
		Example: "  sandbox network ls -f type=custom\n  sandbox network ls --format '{{.Name}}: {{.Driver}}'",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runNetworkLs(env, opts) },
	}
	f := cmd.Flags()
	f.StringArrayVarP(&opts.filters, "filter", "f", nil, networkFilterHelp)
	f.StringVar(&opts.format, "format", "", "table, a Go template (also after the word table), or json")
	f.BoolVarP(&opts.quiet, "quiet", "q", false, "only ids")
	f.BoolVar(&opts.noTrunc, "no-trunc", false, "whole ids")
	return cmd
}

// networkRow is what templates see, under Docker's names, in the order that its JSON has.
type networkRow struct {
	CreatedAt, Driver, ID, IPv4, IPv6, Internal, Labels, Name, Scope string

	labels map[string]string
}

// Label is the value of one label.
func (r networkRow) Label(name string) string { return r.labels[name] }

func runNetworkLs(env *command.Env, opts networkLsOptions) error {
	match, err := networkFilter(env, opts.filters)
	if err != nil {
		return err
	}
	list, err := env.Engine().Networks().List()
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b *network.Network) int { return natural(a.Name, b.Name) })
	rows := []networkRow{}
	for _, n := range list {
		if match(n) {
			rows = append(rows, makeNetworkRow(n, opts.noTrunc))
		}
	}
	switch {
	case opts.quiet && (opts.format == "" || opts.format == "table"):
		opts.format = "{{.ID}}"
	case opts.format == "json":
		return command.PrintJSON(env.Out, rows)
	case opts.format == "" || opts.format == "table":
		opts.format = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"
	}
	return command.PrintRows(env.Out, opts.format, rows, networkRow{
		CreatedAt: "CREATED AT", Driver: "DRIVER", ID: "NETWORK ID", IPv4: "IPV4", IPv6: "IPV6", Internal: "INTERNAL", Labels: "LABELS", Name: "NAME", Scope: "SCOPE",
	})
}

// natural compares names so that net2 comes before net10.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := leadingDigits(a), leadingDigits(b)
		if x == 0 || y == 0 {
			if a[0] != b[0] {
				return int(a[0]) - int(b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
		if order := cmp.Or(len(m)-len(n), strings.Compare(m, n)); order != 0 {
			return order
		}
		a, b = a[x:], b[y:]
	}
	return len(a) - len(b)
}

func leadingDigits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}

func makeNetworkRow(n *network.Network, whole bool) networkRow {
	row := networkRow{
		CreatedAt: n.Created.Local().Format("2006-01-02 15:04:05.999999999 -0700 MST"), Driver: n.Driver, ID: n.Short(), IPv4: strconv.FormatBool(n.EnableIPv4),
		IPv6: strconv.FormatBool(n.EnableIPv6), Internal: strconv.FormatBool(n.Internal), Name: n.Name, Scope: n.Scope, labels: n.Labels,
	}
	if whole {
		row.ID = n.ID
	}
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(n.Labels)) {
		labels = append(labels, name+"="+n.Labels[name])
	}
	row.Labels = strings.Join(labels, ",")
	return row
}

// networkCondition is what a --filter comes to.
type networkCondition func(*network.Network) bool

// networkFilter turns --filter flags into one condition. As with Docker, of several filters of one kind one must hold, but
// all labels.
func networkFilter(env *command.Env, filters []string) (networkCondition, error) {
	kinds := map[string][]networkCondition{}
	var all []networkCondition
	for _, f := range filters {
		key, value, _ := strings.Cut(f, "=")
		c, err := oneNetworkFilter(env, f, key, value)
		switch {
		case err != nil:
			return nil, err
		case key == "label":
			all = append(all, c)
		default:
			kinds[key] = append(kinds[key], c)
		}
	}
	for _, one := range kinds {
		all = append(all, func(n *network.Network) bool {
			return slices.ContainsFunc(one, func(c networkCondition) bool { return c(n) })
		})
	}
	return func(n *network.Network) bool {
		return !slices.ContainsFunc(all, func(c networkCondition) bool { return !c(n) })
	}, nil
}

func oneNetworkFilter(env *command.Env, text, key, value string) (networkCondition, error) {
	invalid := func(cure string) (networkCondition, error) {
		return nil, kernel.Advise(fmt.Errorf("invalid filter: %q", text), "%s", cure)
	}
	if !strings.Contains(text, "=") {
		return invalid(networkFilterHelp)
	}
	switch key {
	case "id", "name":
		pattern, err := regexp.Compile(value)
		if err != nil {
			return invalid("a part of it, or a regular expression: name='^my'")
		}
		return func(n *network.Network) bool {
			return pattern.MatchString(map[string]string{"id": n.ID, "name": n.Name}[key])
		}, nil
	case "driver":
		return func(n *network.Network) bool { return n.Driver == value }, nil
	case "scope":
		return func(n *network.Network) bool { return n.Scope == value }, nil
	case "label":
		return networkLabel(value, true), nil
	case "type":
		if value != "custom" && value != "builtin" {
			return invalid("type=custom: networks of yours; type=builtin: bridge, host and none")
		}
		return func(n *network.Network) bool { return n.Predefined() == (value == "builtin") }, nil
	case "dangling":
		dangling, err := strconv.ParseBool(value)
		if err != nil {
			return invalid("dangling=true or dangling=false")
		}
		store := env.Engine().Networks()
		return func(n *network.Network) bool {
			inside, _ := store.Endpoints(n)
			return (!n.Predefined() && len(inside) == 0) == dangling
		}, nil
	}
	return invalid(networkFilterHelp)
}

func networkLabel(value string, want bool) networkCondition {
	name, text, hasValue := strings.Cut(value, "=")
	return func(n *network.Network) bool {
		have, found := n.Labels[name]
		return (found && (!hasValue || have == text)) == want
	}
}
