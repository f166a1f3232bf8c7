package stress

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const help = `Keeps processors, memory and disks busy.

Usage: stress [OPTION [ARG]] ...
 -?, --help         this text
     --version      which version this is
 -v, --verbose      tell each step
 -q, --quiet        tell of failures only
 -n, --dry-run      start the workers, but let them do nothing
 -t, --timeout N    end after N seconds
     --backoff N    workers wait N microseconds before they begin, times the number of those still to come (default 3000)
 -c, --cpu N        N workers that compute square roots
 -i, --io N         N workers that call sync()
 -m, --vm N         N workers that fill memory and give it back
     --vm-bytes B   how much each of them fills (default 256M)
     --vm-stride B  touch one byte in every B (default 4096, a page: then it is really used)
     --vm-hang N    keep it for N seconds before it is given back (0: for ever)
     --vm-keep      never give it back; fill the same memory again
 -d, --hdd N        N workers that write files and remove them, in the working directory
     --hdd-bytes B  how much goes into each file (default 1G)

Numbers may end in s, m, h, d, y (time) or B, K, M, G (size, in powers of 1024).

Example: stress --cpu 8 --io 4 --vm 2 --vm-bytes 128M --timeout 10s
`

// options are what the command line says; times in seconds, but backoff in microseconds.
type options struct {
	help, version, verbose, quiet, dryRun, keep bool
	cpu, io, vm, hdd                            int64
	timeout, backoff, hang                      int64
	vmBytes, hddBytes, stride                   int64
}

// short are the letters of options, with the words that they stand for.
var short = map[string]string{
	"-?": "--help", "-v": "--verbose", "-q": "--quiet", "-n": "--dry-run", "-t": "--timeout",
	"-c": "--cpu", "-i": "--io", "-m": "--vm", "-d": "--hdd",
}

// Units of time in seconds, of sizes in bytes.
var (
	times = map[string]int64{"": 1, "s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60, "y": 365 * 24 * 60 * 60}
	sizes = map[string]int64{"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
)

// switches are the options without a value, by name.
func (o *options) switches() map[string]*bool {
	return map[string]*bool{
		"--help": &o.help, "--version": &o.version, "--verbose": &o.verbose, "--quiet": &o.quiet, "--dry-run": &o.dryRun, "--vm-keep": &o.keep,
	}
}

// numeric is an option with a number: where it goes, which units it may have, and the least that makes sense.
type numeric struct {
	target *int64
	units  map[string]int64
	least  int64
}

func (o *options) numbers() map[string]numeric {
	return map[string]numeric{
		"--cpu": {&o.cpu, sizes, 1}, "--io": {&o.io, sizes, 1}, "--vm": {&o.vm, sizes, 1}, "--hdd": {&o.hdd, sizes, 1},
		"--timeout": {&o.timeout, times, 1}, "--backoff": {&o.backoff, times, 0}, "--vm-hang": {&o.hang, times, 0},
		"--vm-bytes": {&o.vmBytes, sizes, 1}, "--vm-stride": {&o.stride, sizes, 1}, "--hdd-bytes": {&o.hddBytes, sizes, 1},
	}
}

// parse reads the command line; what it has understood up to an error is returned too. A value may be the next argument or
// stand behind a =.
func parse(args []string) (options, error) {
	o := options{backoff: 3000, hang: -1, vmBytes: 256 << 20, hddBytes: 1 << 30, stride: 4096}
	switches, numbers := o.switches(), o.numbers()
	for len(args) > 0 {
		typed, value, hasValue := strings.Cut(args[0], "=")
		args = args[1:]
		name := typed
		if long, ok := short[typed]; ok {
			name = long
		}
		if target, ok := switches[name]; ok && !hasValue {
			*target = true
			continue
		}
		n, ok := numbers[name]
		if !ok {
			return o, fmt.Errorf("unrecognized option: %s", typed)
		}
		if !hasValue {
			if len(args) == 0 {
				return o, fmt.Errorf("missing argument to option '%s'", typed)
			}
			value, args = args[0], args[1:]
		}
		var err error
		if *n.target, err = n.read(value); err != nil {
			return o, fmt.Errorf("%s: %w", typed, err)
		}
	}
	return o, nil
}

// read reads a number with its unit.
func (n numeric) read(text string) (int64, error) {
	end := len(text)
	for end > 0 && (text[end-1] < '0' || text[end-1] > '9') {
		end--
	}
	unit, ok := n.units[strings.ToLower(text[end:])]
	if !ok {
		return 0, fmt.Errorf("unrecognized suffix: %s", text[end:])
	}
	value, err := strconv.ParseInt(text[:end], 10, 64)
	switch {
	case err != nil || value > math.MaxInt64/unit:
		return 0, fmt.Errorf("not a number that can be used: %s", text)
	case value*unit < n.least:
		return 0, fmt.Errorf("invalid value: %s (at least %d)", text, n.least)
	}
	return value * unit, nil
}
