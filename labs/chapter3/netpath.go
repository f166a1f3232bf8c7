package chapter3

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel/container"
	"sandbox/labs/columns"
	"sandbox/labs/command"
	"sandbox/net/walk"
)

// newNetworkPath makes `sandbox network path`, which Docker does not have.
func newNetworkPath(env *command.Env) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "path [flags] FROM TO[:PORT[/udp]]",
		Short: "Tell where a packet would go, and which firewall rule would stop it",
		Long: `Tell step by step where a packet from FROM to TO would go: a container, host (this machine), or an address. Without a port it is a ping. Nothing is sent:
the kernel is asked for its routes and rules, in the network namespaces that the packet comes to. The exit code is 0 if it would arrive
(and somebody listens on the port), 1 if not.`,
		Example: "  sandbox network path web db\n  sandbox network path web db:5432\n  sandbox network path host 127.0.0.1:8080\n  sandbox network path web 9.9.9.9:53/udp",
		Args:    cobra.ExactArgs(2),
		RunE:    func(cmd *cobra.Command, args []string) error { return runNetworkPath(env, format, args) },
	}
	cmd.Flags().StringVar(&format, "format", "", "json, or a Go template")
	return cmd
}

func runNetworkPath(env *command.Env, format string, args []string) error {
	from, err := container.ParsePathEnd(args[0])
	if err != nil {
		return err
	}
	to, err := container.ParsePathEnd(args[1])
	if err != nil {
		return err
	}
	path, err := env.Engine().NetworkPath(from, to)
	if err != nil {
		return err
	}
	if format != "" {
		err = command.PrintOne(env.Out, format, makePathRow(path, env.Language()))
	} else {
		_, err = fmt.Fprint(env.Out, drawPath(path, args, env.Language()))
	}
	if err == nil && !path.End.Arrives {
		return command.ExitCode(1)
	}
	return err
}

// pathRow is what programs see of a path.
type pathRow struct {
	From, To string
	Protocol string
	Port     uint16
	Arrives  bool
	Where    string // it ended
	Why      string
	Rule     *walk.Hit // that stops it
	Unsure   bool      // there are rules that could not be judged
	Cure     string    `json:",omitempty"` // if a network has lost something
	Steps    []pathStep
}

type pathStep struct {
	Where, What string
	Rules       []walk.Hit
}

func makePathRow(p *container.Path, language string) *pathRow {
	row := &pathRow{
		From: p.Packet.From.String(), To: p.Packet.To.String(), Protocol: p.Packet.Protocol, Port: p.Packet.Port,
		Arrives: p.End.Arrives, Where: p.End.Where, Why: p.End.Why.In(language), Rule: p.End.Rule, Unsure: p.End.Unsure, Cure: p.Cure,
	}
	for _, s := range p.Steps {
		row.Steps = append(row.Steps, pathStep{s.Where, s.What.In(language), s.Hits})
	}
	return row
}

// drawPath writes a path as a list of steps, with the rules that decided under each.
func drawPath(p *container.Path, ends []string, language string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s → %s   %s\n", ends[0], ends[1], packetText(p, language))
	width := columns.Of(p.End.Where)
	for _, s := range p.Steps {
		width = max(width, columns.Of(s.Where))
	}
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "%3d  %s  %s\n", i+1, padded(s.Where, width), s.What.In(language))
		for _, h := range s.Hits {
			line := h.Text
			if h.Chain != "" {
				line = fmt.Sprintf("%s %s %d: %s", h.Table, h.Chain, h.Number, withoutComment(h.Text))
			}
			if h.Why != "" {
				line += in(language, "  ? ", "  ？") + h.Why
			}
			fmt.Fprintf(&b, "     %s  │ %s\n", padded("", width), strings.TrimSpace(line))
		}
	}
	mark := "✓"
	if !p.End.Arrives {
		mark = "✗"
	}
	fmt.Fprintf(&b, "%3s  %s  %s\n", mark, padded(p.End.Where, width), p.End.Why.In(language))
	if p.End.Rule != nil {
		fmt.Fprintf(&b, "     %s    %s\n", padded("", width), p.End.Rule.Rule)
	}
	if p.Cure != "" {
		fmt.Fprintf(&b, "  →  %s\n", p.Cure)
	}
	if p.End.Unsure {
		fmt.Fprintf(&b, "  ?  %s\n", in(language, "not certain: there is something on the way that cannot be judged from here", "不能肯定：路上有从这里无法判断的东西"))
	}
	return b.String()
}

// withoutComment leaves out what says whom a rule belongs to: it makes lines long.
func withoutComment(rule string) string {
	before, after, found := strings.Cut(rule, "-m comment --comment ")
	if !found {
		return rule
	}
	if quoted, ok := strings.CutPrefix(after, `"`); ok {
		_, after, _ = strings.Cut(quoted, `"`)
	} else if _, after, found = strings.Cut(after, " "); !found {
		after = ""
	}
	return strings.TrimSpace(before + strings.TrimSpace(after))
}

func packetText(p *container.Path, language string) string {
	if p.Packet.Port == 0 {
		return fmt.Sprintf("(ping %s)", p.Packet.To)
	}
	return fmt.Sprintf("(%s %s)", p.Packet.Protocol, joinPort(p))
}

func joinPort(p *container.Path) string {
	if p.Packet.To.Is6() {
		return fmt.Sprintf("[%s]:%d", p.Packet.To, p.Packet.Port)
	}
	return fmt.Sprintf("%s:%d", p.Packet.To, p.Packet.Port)
}
