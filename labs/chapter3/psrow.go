package chapter3

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// psRow is what templates see, under Docker's names; the fields are in the order in which Docker's JSON has them.
type psRow struct {
	Command, CreatedAt, ID, Image, Labels, LocalVolumes, Mounts, Names, Networks, Ports, RunningFor, Size, State, Status string

	labels  map[string]string
	health  string
	heading bool
}

// psHeading is the row above the others.
var psHeading = &psRow{
	ID: "CONTAINER ID", Image: "IMAGE", Command: "COMMAND", CreatedAt: "CREATED AT", RunningFor: "CREATED", Status: "STATUS",
	State: "STATE", Ports: "PORTS", Names: "NAMES", Labels: "LABELS", Mounts: "MOUNTS", Networks: "NETWORKS", Size: "SIZE",
	LocalVolumes: "LOCAL VOLUMES", heading: true,
}

// Label is one label's value, for templates: {{.Label "tier"}}. Above it stands the last part of its name.
func (r *psRow) Label(name string) string {
	if !r.heading {
		return r.labels[name]
	}
	words := strings.FieldsFunc(name[strings.LastIndexByte(name, '.')+1:], func(c rune) bool { return c == '-' || c == '_' })
	return strings.Join(words, " ")
}

// Platform is what the container's programs are for.
func (r *psRow) Platform() string {
	if r.heading {
		return "PLATFORM"
	}
	return "linux/" + runtime.GOARCH
}

// HealthStatus is what health checks have found; "" without any.
func (r *psRow) HealthStatus() string {
	if r.heading {
		return "HEALTH STATUS"
	}
	return r.health
}

// lengths in Docker's table.
const (
	commandColumns = 20
	mountColumns   = 15
)

func makePsRow(r *container.Record, whole bool, imageName, size func(*container.Record) string) *psRow {
	row := &psRow{
		ID: r.Short(), Image: imageName(r), Command: r.CommandLine(),
		CreatedAt: r.Created.Local().Format("2006-01-02 15:04:05 -0700 MST"), RunningFor: command.Since(r.Created.Time) + " ago",
		Status: status(r), State: r.State.Status, Names: r.PlainName(), Networks: strings.Join(r.NetworkNames(), ","), Size: "0B", labels: r.Config.Labels,
	}
	if whole {
		row.ID = r.ID
	} else {
		row.Command = ellipsis(row.Command, commandColumns)
	}
	row.Command = strconv.Quote(row.Command)
	var labels, mounts []string
	for _, name := range slices.Sorted(maps.Keys(r.Config.Labels)) {
		labels = append(labels, name+"="+r.Config.Labels[name])
	}
	local := 0
	for _, m := range r.Mounts {
		name := m.Source
		if m.Name != "" {
			name = m.Name
		}
		if m.Driver == "local" {
			local++
		}
		if !whole {
			name = ellipsis(name, mountColumns)
		}
		mounts = append(mounts, name)
	}
	row.Labels, row.Mounts, row.LocalVolumes = strings.Join(labels, ","), strings.Join(mounts, ","), strconv.Itoa(local)
	if r.State.Health != nil {
		row.health = r.State.Health.Status
	}
	if r.State.Running {
		row.Ports = r.Ports().String()
	}
	if size != nil {
		row.Size = size(r)
	}
	return row
}

// ellipsis cuts a text to so many characters.
func ellipsis(s string, columns int) string {
	if runes := []rune(s); len(runes) > columns {
		return string(runes[:columns-1]) + "…"
	}
	return s
}

// status in Docker's words: Up 5 seconds, Exited (0) 2 minutes ago, Created.
func status(r *container.Record) string {
	switch {
	case r.State.Restarting:
		return fmt.Sprintf("Restarting (%d) %s ago", r.State.ExitCode, command.Since(r.State.FinishedAt.Time))
	case r.State.Paused:
		return "Up " + command.Since(r.State.StartedAt.Time) + " (Paused)"
	case r.State.Running:
		text := "Up " + command.Since(r.State.StartedAt.Time)
		if health := r.State.Health.Brief(); health != "" {
			text += " (" + health + ")"
		}
		return text
	case r.State.Status == "exited":
		text := fmt.Sprintf("Exited (%d) %s ago", r.State.ExitCode, command.Since(r.State.FinishedAt.Time))
		if why := r.State.End.Brief(); why != "" { // what the code does not tell
			text += " (" + why + ")"
		}
		return text
	}
	return strings.ToUpper(r.State.Status[:1]) + r.State.Status[1:]
}
