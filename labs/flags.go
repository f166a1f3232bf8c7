package labs

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// wrongFlag is the error of a flag that the flags' library has refused. What it says itself is in the words of Go's number parser.
func wrongFlag(cmd *cobra.Command, err error) error {
	cure := cmd.CommandPath() + " --help"
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		flag := invalid.GetFlag()
		switch kind := flag.Value.Type(); {
		case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
			err = fmt.Errorf("invalid --%s: %q is not a whole number", flag.Name, invalid.GetValue())
			if n, ok := new(big.Int).SetString(invalid.GetValue(), 10); ok { // too great, or less than nothing
				err = fmt.Errorf("invalid --%s: %d", flag.Name, n)
			}
			cure = cmp.Or(container.Range(flag.Name), cure)
		}
	}
	return &kernel.Advice{Cause: err, Cure: cure, Code: command.Failed}
}
