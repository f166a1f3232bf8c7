package kernel

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Advice is an error with its cure: what the user sees is one line for the cause and one for the cure.
type Advice struct {
	Cause error
	Cure  string
	Code  int // the exit code it calls for; 0 for the command's usual one
}

func (a *Advice) Error() string { return a.Cause.Error() }

// Unwrap gives the cause.
func (a *Advice) Unwrap() error { return a.Cause }

// Advise adds a cure to an error.
func Advise(cause error, cure string, args ...any) error {
	if len(args) > 0 {
		cure = fmt.Sprintf(cure, args...)
	}
	return &Advice{Cause: cause, Cure: cure}
}

// CureOf is what the user can do about an error: the cure it carries, or the usual one for the call and errno that
// it came from; "" if there is nothing to say.
func CureOf(err error) string {
	var advice *Advice
	if errors.As(err, &advice) {
		return advice.Cure
	}
	var call *CallError
	if errors.As(err, &call) {
		if strings.Contains(call.Call.Shell, "tables ") {
			return cureOfRule(call.Errno)
		}
		return cureOfCall(call.Call.Name, call.Errno)
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fullDisk
	}
	return ""
}

const fullDisk = "the disk is full: `df -h`; `sandbox system df` says what is ours, `sandbox image prune` and `sandbox rm` give it back"

// cureOfRule of the firewall.
func cureOfRule(errno syscall.Errno) string {
	switch errno {
	case syscall.EPROTONOSUPPORT, syscall.EOPNOTSUPP, syscall.EINVAL, syscall.EAFNOSUPPORT:
		return "this kernel has no nf_tables (CONFIG_NF_TABLES, NF_TABLES_IPV4, NFT_NAT, NFT_CT): `modprobe nf_tables`, or use --network none or host"
	case syscall.EPERM:
		return "rules are for root, or for root of a pocket host: `sandbox lab host` opens one"
	case syscall.ENOENT:
		return "somebody has removed what the rule belongs to: `sandbox network repair`"
	}
	return cureOfCall("sendto", errno)
}

func cureOfCall(name string, errno syscall.Errno) string {
	switch {
	case errno == syscall.EPERM && (name == "clone3" || name == "unshare"):
		return "this user may not make namespaces here: `sandbox doctor` says what blocks them"
	case errno == syscall.ENOSPC && (name == "clone3" || name == "unshare"):
		return "a limit on namespaces is reached: see /proc/sys/user/max_*_namespaces"
	case errno == syscall.ENOSYS:
		return "this kernel does not have that system call: `sandbox doctor` lists what is needed"
	case errno == syscall.ENODEV && name == "mount":
		return "the kernel does not have that file system: `sandbox doctor` lists what is needed"
	case errno == syscall.ENOSPC || errno == syscall.EDQUOT:
		return fullDisk
	case errno == syscall.EMFILE || errno == syscall.ENFILE:
		return "too many files are open: raise `ulimit -n`"
	case errno == syscall.EACCES || errno == syscall.EPERM:
		return "run it as root, or let `sandbox doctor` say what this user can do"
	case errno == syscall.ENOMEM:
		return "the machine is out of memory: `free -m`"
	}
	return ""
}
