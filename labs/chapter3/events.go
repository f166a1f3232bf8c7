package chapter3

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/signal"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type eventsOptions struct {
	since, until, format string
	filters              []string
}

// NewEvents makes `sandbox events`.
func NewEvents(env *command.Env) *cobra.Command {
	var opts eventsOptions
	cmd := &cobra.Command{
		Use:     "events [flags]",
		Short:   "Show what happens to containers and images, as it happens",
		Example: "  sandbox events\n  sandbox events --since 10m --until 0s\n  sandbox events -f event=die --format '{{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}'",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runEvents(cmd, env, opts) },
	}
	f := cmd.Flags()
	f.StringVar(&opts.since, "since", "", "first what has happened since a time (2026-01-02T15:04:05) or for a while (10m)")
	f.StringVar(&opts.until, "until", "", "end at a time; 0s: now")
	f.StringArrayVarP(&opts.filters, "filter", "f", nil, "type=, event=, container=, image=, label=, volume=, network=, scope=")
	f.StringVar(&opts.format, "format", "", "a Go template, or json")
	return cmd
}

func runEvents(cmd *cobra.Command, env *command.Env, opts eventsOptions) error {
	match, err := parseEventFilters(opts.filters)
	if err != nil {
		return err
	}
	show, err := eventFormat(opts.format)
	if err != nil {
		return err
	}
	var o container.EventOptions
	if o.Since, err = parseTime(opts.since); err != nil {
		return err
	}
	if o.Until, err = parseTime(opts.until); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	return env.Engine().Events(ctx, o, func(e container.Event) error {
		if !match(e) {
			return nil
		}
		return show(env.Out, e)
	})
}

// shownEvent is what templates and json see: an event, with the fields that older versions of Docker had.
type shownEvent struct {
	Status string `json:"status,omitempty"`
	ID     string `json:"id,omitempty"`
	From   string `json:"from,omitempty"`
	container.Event
}

func olderFields(e container.Event) shownEvent {
	s := shownEvent{Event: e}
	if e.Type == "container" || e.Type == "image" {
		s.Status, s.ID, s.From = e.Action, e.Actor.ID, e.Actor.Attributes["image"]
	}
	return s
}

// eventFormat is how an event is printed: Docker's line, JSON or a template.
func eventFormat(format string) (func(io.Writer, container.Event) error, error) {
	switch format {
	case "":
		return printEvent, nil
	case "json":
		return func(w io.Writer, e container.Event) error {
			line, err := json.Marshal(olderFields(e))
			if err == nil {
				_, err = fmt.Fprintf(w, "%s\n", line)
			}
			return err
		}, nil
	}
	t, err := command.Template(format)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer, e container.Event) error { return expandEvent(w, t, e) }, nil
}

func expandEvent(w io.Writer, t *template.Template, e container.Event) error {
	var b strings.Builder
	if err := t.Execute(&b, olderFields(e)); err != nil {
		return kernel.Advise(err, "the fields are those of --format json")
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}

// printEvent prints: time, type, what, to whom (attribute=value, …).
func printEvent(w io.Writer, e container.Event) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %s", time.Unix(0, e.TimeNano).Format("2006-01-02T15:04:05.000000000Z07:00"), e.Type, e.Action, e.Actor.ID)
	var attributes []string
	for _, name := range slices.Sorted(maps.Keys(e.Actor.Attributes)) {
		attributes = append(attributes, name+"="+e.Actor.Attributes[name])
	}
	if len(attributes) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(attributes, ", "))
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}

// parseEventFilters turns --filter flags into a condition: the same key twice means either, different keys mean both.
func parseEventFilters(filters []string) (func(container.Event) bool, error) {
	groups := map[string][]string{}
	for _, f := range filters {
		key, value, ok := strings.Cut(f, "=")
		switch key {
		case "type", "event", "container", "image", "label", "volume", "network", "scope":
		default:
			ok = false
		}
		if !ok {
			return nil, kernel.Advise(fmt.Errorf("invalid filter: %q", f), "type= event= container= image= label= volume= network= scope=")
		}
		groups[key] = append(groups[key], value)
	}
	return func(e container.Event) bool {
		for key, values := range groups {
			if !slices.ContainsFunc(values, func(v string) bool { return eventHas(e, key, v) }) {
				return false
			}
		}
		return true
	}, nil
}

func eventHas(e container.Event, key, value string) bool {
	attributes := e.Actor.Attributes
	switch key {
	case "type":
		return e.Type == value
	case "event": // exec_start has the command, and health_status the state, behind a colon
		action, _, _ := strings.Cut(e.Action, ":")
		return e.Action == value || action == value
	case "scope":
		return e.Scope == value
	case "label":
		name, want, hasValue := strings.Cut(value, "=")
		have, ok := attributes[name]
		return ok && (!hasValue || have == want)
	case "image":
		name := attributes["image"]
		if e.Type == "image" {
			name = attributes["name"]
		}
		bare, _, _ := strings.Cut(name, ":")
		return name == value || bare == value || e.Type == "image" && hasID(e, value)
	}
	return e.Type == key && (hasID(e, value) || attributes["name"] == value) || e.Type == "network" && attributes[key] == value
}

// hasID tells whether a value is what the event is about, or the beginning of its ID.
func hasID(e container.Event, value string) bool {
	return value != "" && (e.Actor.ID == value || strings.HasPrefix(strings.TrimPrefix(e.Actor.ID, "sha256:"), value))
}
