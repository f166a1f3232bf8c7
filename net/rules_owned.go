package network

import (
	"strings"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
)

// Owner of a rule of ours, as its comment says it.
type Owner struct {
	Network   string // the first 12 digits of its ID; "" for what all networks share
	Container string // likewise; "" for the network's own
}

// Owned is a rule of ours that the kernel has.
type Owned struct {
	Owner Owner
	Rule  firewall.Rule
}

// Remove is the step that takes the rule away.
func (o Owned) Remove(en, zh string) kernel.Step {
	s := kernel.Because(kernel.Rule{Change: firewall.Change{Verb: firewall.Delete, Rule: o.Rule}}, en, zh)
	s.Section, s.Optional = section, true
	return s
}

// OwnedRules lists the rules of ours that the kernel has, with whom they belong to. Without nf_tables in the kernel, or without the
// right to ask, there is an error.
func OwnedRules() ([]Owned, error) {
	chains := places()
	found, _, err := firewall.Rules(tag, chains...)
	if err != nil {
		return nil, err
	}
	var list []Owned
	for _, chain := range chains {
		for _, e := range found[chain] {
			if owner, ours := ownerIn(e.Comment); ours {
				list = append(list, Owned{owner, e.Rule})
			}
		}
	}
	return list, nil
}

func ownerIn(comment string) (owner Owner, ours bool) {
	prefix, rest, _ := strings.Cut(comment, ":")
	if prefix != tag {
		return Owner{}, false
	}
	owner.Network, owner.Container, _ = strings.Cut(rest, ":")
	return owner, true
}

// places are all chains that rules of ours may be in.
func places() []firewall.Chain {
	var chains []firewall.Chain
	seen := map[firewall.Chain]bool{}
	for _, family := range []firewall.Family{firewall.IPv4, firewall.IPv6} {
		p := &planner{family: family}
		p.base()
		for _, s := range p.steps {
			chain := s.Effect.(kernel.Rule).Rule.Chain
			if !seen[chain] {
				seen[chain] = true
				chains = append(chains, chain)
			}
		}
	}
	return chains
}

// NoRules takes all of it away: jumps, rules, chains. It is for when the last network is gone, or nothing shall be left.
func NoRules() []kernel.Step {
	var steps []kernel.Step
	for _, family := range []firewall.Family{firewall.IPv4, firewall.IPv6} {
		p := &planner{family: family}
		p.base()
		var chains []firewall.Chain
		for _, s := range p.steps {
			r := s.Effect.(kernel.Rule)
			switch {
			case r.Verb == firewall.NewChain:
				chains = append(chains, r.Rule.Chain)
			case !strings.HasPrefix(r.Rule.Name, "SANDBOX"):
				r.Verb = firewall.Delete
				steps = append(steps, kernel.Because(r, "nobody needs the jump any more", "这条跳转没人用了"))
			}
		}
		for _, verb := range []firewall.Verb{firewall.FlushChain, firewall.DeleteChain} {
			for _, c := range chains {
				steps = append(steps, kernel.Because(kernel.Rule{Change: firewall.Change{Verb: verb, Rule: firewall.Rule{Chain: c}}}, "… nor the chain", "链也没人用了"))
			}
		}
	}
	return kernel.Try(kernel.In(section, steps...)...)
}

// noChains takes away what NoRules cannot know of: chains of the kernel's, and their tables, that were made for our jumps and are empty.
func noChains() []kernel.Step {
	changes, generation, err := firewall.Made()
	if err != nil {
		return nil
	}
	var steps []kernel.Step
	for _, c := range changes {
		steps = append(steps, kernel.Because(kernel.Rule{Change: c, Since: generation}, "it was made for our rules, and is empty", "当初是为我们的规则建的，现在空了"))
	}
	return kernel.Try(kernel.In(section, steps...)...)
}
