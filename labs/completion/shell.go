package completion

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
)

// New makes `sandbox completion`.
func New(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print what bash, zsh or fish needs to complete commands and names",
		Example: command.Renamed("  source <(sandbox completion bash)\n  sandbox completion zsh > ~/.zfunc/_sandbox\n"+
			"  sandbox completion fish > ~/.config/fish/completions/sandbox.fish", command.Program()),
		Args: cobra.ExactArgs(1), ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(cmd *cobra.Command, args []string) error { return write(env.Out, cmd.Root(), args[0]) },
	}
}

func write(w io.Writer, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		io.WriteString(w, withoutPackage)
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	}
	return kernel.Advise(fmt.Errorf("no completion for %q", shell), "bash, zsh or fish")
}

// withoutPackage is what cobra's script takes from the package bash-completion, where that is not installed. A word is what is
// between spaces: bash itself also divides at : and =, which are in names of images.
const withoutPackage = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        local line=${COMP_LINE:0:COMP_POINT}
        read -r -a words <<<"$line"
        [[ $line == *[[:space:]] ]] && words+=("")
        cword=$((${#words[@]} - 1))
        cur=${words[cword]}
        prev=${words[cword > 0 ? cword - 1 : 0]}
    }
    __ltrim_colon_completions() {
        local i begun=${1%"${1##*:}"}
        [[ $1 == *:* && $COMP_WORDBREAKS == *:* ]] || return 0
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]=${COMPREPLY[i]#"$begun"}
        done
    }
fi
`
