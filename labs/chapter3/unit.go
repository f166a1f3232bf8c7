package chapter3

import (
	"fmt"
	"os"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// NewUnit makes `sandbox system unit`.
func NewUnit(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "unit",
		Short: "Print a systemd unit that starts containers with the machine, as their restart policies say",
		Example: "  sandbox system unit > /etc/systemd/system/sandbox.service && systemctl enable --now sandbox\n" +
			"  sandbox system unit > ~/.config/systemd/user/sandbox.service && systemctl --user enable --now sandbox && loginctl enable-linger",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return printUnit(env) },
	}
}

// unit is for root, or for a user's own systemd. There is no daemon: it runs once when the machine starts, and once when it
// goes down. What was up then comes again with the next start, unlike what somebody has stopped by hand.
const unit = `# {{.Install}}
[Unit]
Description=Containers of sandbox that have a restart policy
{{- if .Root}}
Wants=network-online.target
After=network-online.target local-fs.target
{{- end}}

[Service]
Type=oneshot
RemainAfterExit=yes
{{- range .Env}}
Environment={{.}}
{{- end}}
ExecStart={{.Program}} start --all-restart
ExecStop={{.Program}} stop --all-restart
TimeoutStartSec=infinity
TimeoutStopSec=120
{{- if not .Root}}
Delegate=yes
{{- end}}

[Install]
WantedBy={{if .Root}}multi-user.target{{else}}default.target{{end}}
`

func printUnit(env *command.Env) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	data := struct {
		Root             bool
		Install, Program string
		Env              []string
	}{Root: os.Geteuid() == 0, Program: word(program), Install: "sandbox system unit > /etc/systemd/system/sandbox.service && systemctl enable --now sandbox"}
	if !data.Root {
		data.Install = "sandbox system unit > ~/.config/systemd/user/sandbox.service && systemctl --user enable --now sandbox && loginctl enable-linger"
		if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
			data.Env = append(data.Env, word("XDG_DATA_HOME="+dir))
		}
	}
	if env.Root != "" {
		data.Program += " --root " + word(container.DefaultPaths(env.Root).State)
	}
	return template.Must(template.New("unit").Parse(unit)).Execute(env.Out, data)
}

// word quotes what systemd would take apart or replace (systemd.service(5), systemd.unit(5)).
func word(s string) string {
	s = strings.NewReplacer("%", "%%", "$", "$$", `\`, `\\`, `"`, `\"`).Replace(s)
	if strings.ContainsAny(s, " \t'\"\\;") {
		return fmt.Sprintf(`"%s"`, s)
	}
	return s
}
