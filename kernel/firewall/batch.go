package firewall

import (
	"encoding/binary"
	"errors"
	"slices"
	"syscall"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Verb is what is done to a rule or a chain, with iptables' letters.
type Verb string

// Verbs.
const (
	Append      Verb = "-A" // a rule to the end of its chain
	Insert      Verb = "-I" // a rule at the beginning of its chain
	Delete      Verb = "-D" // a rule, as often as it is there
	NewChain    Verb = "-N" // one that is there already stays as it is
	FlushChain  Verb = "-F" // all its rules
	DeleteChain Verb = "-X" // an empty chain that no rule leads to

	DeleteTable Verb = "delete table" // an empty table; iptables has no word for it, nft has
)

// Change is one change to the rules. Of a chain's, only Rule.Chain is looked at.
type Change struct {
	Verb Verb
	Rule Rule
}

// String is how a person would do it.
func (c Change) String() string {
	if c.Verb == DeleteTable {
		return "nft delete table " + c.Rule.Family.nft() + " " + c.Rule.Table
	}
	line := c.Rule.Command() + " " + string(c.Verb) + " " + c.Rule.Name
	if c.Verb == Append || c.Verb == Insert || c.Verb == Delete {
		line += c.Rule.Body()
	}
	return line
}

// ErrNotSent is said of changes that were not made because another one of the same transaction failed.
const ErrNotSent = syscall.ECANCELED

// most is how many changes are sent at once: a transaction has to fit into the socket's buffer (200 KiB, for who is not the machine's root).
const most = 400

// Apply makes all changes in one transaction (or several of 400), in the network namespace that the calling thread is in. Of each it says
// what became of it: 0, or an errno. If one fails none is made, and those that were not to blame say ErrNotSent. A rule or chain to be
// taken away that is not there (ENOENT) makes nothing else fail. With a generation (Rules tells it) all fails (ERESTART) if somebody has
// changed the rules since then.
func Apply(changes []Change, generation uint32) []syscall.Errno {
	s, err := open()
	if err != nil {
		return all(len(changes), errnoOf(err))
	}
	defer s.close()
	var outcome []syscall.Errno
	for part := range slices.Chunk(changes, most) {
		outcome = append(outcome, s.attempt(part, generation)...)
		generation = 0 // it is another one now, because of us
	}
	return outcome
}

// Native has rules be written as for a kernel without NFT_COMPAT. It is for tests.
var Native bool

// attempt the transaction with iptables' extensions, and without them where the kernel does not have them.
func (s *socket) attempt(changes []Change, generation uint32) []syscall.Errno {
	outcome := s.apply(changes, generation, Native)
	for i, errno := range outcome {
		// The kernel knows no expression "match" or "target": without NFT_COMPAT, or without that extension.
		if errno == unix.ENOENT && changes[i].adds() && changes[i].Rule.usesExtensions() {
			return s.apply(changes, generation, true)
		}
	}
	return outcome
}

func (c Change) adds() bool { return c.Verb == Append || c.Verb == Insert }

func all(n int, errno syscall.Errno) []syscall.Errno {
	outcome := make([]syscall.Errno, n)
	for i := range outcome {
		outcome[i] = errno
	}
	return outcome
}

// errnoOf an error; EPROTONOSUPPORT, say, from socket(2) on a kernel without netfilter.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		errno = syscall.EIO
	}
	return errno
}

// apply sends the transaction and reads what became of it.
func (s *socket) apply(changes []Change, generation uint32, native bool) []syscall.Errno {
	t := &transaction{socket: s, native: native, outcome: make([]syscall.Errno, len(changes)), of: map[uint32]int{}, ready: map[Chain]bool{}}
	var condition []byte
	if generation != 0 {
		condition = number(nil, unix.NFNL_BATCH_GENID, generation)
	}
	t.bytes = s.message(nil, unix.NFNL_MSG_BATCH_BEGIN, unix.NLM_F_REQUEST, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES, condition)
	t.beginning = s.number
	for i, c := range changes {
		t.outcome[i] = t.put(i, c)
	}
	if len(t.of) == 0 {
		return t.outcome
	}
	binary.NativeEndian.PutUint16(t.bytes[t.start+flagsOffset:], unix.NLM_F_REQUEST|unix.NLM_F_ACK|t.lastFlags)
	t.bytes = s.message(t.bytes, unix.NFNL_MSG_BATCH_END, unix.NLM_F_REQUEST, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES, nil)
	if err := s.send(t.bytes); err != nil {
		return all(len(changes), errnoOf(err))
	}
	t.collect()
	return t.outcome
}

type transaction struct {
	*socket
	native    bool
	bytes     []byte
	start     int            // where the last message begins
	lastFlags uint16         // of the last message
	beginning uint32         // number of the message that begins it
	last      uint32         // … of the last change's
	of        map[uint32]int // number of a message: which change it belongs to
	outcome   []syscall.Errno
	ready     map[Chain]bool // chains and tables that are there, or are made in this transaction
}

const flagsOffset = 6 // in struct nlmsghdr

// put adds what one change needs to the transaction.
func (t *transaction) put(i int, c Change) syscall.Errno {
	switch c.Verb {
	case Append, Insert:
		if _, base := hooks[c.Rule.Table+" "+c.Rule.Name]; base {
			t.ensure(i, c.Rule.Chain)
		}
		body, err := c.Rule.message(t.native)
		if err != nil {
			return unix.EINVAL
		}
		flags := uint16(unix.NLM_F_CREATE)
		if c.Verb == Append {
			flags |= unix.NLM_F_APPEND
		}
		t.add(i, unix.NFT_MSG_NEWRULE, flags, c.Rule.Family, body)
	case Delete:
		return t.delete(i, c.Rule)
	case NewChain:
		t.ensure(i, c.Rule.Chain)
	case FlushChain, DeleteChain:
		if !t.exists(c.Rule.Chain) {
			return unix.ENOENT
		}
		if c.Verb == FlushChain {
			t.add(i, unix.NFT_MSG_DELRULE, 0, c.Rule.Family, inChain(c.Rule.Chain))
		} else {
			t.add(i, unix.NFT_MSG_DELCHAIN, unix.NLM_F_NONREC, c.Rule.Family, named(c.Rule.Chain))
		}
	case DeleteTable:
		t.add(i, unix.NFT_MSG_DELTABLE, unix.NLM_F_NONREC, c.Rule.Family, text(nil, unix.NFTA_TABLE_NAME, c.Rule.Table))
	}
	return 0
}

// named is how messages about chains name one.
func named(c Chain) []byte {
	return text(text(nil, unix.NFTA_CHAIN_TABLE, c.Table), unix.NFTA_CHAIN_NAME, c.Name)
}

// inChain is how messages about rules do.
func inChain(c Chain) []byte {
	return text(text(nil, unix.NFTA_RULE_TABLE, c.Table), unix.NFTA_RULE_CHAIN, c.Name)
}

func (t *transaction) add(i int, message, flags uint16, family Family, body []byte) {
	t.start, t.lastFlags = len(t.bytes), flags
	t.bytes = t.message(t.bytes, table(message), unix.NLM_F_REQUEST|flags, family, 0, body)
	t.of[t.number], t.last = i, t.number
}

// ensure makes a chain and its table; whoever has them already keeps them. Nothing is said of a policy: a new chain of the kernel's
// accepts, and one that is there is left alone (it may have another priority than iptables would give it).
func (t *transaction) ensure(i int, c Chain) {
	if t.ready[c] {
		return
	}
	t.ready[c] = true
	h, base := hooks[c.Table+" "+c.Name]
	if base && t.exists(c) {
		return
	}
	if all := (Chain{c.Family, c.Table, ""}); !t.ready[all] {
		t.ready[all] = true
		t.add(i, unix.NFT_MSG_NEWTABLE, unix.NLM_F_CREATE, c.Family, attribute(text(nil, unix.NFTA_TABLE_NAME, c.Table), tableUserData, madeHere))
	}
	body := named(c)
	if base {
		at := number(number(nil, unix.NFTA_HOOK_HOOKNUM, h.number), unix.NFTA_HOOK_PRIORITY, uint32(h.priority))
		body = text(nested(body, unix.NFTA_CHAIN_HOOK, at), unix.NFTA_CHAIN_TYPE, h.kind)
		body = attribute(body, chainUserData, madeHere)
	}
	t.add(i, unix.NFT_MSG_NEWCHAIN, unix.NLM_F_CREATE, c.Family, body)
}

// hook is where in a packet's way through the kernel a chain of the kernel's is.
type hook struct {
	kind     string
	number   uint32 // NF_INET_…
	priority int32  // the order of several in one place, NF_IP_PRI_…
}

// hooks of the chains that rules of ours are in, as iptables makes them.
var hooks = map[string]hook{
	"raw PREROUTING":     {"filter", unix.NF_INET_PRE_ROUTING, -300},
	"raw OUTPUT":         {"filter", unix.NF_INET_LOCAL_OUT, -300},
	"mangle PREROUTING":  {"filter", unix.NF_INET_PRE_ROUTING, -150},
	"mangle INPUT":       {"filter", unix.NF_INET_LOCAL_IN, -150},
	"mangle FORWARD":     {"filter", unix.NF_INET_FORWARD, -150},
	"mangle OUTPUT":      {"route", unix.NF_INET_LOCAL_OUT, -150},
	"mangle POSTROUTING": {"filter", unix.NF_INET_POST_ROUTING, -150},
	"nat PREROUTING":     {"nat", unix.NF_INET_PRE_ROUTING, -100},
	"nat INPUT":          {"nat", unix.NF_INET_LOCAL_IN, 100},
	"nat OUTPUT":         {"nat", unix.NF_INET_LOCAL_OUT, -100},
	"nat POSTROUTING":    {"nat", unix.NF_INET_POST_ROUTING, 100},
	"filter INPUT":       {"filter", unix.NF_INET_LOCAL_IN, 0},
	"filter FORWARD":     {"filter", unix.NF_INET_FORWARD, 0},
	"filter OUTPUT":      {"filter", unix.NF_INET_LOCAL_OUT, 0},
}

// delete looks a rule up, because the kernel knows it by a number (its handle) only.
func (t *transaction) delete(i int, r Rule) syscall.Errno {
	entries, err := t.rules(r.Chain, r.Comment)
	if err != nil {
		return errnoOf(err)
	}
	outcome := unix.ENOENT
	for _, e := range entries {
		if e.Known && e.Rule == r {
			body := attribute(inChain(r.Chain), unix.NFTA_RULE_HANDLE, binary.BigEndian.AppendUint64(nil, e.Handle))
			t.add(i, unix.NFT_MSG_DELRULE, 0, r.Family, body)
			outcome = 0
		}
	}
	return outcome
}

// collect reads what became of the transaction. Only its last message asks for an acknowledgement, and gets it after all errors. The
// kernel goes on after an error, so that there may be several: the first is the cause. What is wrong with the whole (a missing
// privilege, say) is told of the message that begins it.
func (t *transaction) collect() {
	failed := false
	for {
		messages, err := t.receive()
		if err != nil {
			t.fail(t.beginning, errnoOf(err))
			return
		}
		for _, m := range messages {
			_, change := t.of[m.Header.Seq]
			if m.Header.Type != unix.NLMSG_ERROR || !change && m.Header.Seq != t.beginning {
				continue
			}
			if errno := refusal(m); errno != 0 && !failed {
				failed = true
				t.fail(m.Header.Seq, errno)
			}
			if m.Header.Seq == t.last || m.Header.Seq == t.beginning {
				return
			}
		}
	}
}

// fail notes that nothing was done, and why: because of the change that a message belongs to, or of all of them.
func (t *transaction) fail(message uint32, errno syscall.Errno) {
	guilty, one := t.of[message]
	for _, change := range t.of {
		if one && change != guilty {
			t.outcome[change] = ErrNotSent
		} else {
			t.outcome[change] = errno
		}
	}
}

// message is the body of NFT_MSG_NEWRULE.
func (r Rule) message(native bool) ([]byte, error) {
	var list []byte
	for _, e := range r.expressions(native) {
		data, err := expr.Marshal(byte(r.Family), e)
		if err != nil {
			return nil, err
		}
		list = nested(list, unix.NFTA_LIST_ELEM, data)
	}
	body := nested(inChain(r.Chain), unix.NFTA_RULE_EXPRESSIONS, list)
	if !native && r.Protocol != "" { // extensions for one protocol ask for it
		compat := number(nil, unix.NFTA_RULE_COMPAT_PROTO, uint32(protocols[r.Protocol]))
		body = nested(body, unix.NFTA_RULE_COMPAT, number(compat, unix.NFTA_RULE_COMPAT_FLAGS, 0))
	}
	if r.Comment != "" {
		body = attribute(body, unix.NFTA_RULE_USERDATA, userData(r.Comment))
	}
	return body, nil
}
