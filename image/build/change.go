package build

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/kernel"
)

// changeable are the instructions that `commit -c` and `import -c` know: those that change nothing but the configuration.
func changeable() []string {
	return strings.Fields("CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR")
}

// Change applies Dockerfile instructions to a configuration. If one of them is wrong the configuration stays as it is.
func Change(config *v1.Config, changes []string) error {
	changed := clone(*config)
	cmdSet := false
	for _, text := range changes {
		c, err := parseOne(text)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid change %q: %w", text, err), "a Dockerfile instruction, as in: -c 'CMD [\"sh\"]'")
		}
		name := strings.ToUpper(c.Name())
		if !slices.Contains(changeable(), name) {
			return kernel.Advise(fmt.Errorf("invalid change %q: %s does more than change the configuration", text, name), "possible are %s", strings.Join(changeable(), " "))
		}
		if err := (&scope{escape: '\\', env: changed.Env}).expand(c); err != nil {
			return fmt.Errorf("invalid change %q: %w", text, err)
		}
		if err := configure(&changed, c, cmdSet); err != nil {
			return err
		}
		cmdSet = cmdSet || name == "CMD"
	}
	*config = changed
	return nil
}
