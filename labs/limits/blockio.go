package limits

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"sandbox/kernel"
	"sandbox/kernel/container"
)

// blockOptions are the flags about disks.
type blockOptions struct {
	weightDevices                          []string
	readBps, writeBps, readIops, writeIops []string
}

func (o *blockOptions) addFlags(f *pflag.FlagSet) {
	const which = ", the disk being named by its device, a partition, or a file on it"
	f.StringArrayVar(&o.weightDevices, "blkio-weight-device", nil, "the same for one disk: DISK:WEIGHT"+which)
	f.StringArrayVar(&o.readBps, "device-read-bps", nil, "the most bytes a second from a disk: DISK:1mb"+which)
	f.StringArrayVar(&o.writeBps, "device-write-bps", nil, "the most bytes a second to a disk: DISK:1mb")
	f.StringArrayVar(&o.readIops, "device-read-iops", nil, "the most reads a second from a disk: DISK:100")
	f.StringArrayVar(&o.writeIops, "device-write-iops", nil, "the most writes a second to a disk: DISK:100")
}

func (o *blockOptions) apply(r *container.Resources) error {
	for _, s := range o.weightDevices {
		name, value, err := diskAnd("--blkio-weight-device", s, "500")
		if err != nil {
			return err
		}
		weight, err := strconv.ParseUint(value, 10, 16)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid --blkio-weight-device: %q is not a weight", value), "--blkio-weight-device %s:10 to 1000", name)
		}
		r.BlkioWeightDevice = append(r.BlkioWeightDevice, container.WeightDevice{Path: name, Weight: uint16(weight)})
	}
	for _, list := range []struct {
		flag   string
		values []string
		bytes  bool
		target *[]container.ThrottleDevice
	}{
		{"--device-read-bps", o.readBps, true, &r.BlkioDeviceReadBps}, {"--device-write-bps", o.writeBps, true, &r.BlkioDeviceWriteBps},
		{"--device-read-iops", o.readIops, false, &r.BlkioDeviceReadIOps}, {"--device-write-iops", o.writeIops, false, &r.BlkioDeviceWriteIOps},
	} {
		for _, s := range list.values {
			d, err := throttle(list.flag, s, list.bytes)
			if err != nil {
				return err
			}
			*list.target = append(*list.target, d)
		}
	}
	return nil
}

// throttle reads DISK:RATE.
func throttle(flag, s string, bytes bool) (container.ThrottleDevice, error) {
	example, what := "100", "operations"
	if bytes {
		example, what = "1mb", "bytes"
	}
	name, value, err := diskAnd(flag, s, example)
	if err != nil {
		return container.ThrottleDevice{}, err
	}
	rate, err := strconv.ParseUint(value, 10, 63)
	if bytes {
		var n int64
		n, err = ParseSize(value)
		rate = uint64(n)
	}
	if err != nil || rate == 0 {
		return container.ThrottleDevice{}, kernel.Advise(fmt.Errorf("invalid %s: %q is not a number of %s a second", flag, value, what), "1 or more, as in: %s %s:%s", flag, name, example)
	}
	return container.ThrottleDevice{Path: name, Rate: rate}, nil
}

// diskAnd takes apart what stands before and after the last colon.
func diskAnd(flag, s, example string) (name, value string, err error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || !filepath.IsAbs(s[:i]) {
		return "", "", kernel.Advise(fmt.Errorf("invalid %s: %q", flag, s), "a disk and a number, as in: %s /dev/vda:%s", flag, example)
	}
	return s[:i], s[i+1:], nil
}
