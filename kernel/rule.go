package kernel

import (
	"syscall"

	"sandbox/kernel/firewall"
)

// Rule is one change to the firewall: a rule added or taken away, a chain made, emptied or removed. Rules that follow each other in a list of
// steps are one transaction: the kernel does all of them, or none. That is also much faster, since the kernel waits after each
// transaction until no packet sees the old rules any more. A rule or a chain that is to be taken away, and is not there, fails
// by itself (ENOENT), and nothing else with it. The namespace is that of the calling thread, as with interfaces.
type Rule struct {
	firewall.Change
	Since uint32 // not 0: only if nobody has changed the rules since this generation of theirs (ERESTART)
}

// messages of nf_tables' netlink protocol, by what iptables calls it.
var messages = map[firewall.Verb]string{
	firewall.Append: "NFT_MSG_NEWRULE", firewall.Insert: "NFT_MSG_NEWRULE", firewall.Delete: "NFT_MSG_DELRULE",
	firewall.NewChain: "NFT_MSG_NEWCHAIN", firewall.FlushChain: "NFT_MSG_DELRULE", firewall.DeleteChain: "NFT_MSG_DELCHAIN",
	firewall.DeleteTable: "NFT_MSG_DELTABLE",
}

// Call as the sendto(2) that the message is a part of; the text form is iptables'.
func (r Rule) Call() Call {
	return Call{Name: "sendto", Args: []string{messages[r.Verb]}, Shell: r.String()}
}

func (r Rule) compile(c *compiler) { panic("kernel: Rule is for the parent") }

// rulesAtOnce is how many of the first steps are rules of one transaction.
func rulesAtOnce(steps []Step) int {
	for i, s := range steps {
		if _, ok := s.Effect.(Rule); !ok {
			return i
		}
	}
	return len(steps)
}

// performRules performs steps that are all rules, in one transaction. A step that may fail and does is left out, and the others are tried
// again without it.
func performRules(steps []Step) []syscall.Errno {
	outcome := make([]syscall.Errno, len(steps))
	var send []int
	for i := range steps {
		send = append(send, i)
	}
	for {
		changes := make([]firewall.Change, len(send))
		for n, i := range send {
			changes[n] = steps[i].Effect.(Rule).Change
		}
		var again []int
		spoiled := false
		for n, errno := range firewall.Apply(changes, steps[0].Effect.(Rule).Since) {
			i := send[n]
			outcome[i] = errno
			if errno == firewall.ErrNotSent {
				again = append(again, i)
			} else if errno != 0 && !steps[i].Optional {
				spoiled = true
			}
		}
		if len(again) == 0 || spoiled || len(again) == len(send) {
			return outcome
		}
		send = again
	}
}

// doRules performs steps that are all rules, and tells of those that something was sent for: not of what was to be taken away, if it was
// there, and is not.
func (d *Door) doRules(steps []Step) error {
	d.order.Lock()
	defer d.order.Unlock()
	outcome := performRules(steps)
	var failure error
	for i, errno := range outcome {
		s := steps[i]
		if d.Tell != nil && errno != firewall.ErrNotSent && !(errno == syscall.ENOENT && s.Optional) {
			d.tell(d.Process, s, 0, errno, 0)
		}
		if errno != 0 && errno != firewall.ErrNotSent && !s.Optional && failure == nil {
			failure = &CallError{Call: s.Call(), Errno: errno, Section: s.Section}
		}
	}
	return failure
}
