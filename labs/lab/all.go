package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"sandbox/kernel"
	"sandbox/labs/command"
)

// runEach runs every lab that is written, each in a pocket host of its own and several at once, as in a pipe, and prints
// them in the order of the course. Exit code 1 means that some step of some lab did not do what it should.
func runEach(env *setting) error {
	var labs []*one
	for _, number := range Numbers(env.Env) {
		if _, err := load(env, number); err == nil {
			labs = append(labs, &one{number: number, done: make(chan struct{})})
		}
	}
	self, err := os.Executable()
	if err != nil {
		return kernel.Advise(err, "is /proc mounted?")
	}
	// Labs mostly wait: for containers to begin and end, for seconds to pass.
	places := make(chan struct{}, 3*runtime.NumCPU())
	for _, l := range labs {
		go func() {
			places <- struct{}{}
			l.run(self, env)
			<-places
			close(l.done)
		}()
	}
	var failed []string
	for _, l := range labs {
		<-l.done
		env.Out.Write(l.said.Bytes())
		if l.err != nil {
			failed = append(failed, l.number)
		}
	}
	if len(failed) > 0 {
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

func (l *one) run(self string, env *setting) {
	cmd := exec.Command(self, append(env.flags(), "lab", l.number)...)
	cmd.Env = append(os.Environ(), "SANDBOX_ROOT="+env.Root, "SANDBOX_LABS="+env.Labs)
	cmd.Stdout, cmd.Stderr = &l.said, &l.said
	l.err = cmd.Run()
}
