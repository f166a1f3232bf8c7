package container

import (
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/cgroup"
	"sandbox/kernel"
)

// Docker's range of weights.
const (
	leastWeight = 10
	mostWeight  = 1000
)

// checkBlockIO refuses weights and rates that are none.
func (r *Resources) checkBlockIO() error {
	if r.BlkioWeight != 0 && (r.BlkioWeight < leastWeight || r.BlkioWeight > mostWeight) {
		return outOfRange("blkio-weight", r.BlkioWeight)
	}
	for _, d := range r.BlkioWeightDevice {
		if d.Weight < leastWeight || d.Weight > mostWeight {
			return kernel.Advise(fmt.Errorf("invalid --blkio-weight-device: %d", d.Weight), "--blkio-weight-device %s:%d to %d", d.Path, leastWeight, mostWeight)
		}
	}
	return nil
}

// findDisks turns the names that the user gave to disks into numbers, and says which disk is meant where a name is not the disk's own.
func (r *Resources) findDisks(e *Engine) error {
	find := func(flag, name string, major, minor *int64) error {
		disk, err := e.Groups.DiskOf(name)
		if err != nil {
			return kernel.Advise(fmt.Errorf("%s: %w", flag, err), "%s", kernel.CureOf(err))
		}
		*major, *minor = disk.Major, disk.Minor
		if name != "/dev/"+disk.Name {
			e.noteDisk(name, disk)
		}
		return nil
	}
	for i := range r.BlkioWeightDevice {
		d := &r.BlkioWeightDevice[i]
		if err := find("--blkio-weight-device", d.Path, &d.Major, &d.Minor); err != nil {
			return err
		}
	}
	for _, list := range []struct {
		flag    string
		devices []ThrottleDevice
	}{
		{"--device-read-bps", r.BlkioDeviceReadBps}, {"--device-write-bps", r.BlkioDeviceWriteBps},
		{"--device-read-iops", r.BlkioDeviceReadIOps}, {"--device-write-iops", r.BlkioDeviceWriteIOps},
	} {
		for i := range list.devices {
			d := &list.devices[i]
			if err := find(list.flag, d.Path, &d.Major, &d.Minor); err != nil {
				return err
			}
		}
	}
	return nil
}

// noteDisk tells which disk a name leads to.
func (e *Engine) noteDisk(name string, disk cgroup.Disk) {
	where := disk.String()
	if disk.Part != "" {
		where = "/dev/" + disk.Part + ", a part of " + where
	}
	e.Door.Note("3.4", name+" is on "+where, kernel.Why{
		EN: "disks are scheduled and throttled as a whole: this one is meant",
		ZH: "内核按整块磁盘调度和限速：指的就是这一块",
	})
}

// blockIO is that part of the OCI specification's resources.
func (r *Resources) blockIO() *specs.LinuxBlockIO {
	var b specs.LinuxBlockIO
	if r.BlkioWeight != 0 {
		b.Weight = &r.BlkioWeight
	}
	for _, d := range r.BlkioWeightDevice {
		w := specs.LinuxWeightDevice{Weight: &d.Weight}
		w.Major, w.Minor = d.Major, d.Minor
		b.WeightDevice = append(b.WeightDevice, w)
	}
	b.ThrottleReadBpsDevice, b.ThrottleWriteBpsDevice = throttles(r.BlkioDeviceReadBps), throttles(r.BlkioDeviceWriteBps)
	b.ThrottleReadIOPSDevice, b.ThrottleWriteIOPSDevice = throttles(r.BlkioDeviceReadIOps), throttles(r.BlkioDeviceWriteIOps)
	if b.Weight == nil && len(b.WeightDevice)+len(b.ThrottleReadBpsDevice)+len(b.ThrottleWriteBpsDevice)+len(b.ThrottleReadIOPSDevice)+len(b.ThrottleWriteIOPSDevice) == 0 {
		return nil
	}
	return &b
}

func throttles(list []ThrottleDevice) []specs.LinuxThrottleDevice {
	var all []specs.LinuxThrottleDevice
	for _, d := range list {
		t := specs.LinuxThrottleDevice{Rate: d.Rate}
		t.Major, t.Minor = d.Major, d.Minor
		all = append(all, t)
	}
	return all
}
