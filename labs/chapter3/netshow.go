package chapter3

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
	"sandbox/labs/netdraw"
	network "sandbox/net"
)

type networkShowOptions struct {
	format string
	svg    string
	width  int
}

// newNetworkShow makes `sandbox network show`, which Docker does not have.
func newNetworkShow(env *command.Env) *cobra.Command {
	var opts networkShowOptions
	cmd := &cobra.Command{
		Use:   "show [flags] [NETWORK...]",
		Short: "Draw the container networks of this machine: bridges, cables, addresses, ports",
		Long: `Draw the container networks of this machine as they are now: bridges, the cables to containers with the numbers of both ends (eth0@if7 inside
is the end of 7: veth… on the host), addresses, published ports, and who reaches whom. What is drawn was read from the kernel.`,
		Example: "  sandbox network show\n  sandbox network show my_net\n  sandbox network show --svg > networks.svg\n  sandbox network show --format json",
		RunE:    func(cmd *cobra.Command, args []string) error { return runNetworkShow(env, opts, args) },
	}
	f := cmd.Flags()
	f.StringVar(&opts.format, "format", "", "json, or a Go template")
	f.StringVar(&opts.svg, "svg", "", "as a picture in SVG, to this file (- or nothing: standard output)")
	f.Lookup("svg").NoOptDefVal = "-"
	f.IntVar(&opts.width, "width", 0, "so many columns, not as many as the terminal has (80 where there is none)")
	return cmd
}

func runNetworkShow(env *command.Env, opts networkShowOptions, args []string) error {
	if opts.width != 0 && opts.width < netdraw.Narrowest {
		return kernel.Advise(fmt.Errorf("invalid --width %d: there is no room to draw", opts.width), "%d columns or more", netdraw.Narrowest)
	}
	if opts.format != "" && opts.svg != "" {
		return kernel.Advise(errors.New("conflicting options: --format and --svg"), "one of them: JSON for programs, or a picture")
	}
	view, err := env.Engine().NetworkView()
	if err != nil {
		return err
	}
	if len(args) > 0 {
		if err := onlyNetworks(env, view, args); err != nil {
			return opts.adviseFile(err)
		}
	}
	switch picture := netdraw.Make(view, env.Language()); {
	case opts.format != "":
		return command.PrintOne(env.Out, opts.format, view)
	case opts.svg != "":
		return writePicture(env, opts.svg, picture.SVG(env.Language()))
	default:
		_, err = fmt.Fprint(env.Out, picture.Text(drawingWidth(env, opts.width), env.Language()))
		return err
	}
}

// drawingWidth is that of the terminal; 80 where the drawing goes elsewhere.
func drawingWidth(env *command.Env, asked int) int {
	if asked != 0 {
		return asked
	}
	return env.Width()
}

// onlyNetworks leaves out all networks but those that are named, and what is not in them.
func onlyNetworks(env *command.Env, view *container.NetworkView, refs []string) error {
	var ids []string
	for _, ref := range refs {
		n, err := env.Engine().Networks().Get(ref)
		if err != nil {
			return err
		}
		ids = append(ids, n.ID)
	}
	view.Keep(func(id string) bool { return slices.Contains(ids, id) })
	return nil
}

// adviseFile tells who has named a file behind --svg, not in it.
func (o *networkShowOptions) adviseFile(err error) error {
	var missing *network.NotFoundError
	if errors.As(err, &missing) && o.svg == "-" && (missing.Ref == "-" || strings.HasSuffix(missing.Ref, ".svg") || strings.Contains(missing.Ref, "/")) {
		return kernel.Advise(missing, "a file is named in the flag: --svg=%s", missing.Ref)
	}
	return err
}

// writePicture writes to a file, or to standard output if that is no terminal.
func writePicture(env *command.Env, path, picture string) error {
	if path != "-" {
		err := env.Engine().Door.Do(kernel.In("3.6", kernel.Because(kernel.ReplaceFile{Path: path, Data: []byte(picture), Mode: 0o644}, "the drawing", "画好的图"))...)
		if err != nil {
			err = kernel.Advise(err, "name a file in a directory that you may write to, or: sandbox network show --svg > FILE")
		}
		return err
	}
	if file, ok := env.Out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return kernel.Advise(errors.New("a picture in SVG cannot be shown on a terminal"), "sandbox network show --svg > networks.svg   and open it with a web browser")
	}
	_, err := fmt.Fprint(env.Out, picture)
	return err
}
