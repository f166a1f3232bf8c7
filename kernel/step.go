package kernel

import "path"

// Because makes a Step: an effect with its reason in both languages.
func Because(e Effect, en, zh string) Step {
	return Step{Effect: e, Why: Why{EN: en, ZH: zh}}
}

// In gives steps the section of the tutorial that teaches them.
func In(section string, steps ...Step) []Step {
	for i := range steps {
		steps[i].Section = section
	}
	return steps
}

// Try marks steps that may fail: what comes after them is done all the same.
func Try(steps ...Step) []Step {
	for i := range steps {
		steps[i].Optional = true
	}
	return steps
}

// MkdirAll makes a directory and those above it, where they are missing. What is in the way is noticed by whoever uses
// the directory.
func MkdirAll(dir, section string) []Step {
	var steps []Step
	for at := path.Clean(dir); at != "/" && at != "."; at = path.Dir(at) {
		steps = append([]Step{{Effect: Mkdir{Path: at, Mode: 0o755}, Section: section, Optional: true}}, steps...)
	}
	return steps
}
