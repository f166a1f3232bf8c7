package cgroup

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

// blockLimits are the limits on disks: rates (v1 blkio.throttle.*, v2 io.max) and weights.
func (h Host) blockLimits(b *specs.LinuxBlockIO, add adder) error {
	if b == nil {
		return nil
	}
	if b.LeafWeight != nil {
		return errors.New("leaf weights of block I/O are not supported: they went with the scheduler CFQ in Linux 5.0")
	}
	if err := h.weights(b, add); err != nil {
		return err
	}
	rates := []struct {
		devices          []specs.LinuxThrottleDevice
		v1, v2, flag     string
		english, chinese string
	}{
		{b.ThrottleReadBpsDevice, "blkio.throttle.read_bps_device", "rbps", "--device-read-bps", "bytes a second read from", "每秒最多读多少字节"},
		{b.ThrottleWriteBpsDevice, "blkio.throttle.write_bps_device", "wbps", "--device-write-bps", "bytes a second written to", "每秒最多写多少字节"},
		{b.ThrottleReadIOPSDevice, "blkio.throttle.read_iops_device", "riops", "--device-read-iops", "reads a second of", "每秒最多读多少次"},
		{b.ThrottleWriteIOPSDevice, "blkio.throttle.write_iops_device", "wiops", "--device-write-iops", "writes a second of", "每秒最多写多少次"},
	}
	for _, r := range rates {
		for _, d := range r.devices {
			value := fmt.Sprintf("%d:%d %d", d.Major, d.Minor, d.Rate)
			if h.Mode == V2 {
				value = fmt.Sprintf("%d:%d %s=%d", d.Major, d.Minor, r.v2, d.Rate)
			}
			disk := h.diskAt(d.Major, d.Minor).String()
			add("blkio", r.v1, "io.max", value, r.flag+": "+r.english+" the disk "+disk, r.flag+"："+r.chinese+"，磁盘是 "+disk)
		}
	}
	return nil
}

// weights are a container's share of disks when these are busy. They count only where something weighs: BFQ, which schedules a disk and
// takes the flag's range as it is (1 … 1000), or v2's io.cost (1 … 10000). Where nothing does they would be accepted and do nothing, so
// they are refused.
func (h Host) weights(b *specs.LinuxBlockIO, add adder) error {
	if b.Weight == nil && len(b.WeightDevice) == 0 {
		return nil
	}
	w := h.Weighers()
	if len(w.BFQ)+len(w.Cost) == 0 {
		return kernel.Advise(errors.New("--blkio-weight: no disk here weighs one container against another: none is scheduled by BFQ"+h.norCost()), "%s", w.cure(h, ""))
	}
	if b.Weight != nil {
		h.addWeight(w, "", *b.Weight, "--blkio-weight: share of disks that are busy", "--blkio-weight：磁盘繁忙时占多大份额", add)
	}
	for _, d := range b.WeightDevice {
		disk := h.diskAt(d.Major, d.Minor)
		only := Weighers{BFQ: keep(w.BFQ, disk.Name), Cost: keep(w.Cost, disk.Name)}
		if len(only.BFQ)+len(only.Cost) == 0 {
			return kernel.Advise(fmt.Errorf("--blkio-weight-device: the disk %s weighs nothing: BFQ does not schedule it%s", disk, h.norCost()), "%s", w.cure(h, disk.Name))
		}
		if d.Weight != nil {
			h.addWeight(only, fmt.Sprintf("%d:%d ", d.Major, d.Minor), *d.Weight,
				"--blkio-weight-device: share of the disk "+disk.String(), "--blkio-weight-device：在这块磁盘上占多大份额："+disk.String(), add)
		}
	}
	return nil
}

func (h Host) norCost() string {
	if h.Mode == V2 {
		return ", and io.cost is off"
	}
	return ""
}

func keep(list []string, name string) []string {
	if slices.Contains(list, name) {
		return []string{name}
	}
	return nil
}

// addWeight writes a weight for whatever weighs; disk is "" for all, or the disk's number and a blank. 0 is what a group has that was
// given none: 100, with BFQ as with io.cost.
func (h Host) addWeight(w Weighers, disk string, weight uint16, english, chinese string, add adder) {
	bfq, cost := int(weight), ioWeightOf(int(weight))
	if weight == 0 {
		bfq, cost = 100, 100
	}
	if len(w.BFQ) > 0 {
		v1 := "blkio.bfq.weight"
		if disk != "" {
			v1 = "blkio.bfq.weight_device"
		}
		add("blkio", v1, "io.bfq.weight", disk+strconv.Itoa(bfq), english, chinese)
	}
	if len(w.Cost) > 0 {
		if weight != 0 {
			english += fmt.Sprintf("; %d of 10 … 1000 is %d of io.cost's 1 … 10000, as runc converts", weight, cost)
			chinese += fmt.Sprintf("；%d（10 … 1000）换算成 io.cost 的 %d（1 … 10000），算法和 runc 相同", weight, cost)
		}
		add("blkio", "", "io.weight", disk+strconv.Itoa(cost), english, chinese)
	}
}

// ioWeightOf lays the flag's range over that of io.weight, as runc and crun do.
func ioWeightOf(weight int) int { return 1 + (max(weight, 10)-10)*9999/990 }
