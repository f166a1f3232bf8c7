package chapter3

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sandbox/image"
	"sandbox/image/builtin"
	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

const filterHelp = "id= name= label= status= exited= ancestor= before= since= volume= network= publish= expose= health= is-task="

// statuses that a container can have, as Docker names them.
var statuses = []string{"created", "restarting", "running", "removing", "paused", "exited", "dead"}

// psFilter is what --filter flags come to.
type psFilter struct {
	all        bool // also those that do not run: a status was asked for
	conditions []condition
}

type condition func(*container.Record) bool

func (f psFilter) match(r *container.Record) bool {
	for _, c := range f.conditions {
		if !c(r) {
			return false
		}
	}
	return true
}

// parseFilters reads --filter flags: the same key twice means either, different keys mean both. Of labels all must be
// there, as with Docker.
func parseFilters(env *command.Env, list []*container.Record, filters []string) (psFilter, error) {
	var f psFilter
	either := map[string][]condition{}
	for _, text := range filters {
		key, value, ok := strings.Cut(text, "=")
		c, err := psCondition(env, list, text, key, value)
		if err != nil {
			return f, err
		}
		if c == nil || !ok {
			return f, kernel.Advise(fmt.Errorf("invalid filter: %q", text), filterHelp)
		}
		f.all = f.all || key == "status"
		if key == "label" {
			f.conditions = append(f.conditions, c)
		} else {
			either[key] = append(either[key], c)
		}
	}
	for _, conditions := range either {
		f.conditions = append(f.conditions, func(r *container.Record) bool {
			return slices.ContainsFunc(conditions, func(c condition) bool { return c(r) })
		})
	}
	return f, nil
}

// psCondition is one filter; nil for a key that there is not.
func psCondition(env *command.Env, list []*container.Record, text, key, value string) (condition, error) {
	invalid := func(cure string) (condition, error) {
		return nil, kernel.Advise(fmt.Errorf("invalid filter: %q", text), "%s", cure)
	}
	switch key {
	case "id":
		return func(r *container.Record) bool { return strings.HasPrefix(r.ID, value) }, nil
	case "name": // people write it with and without the slash that Docker has before it
		pattern, err := regexp.Compile(value)
		if err != nil {
			return invalid("a part of the name, or a regular expression: name='^web'")
		}
		return func(r *container.Record) bool {
			return pattern.MatchString(r.PlainName()) || pattern.MatchString(r.Name)
		}, nil
	case "label":
		name, want, hasValue := strings.Cut(value, "=")
		return func(r *container.Record) bool {
			have, ok := r.Config.Labels[name]
			return ok && (!hasValue || have == want)
		}, nil
	case "status":
		if !slices.Contains(statuses, value) {
			return invalid("status= one of: " + strings.Join(statuses, " "))
		}
		return func(r *container.Record) bool { return r.State.Status == value }, nil
	case "exited":
		code, err := strconv.Atoi(value)
		if err != nil {
			return invalid("an exit code, as in exited=137")
		}
		return func(r *container.Record) bool { return r.State.Status == "exited" && r.State.ExitCode == code }, nil
	case "ancestor":
		return ancestor(env, value)
	case "before", "since":
		return relativeTo(list, text, key, value)
	case "health":
		if !slices.Contains([]string{"starting", "healthy", "unhealthy", "none"}, value) {
			return invalid("health= one of: starting healthy unhealthy none")
		}
		return func(r *container.Record) bool { return healthOf(r) == value }, nil
	case "is-task": // tasks are a swarm's; there is none
		isTask, err := strconv.ParseBool(value)
		if err != nil {
			return invalid("is-task=true or is-task=false")
		}
		return func(r *container.Record) bool { return !isTask }, nil
	}
	return placeCondition(env, key, value)
}

// placeCondition is about what a container is connected with.
func placeCondition(env *command.Env, key, value string) (condition, error) {
	switch key {
	case "volume":
		return func(r *container.Record) bool {
			return slices.ContainsFunc(r.Mounts, func(m container.MountPoint) bool {
				return value == m.Name && m.Name != "" || value == m.Source || value == m.Destination
			})
		}, nil
	case "network":
		return func(r *container.Record) bool { return env.Engine().InNetwork(r, value) }, nil
	case "publish", "expose":
		ports, err := container.ParsePorts(value)
		if err != nil {
			return nil, err
		}
		return func(r *container.Record) bool {
			return slices.ContainsFunc(r.Ports(), func(have container.Port) bool {
				return slices.ContainsFunc(ports, func(want container.Port) bool {
					number := have.Private
					if key == "publish" {
						number = have.Public
					}
					return have.Protocol == want.Protocol && number == want.Private
				})
			})
		}, nil
	}
	return nil, nil
}

func healthOf(r *container.Record) string {
	if r.State.Health == nil {
		return "none"
	}
	return r.State.Health.Status
}

// relativeTo compares with when another container was made.
func relativeTo(list []*container.Record, text, key, ref string) (condition, error) {
	at := slices.IndexFunc(list, func(r *container.Record) bool { return r.PlainName() == ref || r.Name == ref })
	if at < 0 {
		at = slices.IndexFunc(list, func(r *container.Record) bool { return ref != "" && strings.HasPrefix(r.ID, ref) })
	}
	if at < 0 {
		return nil, errNoContainer(text)
	}
	other := list[at].Created
	if key == "before" {
		return func(r *container.Record) bool { return r.Created.Before(other.Time) }, nil
	}
	return func(r *container.Record) bool { return r.Created.After(other.Time) }, nil
}

// ancestor accepts containers of an image, and of those that were built on it.
func ancestor(env *command.Env, ref string) (condition, error) {
	store := env.Engine().Images
	if _, err := builtin.Ensure(store, ref); err != nil {
		return nil, err
	}
	img, err := store.Find(ref)
	if err != nil {
		return func(*container.Record) bool { return false }, nil
	}
	images, err := store.List()
	if err != nil {
		return nil, err
	}
	family := map[string]bool{img.ID: true}
	for grown := true; grown; {
		grown = false
		for _, i := range images {
			if !family[i.ID] && (family[i.Parent] || builtOn(i, img)) {
				family[i.ID], grown = true, true
			}
		}
	}
	return func(r *container.Record) bool { return family[r.Image] }, nil
}

// builtOn tells whether an image has all the layers of another at its bottom, and one more: one that was built or pulled does not
// know its parent.
func builtOn(img, base *image.Image) bool {
	n := len(base.Layers)
	return n > 0 && len(img.Layers) > n && slices.Equal(img.Layers[:n], base.Layers)
}
