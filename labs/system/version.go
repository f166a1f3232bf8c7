package system

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"sandbox/labs/command"
)

// build is what the program knows of how it was made.
type build struct{ Version, GoVersion, GitCommit, BuildTime string }

func thisBuild() build {
	b := build{Version: "unknown", GoVersion: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := strings.Trim(info.Main.Version, "()"); v != "" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.GitCommit = s.Value[:min(12, len(s.Value))]
		case "vcs.time":
			b.BuildTime = s.Value
		}
	}
	return b
}

// Line is what --version prints.
func Line() string {
	b := thisBuild()
	return fmt.Sprintf("%s version %s, build %s\n", command.Program(), b.Version, orNone(b.GitCommit))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// versions is what templates see, under Docker's names. Client and Server are one and the same program.
type versions struct{ Client, Server side }

type side struct {
	Version, GitCommit, GoVersion, Os, Arch, KernelVersion, BuildTime string
}

// NewVersion makes `sandbox version`.
func NewVersion(env *command.Env) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "version [flags]", Short: "Show the program's version", Args: cobra.NoArgs,
		Example: "  sandbox version\n  sandbox version --format '{{.Server.Version}}'",
		RunE: func(cmd *cobra.Command, args []string) error {
			b := thisBuild()
			s := side{b.Version, b.GitCommit, b.GoVersion, runtime.GOOS, runtime.GOARCH, kernelVersion(), b.BuildTime}
			if format != "" {
				return command.PrintOne(env.Out, format, versions{s, s})
			}
			fmt.Fprintf(env.Out, "Client:\n Version:        %s\n Go version:     %s\n Git commit:     %s\n Built:          %s\n OS/Arch:        %s/%s\n",
				s.Version, s.GoVersion, orNone(s.GitCommit), orNone(s.BuildTime), s.Os, s.Arch)
			fmt.Fprintf(env.Out, "\nServer: none, there is no daemon: the client does it all itself\n Kernel version: %s\n", s.KernelVersion)
			return nil
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", "a Go template, or json")
	return cmd
}

func kernelVersion() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}
