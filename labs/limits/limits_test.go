package limits

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"sandbox/kernel"
	"sandbox/kernel/container"
)

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "1048576": 1 << 20, "64m": 64 << 20, "64M": 64 << 20, "64mb": 64 << 20, "64MiB": 64 << 20, "1.5g": 3 << 29, "10 k": 10 << 10, "7b": 7, "1t": 1 << 40,
	} {
		if got, err := ParseSize(s); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "m", "-1", "1e3", "inf", "NaN", "0x10", "1x", "1..2", "5000p", "999999999999g", "1 2"} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("ParseSize(%q) = %d", s, got)
		}
	}
}

func TestFlags(t *testing.T) {
	for line, want := range map[string]string{ // "" for what is right
		"-m 200m --memory-swap -1 -c 512 --cpus 1.5 --pids-limit -1 --device-write-bps /a:b:1mb": "",
		"--memory-swap -2": "invalid --memory-swap", "--memory-reservation x": "invalid --memory-reservation",
		"--cpus 1.0000000001": "more than nine digits", "--cpus -1": "invalid --cpus", "--cpus x": "not a number",
		"--device-read-bps /dev/vda": "invalid --device-read-bps", "--device-read-bps vda:1": "invalid --device-read-bps",
		"--device-write-iops /dev/vda:-1": "operations a second", "--blkio-weight-device /dev/vda:x": "not a weight",
	} {
		var o Options
		f := pflag.NewFlagSet("run", pflag.ContinueOnError)
		o.AddCreate(f)
		if err := f.Parse(strings.Fields(line)); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		var r container.Resources
		err := o.Apply(&r)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", line, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || kernel.CureOf(err) == ""):
			t.Errorf("%s: %v (%s); want %q and a cure", line, err, kernel.CureOf(err), want)
		case want == "" && (r.Memory != 200<<20 || r.MemorySwap != -1 || r.CpuShares != 512 || r.NanoCpus != 1_500_000_000 || *r.PidsLimit != -1 ||
			r.BlkioDeviceWriteBps[0] != container.ThrottleDevice{Path: "/a:b", Rate: 1 << 20}):
			t.Errorf("%s: %+v", line, r)
		}
	}
}
