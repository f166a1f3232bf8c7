package build

import (
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// scope is the variables that an instruction sees: those of ENV, which are in the image's configuration, and those of ARG,
// which exist only while its stage is built. Where both have a name it is that of ENV.
type scope struct {
	escape rune
	env    []string // NAME=value
	args   map[string]string
}

// Get is one variable's value.
func (s *scope) Get(name string) (string, bool) {
	for _, entry := range s.env {
		if key, value, _ := strings.Cut(entry, "="); key == name {
			return value, true
		}
	}
	value, found := s.args[name]
	return value, found
}

// Keys are all names.
func (s *scope) Keys() []string {
	names := slices.Collect(maps.Keys(s.args))
	for _, entry := range s.env {
		key, _, _ := strings.Cut(entry, "=")
		names = append(names, key)
	}
	return names
}

// replace replaces variables in a word as a shell does, quotes included. missing are those that do not exist.
func (s *scope) replace(word string) (replaced string, missing []string, err error) {
	if !strings.ContainsAny(word, "$'\"") && !strings.ContainsRune(word, s.escape) {
		return word, nil, nil
	}
	replaced, unmatched, err := shell.NewLex(s.escape).ProcessWord(word, s)
	return replaced, slices.Sorted(maps.Keys(unmatched)), err
}

// expand replaces the variables of an instruction, in place.
func (s *scope) expand(c instructions.Command) error {
	if _, arg := c.(*instructions.ArgCommand); arg {
		return nil // its defaults are replaced only if they are used: see declare
	}
	if c, ok := c.(instructions.SupportsSingleWordExpansion); ok {
		err := c.Expand(func(word string) (string, error) {
			replaced, _, err := s.replace(word)
			return replaced, err
		})
		if err != nil {
			return err
		}
	}
	if c, ok := c.(instructions.SupportsSingleWordExpansionRaw); ok { // here-documents, whose quotes are theirs
		return c.ExpandRaw(func(text string) (string, error) {
			lex := shell.NewLex('\\')
			lex.SkipProcessQuotes = true
			replaced, _, err := lex.ProcessWord(text, s)
			return replaced, err
		})
	}
	if c, ok := c.(*instructions.ExposeCommand); ok { // one word may become several ports
		var ports []string
		for _, word := range c.Ports {
			replaced, err := shell.NewLex(s.escape).ProcessWords(word, s)
			if err != nil {
				return err
			}
			ports = append(ports, replaced...)
		}
		c.Ports = ports
	}
	return nil
}

// isProxy tells the variables that --build-arg may set for RUN although no ARG declares them. Since they differ from one place to
// the next, and say nothing of what is built, the cache takes no notice of them.
func isProxy(name string) bool {
	switch strings.ToUpper(name) {
	case "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY":
		return name == strings.ToUpper(name) || name == strings.ToLower(name)
	}
	return false
}

const epochArg = "SOURCE_DATE_EPOCH" // reproducible-builds.org/specs/source-date-epoch

// platform is a kind of machine.
type platform v1.Platform

func (p platform) String() string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

func parsePlatform(s string) (platform, error) {
	if s == "" {
		return thisPlatform(), nil
	}
	parsed, err := v1.ParsePlatform(s)
	if err != nil {
		return platform{}, err
	}
	p := platform(*parsed)
	if p.Architecture == "" { // "linux", or "arm64"
		p.Architecture = runtime.GOARCH
		if p.OS != "linux" {
			p.OS, p.Architecture = "linux", p.OS
		}
	}
	return p, nil
}

func thisPlatform() platform { return platform{OS: "linux", Architecture: runtime.GOARCH} }

// globalScope is what FROM sees: the platforms, and the ARGs before the first FROM.
func (b *builder) globalScope() (*scope, error) {
	here, target := thisPlatform(), b.platform
	stageName := b.Target
	if stageName == "" {
		stageName = "default"
	}
	g := &scope{escape: b.program.escape, args: map[string]string{
		"BUILDPLATFORM": here.String(), "BUILDOS": here.OS, "BUILDARCH": here.Architecture, "BUILDVARIANT": here.Variant,
		"TARGETPLATFORM": target.String(), "TARGETOS": target.OS, "TARGETARCH": target.Architecture, "TARGETVARIANT": target.Variant,
		"TARGETSTAGE": stageName,
	}}
	for name := range g.args {
		if value, set := b.Args[name]; set {
			g.args[name] = value
			b.shared.used[name] = true
		}
	}
	for i := range b.program.meta {
		for _, arg := range b.program.meta[i].Args {
			value, has, err := b.valueOf(arg, g)
			if err != nil {
				return nil, b.program.at(b.program.meta[i].Location(), err)
			}
			if has {
				g.args[arg.Key] = value
			}
		}
	}
	return g, nil
}

// valueOf is what an ARG stands for: what --build-arg says, or else its default.
func (b *builder) valueOf(arg instructions.KeyValuePairOptional, s *scope) (value string, has bool, err error) {
	b.shared.Lock()
	b.shared.used[arg.Key] = true
	b.shared.Unlock()
	if value, has = b.Args[arg.Key]; has {
		return value, true, nil
	}
	if arg.Value == nil {
		return "", false, nil
	}
	value, _, err = s.replace(*arg.Value)
	return value, true, err
}

// warnOfUnusedArgs tells of each --build-arg that no ARG has asked for.
func (b *builder) warnOfUnusedArgs() {
	var unused []string
	for name := range b.Args {
		if !b.shared.used[name] && !isProxy(name) && name != epochArg {
			unused = append(unused, name)
		}
	}
	if len(unused) > 0 {
		slices.Sort(unused)
		b.printf("[Warning] One or more build-args %v were not consumed\n", unused)
	}
}
