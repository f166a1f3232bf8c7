package lab

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"

	"sandbox/labs/command"
)

// runEach runs every lab that is written, each in a pocket host of its own and several at once, as in a pipe, and prints
// them in the order of the course. Exit code 1 means that some step of some lab did not do what it should.
func runEach(ctx context.Context, env *setting) error {
	var labs []*one
	for _, number := range Numbers(env.Env) {
		if _, err := load(env, number); err == nil {
			labs = append(labs, &one{number: number, done: make(chan struct{})})
		}
	}
	// Labs mostly wait: for containers to begin and end, for seconds to pass.
	places := make(chan struct{}, 3*runtime.NumCPU())
	for _, l := range labs {
		go func() {
			places <- struct{}{}
			l.run(ctx, env)
			<-places
			close(l.done)
		}()
	}
	var failed []string
	for _, l := range labs {
		<-l.done
		if ctx.Err() != nil {
			continue // the others are on their way to the end, too
		}
		env.Out.Write(l.said.Bytes())
		if l.err != nil {
			failed = append(failed, l.number)
		}
	}
	if len(failed) > 0 && ctx.Err() == nil {
		fmt.Fprintf(env.Err, "%s: not every step did what it should in %s\n", command.Program(), strings.Join(failed, ", "))
		return command.ExitCode(1)
	}
	return nil
}

// one is a lab on its way.
type one struct {
	number string
	said   bytes.Buffer
	err    error
	done   chan struct{}
}

func (l *one) run(ctx context.Context, env *setting) {
	args := append(env.flags(), "lab", l.number)
	if env.seed != "" {
		args = append(args, "--seed="+env.seed)
	}
	cmd := env.another(ctx, labsDir(env.Env), args...)
	cmd.Stdout, cmd.Stderr = &l.said, &l.said
	l.err = cmd.Run()
}
