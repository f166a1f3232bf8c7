package chapter3

import (
	"fmt"
	"strconv"

	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// statsRow is what templates see, under Docker's names and in the order of its JSON.
type statsRow struct {
	BlockIO, CPUPerc, Container, ID, MemPerc, MemUsage, Name, NetIO, PIDs string

	cpu float64 // processors in use
}

func makeStatsRow(r *container.Record, before, now sample, whole bool) *statsRow {
	u := now.usage
	row := &statsRow{
		ID: r.Short(), Name: r.PlainName(), CPUPerc: percent(0), MemPerc: percent(0), PIDs: strconv.FormatInt(u.PIDs, 10),
		MemUsage: command.BinarySize(u.Memory) + " / " + command.BinarySize(u.MemoryLimit),
		NetIO:    command.Size(u.Received) + " / " + command.Size(u.Sent), BlockIO: command.Size(u.Read) + " / " + command.Size(u.Write),
	}
	if whole {
		row.ID = r.ID
	}
	// One that was started anew has counters that begin at zero.
	if passed := now.at.Sub(before.at); !before.at.IsZero() && passed > 0 && u.CPU >= before.usage.CPU {
		row.cpu = float64(u.CPU-before.usage.CPU) / float64(passed)
		row.CPUPerc = percent(row.cpu)
	}
	if u.MemoryLimit > 0 {
		row.MemPerc = percent(float64(u.Memory) / float64(u.MemoryLimit))
	}
	return row
}

func percent(share float64) string { return fmt.Sprintf("%.2f%%", 100*share) }
