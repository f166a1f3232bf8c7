package registry

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ParsePlatform reads os[/architecture[/variant]], or an architecture alone, which means Linux.
func ParsePlatform(s string) (v1.Platform, error) {
	parts := strings.Split(s, "/")
	if slices.Contains(parts, "") || len(parts) > 3 {
		return v1.Platform{}, fmt.Errorf("invalid platform %q: it should be as in linux/amd64, or linux/arm/v7", s)
	}
	p := v1.Platform{OS: strings.ToLower(parts[0]), Architecture: runtime.GOARCH}
	if len(parts) == 1 && p.OS != "linux" && p.OS != "windows" {
		parts = []string{"linux", parts[0]}
		p.OS = "linux"
	}
	if len(parts) > 1 {
		p.Architecture = strings.ToLower(parts[1])
	}
	if len(parts) > 2 {
		p.Variant = strings.ToLower(parts[2])
	}
	return normal(p), nil
}

// normal gives each platform one way to be written (the image spec's table of variants, and the names that uname has).
func normal(p v1.Platform) v1.Platform {
	switch p.Architecture {
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	case "i386", "i686":
		p.Architecture = "386"
	case "aarch64":
		p.Architecture = "arm64"
	case "armhf":
		p.Architecture, p.Variant = "arm", "v7"
	}
	switch {
	case p.Architecture == "arm64" && (p.Variant == "8" || p.Variant == "v8"), p.Architecture == "amd64" && p.Variant == "v1":
		p.Variant = ""
	case p.Architecture == "arm" && p.Variant == "":
		p.Variant = "v7"
	case len(p.Variant) == 1:
		p.Variant = "v" + p.Variant
	}
	return p
}

// thisPlatform is what this machine runs.
func thisPlatform() v1.Platform {
	return normal(v1.Platform{OS: "linux", Architecture: runtime.GOARCH})
}

// acceptable lists what may stand in for a platform, the best first: processors run what was made for their forerunners.
func acceptable(p v1.Platform) []v1.Platform {
	list := []v1.Platform{p}
	with := func(architecture, variant string) {
		list = append(list, v1.Platform{OS: p.OS, Architecture: architecture, Variant: variant})
	}
	switch {
	case p.Architecture == "arm64" && p.Variant != "": // v9 and later
		with("arm64", "")
	case p.Architecture == "arm64":
		for _, variant := range []string{"v8", "v7", "v6", "v5"} {
			with("arm", variant)
		}
	case p.Architecture == "arm":
		for v := int(p.Variant[len(p.Variant)-1]) - 1; v >= '5'; v-- {
			with("arm", "v"+string(rune(v)))
		}
	case p.Architecture == "amd64" && p.Variant != "": // v2, v3, v4: newer instructions
		with("amd64", "")
	case p.Architecture == "amd64":
		with("386", "")
	}
	return list
}

// choose picks the entries of an index that are for a platform: all those for the best one that there is.
func choose(entries []v1.Descriptor, wanted v1.Platform) []v1.Descriptor {
	for _, candidate := range acceptable(wanted) {
		var fitting []v1.Descriptor
		for _, d := range entries {
			if d.Platform == nil {
				continue
			}
			p := normal(*d.Platform)
			if p.OS == candidate.OS && p.Architecture == candidate.Architecture && p.Variant == candidate.Variant {
				fitting = append(fitting, d)
			}
		}
		if fitting != nil {
			return fitting
		}
	}
	return nil
}

// platforms lists what an index offers, for people. BuildKit puts in what it knows of a build as unknown/unknown.
func platforms(entries []v1.Descriptor) []string {
	var list []string
	for _, d := range entries {
		if d.Platform == nil || d.Platform.OS == "unknown" {
			continue
		}
		if s := platformName(*d.Platform); !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func platformName(p v1.Platform) string {
	p = normal(p)
	return strings.Trim(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}
