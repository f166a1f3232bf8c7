package container

import (
	"encoding/json"
	"maps"
	"os"
	"strconv"
	"strings"
	"time"

	"sandbox/kernel"
)

// What happens to containers, images, networks and volumes is written to a file, a line an event, by whoever does it:
// there is no daemon that would tell of it. `events` reads the file and waits for it to grow (follow.go).
//
// A line is appended with one write(2), so that writers need no lock, and nobody waits for the disk: an event is worth
// some microseconds, not some milliseconds. When the file has grown to eventsLimit it gets the name events.json.1, in place of
// the one before.

// Event is something that has happened, in the shape of Docker's.
type Event struct {
	Type     string // container, image, volume, network
	Action   string // start; "exec_create: sh -c …"; "health_status: healthy"
	Actor    Actor
	Scope    string `json:"scope"`
	Time     int64  `json:"time"` // seconds since 1970
	TimeNano int64  `json:"timeNano"`
}

// Actor is what it has happened to.
type Actor struct {
	ID         string
	Attributes map[string]string
}

// eventsLimit is the size at which the file of events is put aside.
const eventsLimit = 1 << 20

// NewEvent is an event that happens now: a kind of thing, what happens to it, its ID (or name, where that is what it goes by), and
// attributes as name, value, name, value …
func NewEvent(kind, action, id string, attributes ...string) Event {
	t := time.Now()
	e := Event{Type: kind, Action: action, Actor: Actor{ID: id, Attributes: map[string]string{}}, Scope: "local", Time: t.Unix(), TimeNano: t.UnixNano()}
	for i := 0; i+1 < len(attributes); i += 2 {
		e.Actor.Attributes[attributes[i]] = attributes[i+1]
	}
	return e
}

// Event is one of the container: with its image, its name and its labels.
func (r *Record) Event(action string, attributes ...string) Event {
	e := NewEvent("container", action, r.ID)
	maps.Copy(e.Actor.Attributes, r.Config.Labels)
	e.Actor.Attributes["image"], e.Actor.Attributes["name"] = r.Config.Image, r.PlainName()
	for i := 0; i+1 < len(attributes); i += 2 {
		e.Actor.Attributes[attributes[i]] = attributes[i+1]
	}
	return e
}

// Event writes down what has happened: e.Event(r.Event("pause")), e.Event(NewEvent("volume", "create", name, "driver", "local")).
// Several that belong together are written at once. It cannot fail: what has happened has happened.
func (e *Engine) Event(events ...Event) {
	var lines []byte
	var actions []string
	for _, event := range events {
		line, err := json.Marshal(event)
		if err != nil {
			continue
		}
		lines = append(append(lines, line...), '\n')
		action, _, _ := strings.Cut(event.Action, ":")
		actions = append(actions, action)
	}
	said := strings.Join(actions, ", ")
	e.Door.Do(kernel.Step{
		Effect: kernel.AppendFile{Path: e.Paths.events(), Data: lines, Mode: 0o600}, Section: sectionOfEvent(events), Optional: true,
		Why: kernel.Why{EN: "sandbox events tells of it: " + said, ZH: "sandbox events 会报告：" + said},
	})
	if info, err := os.Stat(e.Paths.events()); err == nil && info.Size() > eventsLimit {
		e.rotateEvents()
	}
}

// sectionOfEvent is where the tutorial speaks of what has happened.
func sectionOfEvent(events []Event) string {
	action, _, _ := strings.Cut(events[0].Action, ":")
	switch {
	case events[0].Type == "image":
		return "2.5"
	case events[0].Type == "volume":
		return "2.3"
	case events[0].Type == "network":
		return "3.6"
	case strings.HasPrefix(action, "exec_"):
		return "3.2"
	case action == "create" || action == "attach" || action == "start":
		return "3.1"
	}
	return "3.3"
}

// rotateEvents puts the file of events aside, if nobody else does so or has just done it.
func (e *Engine) rotateEvents() {
	path := e.Paths.events()
	lock, taken, err := takeLock(path)
	if err != nil || !taken {
		return
	}
	defer lock.Close()
	locked, err := lock.Stat()
	if err != nil {
		return
	}
	if now, err := os.Stat(path); err != nil || !os.SameFile(now, locked) || now.Size() <= eventsLimit {
		return
	}
	e.Door.Do(kernel.Step{
		Effect: kernel.Rename{From: path, To: path + ".1"}, Section: "3.1", Optional: true,
		Why: kernel.Why{EN: "the file of events is full: a new one begins", ZH: "事件文件写满了，另起一个"},
	})
}

// made are the events of a container that `run` has made: nobody knew of it before it ran.
func (r *Record) made() []Event {
	events := []Event{r.Event("create")}
	if r.Config.AttachStdout {
		events = append(events, r.Event("attach"))
	}
	return events
}

// volumeEvents are those of the volumes that a container begins or ceases to use: mount, unmount.
func (r *Record) volumeEvents(action string) []Event {
	var events []Event
	for _, m := range r.MountOptions {
		if m.Type == "volume" {
			attributes := []string{"container", r.ID, "driver", "local"}
			if action == "mount" {
				attributes = append(attributes, "destination", m.Target, "propagation", "", "read/write", strconv.FormatBool(!m.ReadOnly))
			}
			events = append(events, NewEvent("volume", action, m.Source, attributes...))
		}
	}
	return events
}

// died is the event of a container's end.
func (r *Record) died() Event {
	return r.Event("die", "exitCode", strconv.Itoa(r.State.ExitCode),
		"execDuration", strconv.Itoa(int(r.State.FinishedAt.Sub(r.State.StartedAt.Time).Seconds())))
}
