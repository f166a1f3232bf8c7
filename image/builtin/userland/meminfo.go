package userland

import (
	"os"
	"strconv"
	"strings"
)

// meminfo is /proc/meminfo: names and kilobytes.
type meminfo map[string]uint64

func readMeminfo() (meminfo, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return nil, err
	}
	return parseMeminfo(string(text)), nil
}

func parseMeminfo(text string) meminfo {
	m := meminfo{}
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if !found || len(fields) == 0 {
			continue
		}
		m[name], _ = strconv.ParseUint(fields[0], 10, 64)
	}
	return m
}

// cached is the page cache with what the kernel could give back of its own structures.
func (m meminfo) cached() uint64 { return m["Cached"] + m["SReclaimable"] }

// used is what cannot be had: procps counts everything that is not available.
func (m meminfo) used() uint64 {
	if m["MemAvailable"] > m["MemTotal"] {
		return m["MemTotal"] - m["MemFree"]
	}
	return m["MemTotal"] - m["MemAvailable"]
}
