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
	present.completeOrder(steps)
	var missing []kernel.Step
	for _, s := range steps {
		switch e := s.Effect.(type) {
		case kernel.Rule:
			if present.has(e.Change) {
				continue
			}
			if flush, ok := present.flush[e.Rule.Chain]; ok {
				delete(present.flush, e.Rule.Chain)
				missing = append(missing, flush)
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

// completeOrder: of the one chain in which the order matters all rules are missing as soon as one is, and what is left is taken away.
func (p *present) completeOrder(steps []kernel.Step) {
	p.flush = map[firewall.Chain]kernel.Step{}
	for _, s := range steps {
		if r, ok := s.Effect.(kernel.Rule); ok && r.Verb == firewall.Append && r.Rule.Name == chainForward && p.chains[r.Rule.Chain] && !p.rules[r.Rule] {
			p.flush[r.Rule.Chain] = kernel.Step{
				Effect:  kernel.Rule{Change: firewall.Change{Verb: firewall.FlushChain, Rule: firewall.Rule{Chain: r.Rule.Chain}}, Since: p.generation},
				Section: section, Why: kernel.Why{EN: "somebody has removed a part of it: the order matters, so it is written anew", ZH: "有人删掉了其中一部分：这条链里顺序有讲究，所以整条重写"},
			}
		}
	}
	for rule := range p.rules {
		if _, anew := p.flush[rule.Chain]; anew {
			delete(p.rules, rule)
		}
	}
}

// present is what the kernel has.
type present struct {
	chains     map[firewall.Chain]bool
	rules      map[firewall.Rule]bool
	generation uint32
	flush      map[firewall.Chain]kernel.Step // chains that are to be written anew, and how they are emptied
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
