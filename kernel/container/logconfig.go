package container

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sandbox/kernel"
)

// LogConfig is --log-driver and --log-opt.
type LogConfig struct {
	Type   string
	Config map[string]string
}

// What a log may take of the disk unless it is told otherwise. Docker's json-file has no limit of its own, and full disks
// are what comes of it.
const (
	defaultLogSize  = "10m"
	defaultLogFiles = "3"
)

// logSettings is a LogConfig, understood.
type logSettings struct {
	none  bool
	size  int64 // of a file, from which on another one is begun; 0: without limit
	files int   // how many are kept, the one that is written to counted
	attrs []byte
}

// withDefaults is the configuration with everything said that was left out, as `inspect` shows it.
func (c LogConfig) withDefaults() LogConfig {
	if c.Type == "" {
		c.Type = "json-file"
	}
	c.Config = maps.Clone(c.Config)
	if c.Config == nil {
		c.Config = map[string]string{}
	}
	if c.Type != "json-file" {
		return c
	}
	for key, value := range map[string]string{"max-size": defaultLogSize, "max-file": defaultLogFiles} {
		if c.Config[key] == "" {
			c.Config[key] = value
		}
	}
	return c
}

// settings reads it. The container's own labels and variables are what labels= and env= choose from.
func (c LogConfig) settings(of Config) (s logSettings, err error) {
	c = c.withDefaults()
	switch c.Type {
	case "none":
		if len(c.Config) > 0 {
			return s, kernel.Advise(errors.New("the log driver none has no options"), "leave --log-opt out")
		}
		return logSettings{none: true}, nil
	case "json-file":
	default:
		return s, kernel.Advise(fmt.Errorf("there is no log driver %q", c.Type), "--log-driver json-file (read it with `sandbox logs`) or none")
	}
	var chosen []func(kind, name string) bool
	for _, key := range slices.Sorted(maps.Keys(c.Config)) {
		value := c.Config[key]
		switch key {
		case "max-size":
			s.size, err = parseLogSize(value)
		case "max-file":
			if s.files, err = strconv.Atoi(value); err == nil && s.files < 1 {
				err = errors.New("at least 1")
			}
		case "labels", "env":
			names := strings.Split(value, ",")
			chosen = append(chosen, func(kind, name string) bool { return kind == key && slices.Contains(names, name) })
		case "labels-regex", "env-regex":
			var pattern *regexp.Regexp
			if pattern, err = regexp.Compile(value); err == nil {
				chosen = append(chosen, func(kind, name string) bool { return kind+"-regex" == key && pattern.MatchString(name) })
			}
		default:
			return s, kernel.Advise(fmt.Errorf("unknown log opt %q for json-file log driver", key), "max-size, max-file, labels, labels-regex, env or env-regex")
		}
		if err != nil {
			return s, kernel.Advise(fmt.Errorf("invalid --log-opt %s=%s: %w", key, value, err), "--log-opt max-size=10m --log-opt max-file=3, as an example")
		}
	}
	s.attrs = of.logAttrs(chosen)
	return s, nil
}

// logAttrs are the labels and variables that every entry of the log carries, as JSON; nothing without any.
func (c Config) logAttrs(chosen []func(kind, name string) bool) []byte {
	attrs := map[string]string{}
	take := func(kind, name, value string) {
		if slices.ContainsFunc(chosen, func(f func(kind, name string) bool) bool { return f(kind, name) }) {
			attrs[name] = value
		}
	}
	for name, value := range c.Labels {
		take("labels", name, value)
	}
	for _, variable := range c.Env {
		name, value, _ := strings.Cut(variable, "=")
		take("env", name, value)
	}
	if len(attrs) == 0 {
		return nil
	}
	encoded, _ := json.Marshal(attrs)
	return encoded
}

// parseLogSize reads 10m, 500k, 1.5g: powers of 1000, as Docker takes them here. -1 is no limit.
func parseLogSize(s string) (int64, error) {
	if s == "-1" {
		return 0, nil
	}
	number := strings.ToLower(s)
	number = strings.TrimSuffix(strings.TrimSuffix(number, "b"), "i")
	unit := 1.0
	for i, letter := range "kmgt" {
		if cut, ok := strings.CutSuffix(number, string(letter)); ok {
			number = cut
			for range i + 1 {
				unit *= 1000
			}
			break
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no size", s)
	case !(n*unit >= 1 && n*unit < 1<<60):
		return 0, errors.New("out of range")
	}
	return int64(n * unit), nil
}
