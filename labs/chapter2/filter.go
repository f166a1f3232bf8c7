package chapter2

import (
	"fmt"
	"path"
	"strings"

	"sandbox/image"
	"sandbox/kernel"
)

// condition decides on one line of `images`.
type condition func(img *image.Image, ref reference) bool

// parseImageFilters turns --filter flags into one condition. As with Docker all must hold, but of several references one.
func parseImageFilters(store *image.Store, filters []string) (condition, error) {
	var all, references []condition
	for _, f := range filters {
		key, value, ok := strings.Cut(f, "=")
		c, err := imageCondition(store, key, value)
		if err != nil {
			return nil, err
		}
		if !ok || c == nil {
			return nil, kernel.Advise(fmt.Errorf("invalid filter: %q", f), "dangling=true label=NAME[=VALUE] before=IMAGE since=IMAGE until=24h reference=PATTERN")
		}
		if key == "reference" {
			references = append(references, c)
		} else {
			all = append(all, c)
		}
	}
	return func(img *image.Image, ref reference) bool {
		for _, c := range all {
			if !c(img, ref) {
				return false
			}
		}
		for _, c := range references {
			if c(img, ref) {
				return true
			}
		}
		return len(references) == 0
	}, nil
}

// imageCondition is one filter; nil for a key that there is not.
func imageCondition(store *image.Store, key, value string) (condition, error) {
	switch key {
	case "dangling":
		want := value == "true" || value == "1"
		if !want && value != "false" && value != "0" {
			return nil, kernel.Advise(fmt.Errorf("invalid filter: dangling=%s", value), "dangling=true or dangling=false")
		}
		return func(img *image.Image, ref reference) bool { return (len(img.Names)+len(img.Digests) == 0) == want }, nil
	case "label":
		name, want, hasValue := strings.Cut(value, "=")
		return func(img *image.Image, ref reference) bool {
			have, ok := img.Config.Labels[name]
			return ok && (!hasValue || have == want)
		}, nil
	case "before", "since":
		other, err := store.Find(value)
		if err != nil {
			return nil, kernel.Advise(err, "sandbox images   lists what is here")
		}
		if key == "before" {
			return func(img *image.Image, ref reference) bool { return img.Created.Before(other.Created) }, nil
		}
		return func(img *image.Image, ref reference) bool { return img.Created.After(other.Created) }, nil
	case "until":
		limit, err := parseUntil(value)
		return func(img *image.Image, ref reference) bool { return img.Created.Before(limit) }, err
	case "reference":
		if _, err := path.Match(value, ""); err != nil {
			return nil, kernel.Advise(fmt.Errorf("invalid filter: reference=%s: %w", value, err), "* and ? stand for what has no slash in it, [a-z] for one character")
		}
		return func(img *image.Image, ref reference) bool { return matchesReference(value, ref) }, nil
	}
	return nil, nil
}

// matchesReference compares a pattern (path.Match) with a name as people write it: without a tag it means all.
func matchesReference(pattern string, ref reference) bool {
	names := []string{ref.repository + ":" + ref.tag}
	if repository, _ := splitTag(pattern); repository == pattern {
		names = []string{ref.repository}
	}
	short := strings.TrimPrefix(pattern, "docker.io/")
	short = strings.TrimPrefix(short, "library/")
	for _, name := range names {
		for _, p := range []string{pattern, short} {
			if ok, err := path.Match(p, name); ok && err == nil {
				return true
			}
		}
	}
	return false
}
