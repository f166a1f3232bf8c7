package seccomp

import (
	"fmt"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// verdict is what becomes of one call: the conditional rules are tried in order, and if none fits the action is taken.
type verdict struct {
	action  uint32 // what the program returns: SECCOMP_RET_…
	settled bool   // the action comes from a rule without conditions, not from the profile's default
	rules   []conditional
}

// conditional is an action that is taken if all conditions on arguments hold.
type conditional struct {
	action     uint32
	conditions []specs.LinuxSeccompArg
}

// add takes in one more rule of the profile. One without conditions covers those with, whichever comes first: what
// libseccomp does too. Of several without conditions the first counts.
func (v *verdict) add(action uint32, conditions []specs.LinuxSeccompArg) {
	switch {
	case v.settled:
	case len(conditions) == 0:
		*v = verdict{action: action, settled: true}
	default:
		v.rules = append(v.rules, conditional{action, conditions})
	}
}

// judgement is a profile's verdict on each call.
type judgement struct {
	standard uint32    // on whatever the profile does not name
	verdicts []verdict // by index into calls, as named
	named    []bool    // the calls that the profile names
	beyond   *verdict  // on numbers behind those of the calls that it names
}

// judge reads the profile, rule for rule.
func judge(spec *specs.LinuxSeccomp) (*judgement, error) {
	standard, err := actionValue(spec.DefaultAction, spec.DefaultErrnoRet)
	if err != nil {
		return nil, fmt.Errorf("default action: %w", err)
	}
	j := &judgement{standard: standard, verdicts: make([]verdict, len(calls)), named: make([]bool, len(calls)), beyond: beyondNamed(standard)}
	for i := range j.verdicts {
		j.verdicts[i].action = standard
	}
	for i := range spec.Syscalls {
		if err := j.rule(&spec.Syscalls[i]); err != nil {
			return nil, fmt.Errorf("syscalls[%d] %q: %w", i, spec.Syscalls[i].Names, err)
		}
	}
	j.multiplex()
	return j, nil
}

// rule enters one rule of the profile.
func (j *judgement) rule(r *specs.LinuxSyscall) error {
	action, err := actionValue(r.Action, r.ErrnoRet)
	if err != nil {
		return err
	}
	repeated, err := checkConditions(r.Args)
	if err != nil {
		return err
	}
	for _, name := range r.Names {
		i := callIndex(name)
		if i < 0 {
			continue
		}
		j.named[i] = true
		if action == j.standard {
			continue // runc leaves these out, so that a later rule for the call is heard
		}
		if !repeated {
			j.verdicts[i].add(action, r.Args)
			continue
		}
		// Conditions that repeat an argument are alternatives: runc made an old limit of libseccomp a rule, and Docker's
		// default profile reckons with it.
		for k := range r.Args {
			j.verdicts[i].add(action, r.Args[k:k+1])
		}
	}
	return nil
}

// beyondNamed is the verdict on calls with higher numbers than any that the profile names, which are newer than it. A
// program that meets EPERM where it tries a new call gives up; with ENOSYS it falls back to the old one. runc does so
// unless calls pass by default.
func beyondNamed(standard uint32) *verdict {
	switch standard & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_LOG, unix.SECCOMP_RET_TRACE:
		return &verdict{action: standard}
	}
	return &verdict{action: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)}
}

// actions are the names that a profile may use.
var actions = [...]struct {
	name  specs.LinuxSeccompAction
	value uint32
	errno bool // the errno goes into the value's low half
}{
	{specs.ActAllow, unix.SECCOMP_RET_ALLOW, false},
	{specs.ActErrno, unix.SECCOMP_RET_ERRNO, true},
	{specs.ActKill, unix.SECCOMP_RET_KILL_THREAD, false},
	{specs.ActKillThread, unix.SECCOMP_RET_KILL_THREAD, false},
	{specs.ActKillProcess, unix.SECCOMP_RET_KILL_PROCESS, false},
	{specs.ActLog, unix.SECCOMP_RET_LOG, false},
	{specs.ActTrace, unix.SECCOMP_RET_TRACE, true},
	{specs.ActTrap, unix.SECCOMP_RET_TRAP, false},
}

// maxErrno is the largest that the kernel hands on.
const maxErrno = 4095

// actionValue is what the program returns for an action; the errno is EPERM where the profile names none.
func actionValue(name specs.LinuxSeccompAction, errno *uint) (uint32, error) {
	if name == specs.ActNotify {
		return 0, fmt.Errorf("%s needs a supervisor that decides each call, and there is none here", name)
	}
	for _, a := range actions {
		switch {
		case a.name != name:
		case !a.errno:
			return a.value, nil
		case errno == nil:
			return a.value | uint32(unix.EPERM), nil
		case *errno > maxErrno:
			return 0, fmt.Errorf("errnoRet %d: an errno is at most %d", *errno, maxErrno)
		default:
			return a.value | uint32(*errno), nil
		}
	}
	return 0, fmt.Errorf("unknown action %q: use %s", name, list(actionNames()))
}

func actionNames() []specs.LinuxSeccompAction {
	names := make([]specs.LinuxSeccompAction, len(actions))
	for i, a := range actions {
		names[i] = a.name
	}
	return names
}

// same says that two verdicts decide alike, so that neighbouring numbers make one range and conditions are assembled
// once.
func (v *verdict) same(w *verdict) bool {
	return v.action == w.action && slices.EqualFunc(v.rules, w.rules, func(a, b conditional) bool {
		return a.action == b.action && slices.Equal(a.conditions, b.conditions)
	})
}
