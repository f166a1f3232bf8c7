package chapter3

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
)

func newNetworkRepair(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "repair [NETWORK...]",
		Short: "Make again what the kernel has lost of networks: bridges, cables, firewall rules",
		Long: `Make again what the kernel has lost of networks (all of them, if none is named), and take away what it has too much.

A firewall that is loaded anew forgets the rules of containers: no container is reached from outside then, and none
reaches anything outside. Somebody may have removed a bridge, or its address. What is missing is made from what is on disk; what is
there stays as it is. The lines that are printed are what had to be done.`,
		Example: "  nft flush ruleset; sandbox network repair",
		RunE:    func(cmd *cobra.Command, args []string) error { return runNetworkRepair(env, args) },
	}
}

func runNetworkRepair(env *command.Env, refs []string) error {
	store := env.Engine().Networks()
	door := &kernel.Door{Process: store.Door.Process, Language: store.Door.Language}
	tell := store.Door.Tell
	door.Tell = func(r kernel.Record) {
		if strings.HasPrefix(r.Line, "ip ") || strings.HasPrefix(r.Line, "iptables ") || strings.HasPrefix(r.Line, "ip6tables ") || strings.HasPrefix(r.Line, "echo ") {
			fmt.Fprintln(env.Out, r.Line)
		}
		if tell != nil {
			tell(r)
		}
	}
	store.Door = door
	if len(refs) == 0 {
		list, err := store.List()
		if err != nil {
			return err
		}
		for _, n := range list {
			refs = append(refs, n.ID)
		}
	}
	return env.Each(refs, func(ref string) error {
		n, err := store.Get(ref)
		if err != nil {
			return err
		}
		lost, err := store.Repair(n)
		for _, e := range lost {
			err = errors.Join(err, kernel.Advise(fmt.Errorf("container %s has lost its interface in network %s", e.Name, n.Name), "sandbox restart %s   gives it a new one", e.Name))
		}
		return err
	})
}
