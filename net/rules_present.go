package network

import (
	"bytes"
	"maps"
	"os"
	"slices"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
)

// Missing leaves out those steps whose effect the kernel has already: rules and chains that are there, files that have the
// content. What cannot be looked at is not left out: doing it will say why. It costs a list of each chain that the steps name.
// If somebody else changes the rules before the steps are done they fail (ERESTART): then it is time to look again.
func Missing(steps []kernel.Step) []kernel.Step {
	present := look(steps)
	var missing []kernel.Step
	for _, s := range steps {
		switch e := s.Effect.(type) {
		case kernel.Rule:
			if present.has(e.Change) {
				continue
			}
			e.Since = present.generation
			s.Effect = e
		case kernel.WriteFile:
			if content, err := os.ReadFile(e.Path); err == nil && string(bytes.TrimSpace(content)) == e.Data {
				continue
			}
		}
		missing = append(missing, s)
	}
	return missing
}

// present is what the kernel has.
type present struct {
	chains     map[firewall.Chain]bool
	rules      map[firewall.Rule]bool
	generation uint32
}

// look at the chains that steps put rules into, and whether those are there that they make.
func look(steps []kernel.Step) present {
	p := present{chains: map[firewall.Chain]bool{}, rules: map[firewall.Rule]bool{}}
	var filled, made []firewall.Chain
	for _, s := range steps {
		if r, ok := s.Effect.(kernel.Rule); ok {
			if list := listOf(r.Verb, &filled, &made); !slices.Contains(*list, r.Rule.Chain) {
				*list = append(*list, r.Rule.Chain)
			}
		}
	}
	if len(filled) == 0 && len(made) == 0 {
		return p
	}
	found, generation, _ := firewall.Rules(tag, filled...)
	p.generation = generation
	for chain, entries := range found {
		p.chains[chain] = true
		for _, e := range entries {
			if e.Known {
				p.rules[e.Rule] = true
			}
		}
	}
	made = slices.DeleteFunc(made, func(c firewall.Chain) bool { return slices.Contains(filled, c) })
	if exist, err := firewall.Exist(made...); err == nil {
		maps.Copy(p.chains, exist)
	}
	return p
}

func listOf(verb firewall.Verb, filled, made *[]firewall.Chain) *[]firewall.Chain {
	switch verb {
	case firewall.Append, firewall.Insert, firewall.Delete:
		return filled
	}
	return made
}

func (p present) has(c firewall.Change) bool {
	switch c.Verb {
	case firewall.Append, firewall.Insert:
		return p.rules[c.Rule]
	case firewall.Delete:
		return !p.rules[c.Rule]
	case firewall.NewChain:
		return p.chains[c.Rule.Chain]
	case firewall.FlushChain, firewall.DeleteChain:
		return !p.chains[c.Rule.Chain]
	}
	return false
}
