package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"sandbox/image"
	"sandbox/image/layer"
)

// RunError is a command of RUN that failed.
type RunError struct {
	Command []string
	Code    int // exit code
	File    string
	Line    int    // in the Dockerfile
	Image   string // ID of the image that the command ran in; "" for scratch
}

// Error is Docker's message.
func (e *RunError) Error() string {
	return fmt.Sprintf("The command '%s' returned a non-zero code: %d", strings.Join(e.Command, " "), e.Code)
}

// script is a here-document that a RUN executes as a program.
type script struct{ name, content string }

// scripts is where a container finds it.
const scripts = "/dev/pipes"

// runLine is what RUN executes. A here-document goes to the shell as text, or is executed if it begins with #!.
func runLine(st *state, c *instructions.RunCommand) (args []string, program *script) {
	line := c.ShellDependantCmdLine
	if len(line.Files) > 0 {
		text := strings.Join(line.CmdLine, " ")
		if first := line.Files[0]; parser.MustParseHeredoc(text) != nil {
			if first.Chomp {
				first.Data = parser.ChompHeredocContent(first.Data)
			}
			if strings.HasPrefix(first.Data, "#!") {
				return []string{scripts + "/" + first.Name}, &script{first.Name, first.Data}
			}
			text = first.Data
		} else {
			for _, file := range line.Files { // the shell reads them itself
				text += "\n" + file.Data + file.Name
			}
		}
		line.CmdLine = []string{text}
	}
	return commandLine(st.config, line), program
}

// planRun is RUN.
func (b *builder) planRun(ctx context.Context, st *state, c *instructions.RunCommand, o *operation) error {
	args, program := runLine(st, c)
	if len(args) == 0 {
		return errors.New("RUN: no command")
	}
	visible := visibleArgs(st)
	o.record.Args = visible
	o.history = strings.Join(args, " ")
	if len(visible) > 0 {
		o.history = fmt.Sprintf("|%d %s %s", len(visible), strings.Join(visible, " "), o.history)
	}
	network := instructions.GetNetwork(c)
	if network == instructions.NetworkDefault && b.Network != "" {
		network = b.Network
	}
	if network != instructions.NetworkDefault {
		o.record.More = append(o.record.More, "--network="+network)
	}
	if instructions.GetSecurity(c) == instructions.SecurityInsecure {
		st.stage.out.printf("[Warning] RUN --security=insecure has no effect: the command runs with the usual restrictions\n")
	}
	mounts := &mounts{b: b, st: st, program: program}
	o.close = append(o.close, mounts.close)
	if err := mounts.plan(ctx, instructions.GetMounts(c), o); err != nil {
		return err
	}
	o.perform = func(ctx context.Context, d *image.Draft) error {
		if err := mounts.make(ctx, d); err != nil {
			return err
		}
		ran, err := b.run(ctx, st, mounts, RunRequest{Args: args, Network: network})
		if err != nil {
			return err
		}
		remove := sync.OnceValue(ran.Close)
		o.close = append(o.close, remove)
		o.after = func() {
			if err := remove(); err != nil {
				st.stage.out.printf("[Warning] cannot remove container %s: %v\n", short(ran.ID), err)
				return
			}
			st.stage.out.printf("Removing intermediate container %s\n", short(ran.ID))
		}
		_, err = d.AddDirectory(ran.Upper, layer.PackOptions{ClampTime: b.Epoch})
		return err
	}
	return nil
}

// run runs the command, and takes out of what it has written what only held the mounts.
func (b *builder) run(ctx context.Context, st *state, mounts *mounts, r RunRequest) (*Ran, error) {
	if st.image != nil {
		r.Layers = st.image.Layers
	}
	r.Config = clone(st.config)
	r.Config.Env = append(r.Config.Env, visibleArgs(st)...)
	r.Config.Env = append(r.Config.Env, b.proxies(st)...)
	r.Config.Env = append(r.Config.Env, mounts.env...)
	r.Mounts, r.Output = mounts.list, st.stage.out
	r.Started = func(id string) { st.stage.out.printf(" ---> Running in %s\n", short(id)) }
	stubs, err := stubsOf(mounts.list, b.layers(st))
	if err != nil {
		return nil, err
	}
	ran, err := b.Runner.Run(ctx, r)
	if err != nil {
		return nil, err
	}
	if ran.Code != 0 {
		failed := &RunError{Command: r.Args, Code: ran.Code}
		if st.image != nil {
			failed.Image = st.image.ID
		}
		return nil, errors.Join(failed, ran.Close())
	}
	if err := removeStubs(ran.Upper, stubs); err != nil {
		return nil, errors.Join(err, ran.Close())
	}
	return ran, nil
}

// visibleArgs are the ARGs that a command sees, as NAME=value: those that no ENV hides.
func visibleArgs(st *state) []string {
	hidden := variables(st.config.Env)
	var list []string
	for name, value := range st.args {
		if _, found := hidden[name]; !found {
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	return list
}

// proxies are the variables of --build-arg that need no ARG.
func (b *builder) proxies(st *state) []string {
	hidden := merged(variables(st.config.Env), st.args)
	var list []string
	for name, value := range b.Args {
		if _, found := hidden[name]; !found && isProxy(name) {
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	return list
}
