package command

import (
	"strings"

	"sandbox/kernel/container"
)

// ShortID is an image's ID as people type it.
func ShortID(id string) string {
	hex := strings.TrimPrefix(id, "sha256:")
	return hex[:min(12, len(hex))]
}

// ImageNames finds what to call the images of containers: as they were called when the containers were made or, if that name
// means another image by now, or none, the image's ID; so does Docker. Digests and IDs are shortened unless they are wanted whole.
func ImageNames(env *Env, whole bool) func(*container.Record) string {
	now := map[string]string{} // what names mean
	return func(r *container.Record) string {
		name := r.Config.Image
		id, known := now[name]
		if !known {
			if img, err := env.Engine().Images.Find(name); err == nil {
				id = img.ID
			}
			now[name] = id
		}
		if id != r.Image {
			name = r.Image
		}
		switch {
		case whole:
			return name
		case name == r.Image || "sha256:"+name == r.Image:
			return ShortID(name)
		}
		name, _, _ = strings.Cut(name, "@") // a digest says little to a person
		return name
	}
}
