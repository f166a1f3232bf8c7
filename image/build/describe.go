package build

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// describe writes an instruction after its variables have been replaced. The cache knows it by this text, and the image's
// history shows it.
func describe(c instructions.Command) string {
	switch c := c.(type) {
	case *instructions.EnvCommand:
		return "ENV " + pairs(c.Env)
	case *instructions.LabelCommand:
		return "LABEL " + pairs(c.Labels)
	case *instructions.MaintainerCommand:
		return "MAINTAINER " + c.Maintainer
	case *instructions.ArgCommand:
		var args []string
		for _, arg := range c.Args {
			text := arg.Key
			if arg.Value != nil {
				text += "=" + *arg.Value
			}
			args = append(args, text)
		}
		return "ARG " + strings.Join(args, " ")
	case *instructions.CmdCommand:
		return "CMD " + words(c.ShellDependantCmdLine)
	case *instructions.EntrypointCommand:
		return "ENTRYPOINT " + words(c.ShellDependantCmdLine)
	case *instructions.RunCommand:
		return "RUN " + words(c.ShellDependantCmdLine)
	case *instructions.ExposeCommand:
		return "EXPOSE " + strings.Join(c.Ports, " ")
	case *instructions.UserCommand:
		return "USER " + c.User
	case *instructions.VolumeCommand:
		return fmt.Sprintf("VOLUME %v", c.Volumes)
	case *instructions.WorkdirCommand:
		return "WORKDIR " + c.Path
	case *instructions.StopSignalCommand:
		return "STOPSIGNAL " + c.Signal
	case *instructions.ShellCommand:
		return fmt.Sprintf("SHELL %v", c.Shell)
	case *instructions.OnbuildCommand:
		return "ONBUILD " + c.Expression
	case *instructions.HealthCheckCommand:
		return describeHealthcheck(c)
	case *instructions.CopyCommand:
		return describeSources("COPY", c.SourcesAndDest)
	case *instructions.AddCommand:
		return describeSources("ADD", c.SourcesAndDest)
	}
	return strings.ToUpper(c.Name())
}

func pairs(list instructions.KeyValuePairs) string {
	var texts []string
	for _, pair := range list {
		texts = append(texts, pair.Key+"="+pair.Value)
	}
	return strings.Join(texts, " ")
}

// words is a command line as it is written: text, or a list in brackets.
func words(line instructions.ShellDependantCmdLine) string {
	if !line.PrependShell {
		return fmt.Sprintf("%q", line.CmdLine)
	}
	text := strings.Join(line.CmdLine, " ")
	for _, file := range line.Files {
		text += "\n" + file.Data + file.Name
	}
	return text
}

func describeSources(name string, files instructions.SourcesAndDest) string {
	all := slices.Clone(files.SourcePaths)
	for _, file := range files.SourceContents {
		all = append(all, "<<"+file.Path)
	}
	return strings.Join(slices.Concat([]string{name}, all, []string{files.DestPath}), " ")
}

func describeHealthcheck(c *instructions.HealthCheckCommand) string {
	h := c.Health
	text := "HEALTHCHECK"
	for _, option := range []struct {
		name string
		set  bool
		text string
	}{
		{"interval", h.Interval != 0, h.Interval.String()}, {"timeout", h.Timeout != 0, h.Timeout.String()},
		{"start-period", h.StartPeriod != 0, h.StartPeriod.String()}, {"retries", h.Retries != 0, fmt.Sprint(h.Retries)},
	} {
		if option.set {
			text += " --" + option.name + "=" + option.text
		}
	}
	return fmt.Sprintf("%s %q", text, h.Test)
}

// nothing is how the history tells of an instruction that runs nothing. Docker's first builder made a container for each
// instruction, and such a one's command was a comment of the shell.
func nothing(config v1.Config, text string) string {
	return strings.Join(shellOf(config), " ") + " #(nop) " + text
}

// commandText is CMD or ENTRYPOINT as the history has it: with the shell that it is given to.
func commandText(config v1.Config, c instructions.Command) string {
	switch c := c.(type) {
	case *instructions.CmdCommand:
		return fmt.Sprintf("CMD %q", commandLine(config, c.ShellDependantCmdLine))
	case *instructions.EntrypointCommand:
		return fmt.Sprintf("ENTRYPOINT %q", commandLine(config, c.ShellDependantCmdLine))
	}
	return describe(c)
}

// lineOf is an instruction's text in one line, for messages.
func lineOf(text string) string {
	first, rest, more := strings.Cut(text, "\n")
	if more && rest != "" {
		first += " …"
	}
	if runes := []rune(first); len(runes) > 100 {
		first = string(runes[:99]) + "…"
	}
	return first
}
