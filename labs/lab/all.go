package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"sandbox/kernel/pocket"
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
	// Labs mostly wait: for containers to begin and end, for seconds to pass.
	places := make(chan struct{}, 3*runtime.NumCPU())
	for _, l := range labs {
		go func() {
			places <- struct{}{}
			l.run(env)
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

func (l *one) run(env *setting) {
	args := append(env.flags(), "lab", l.number)
	if env.seed != "" {
		args = append(args, "--seed="+env.seed)
	}
	cmd := env.another(labsDir(env.Env), args...)
	cmd.Stdout, cmd.Stderr = &l.said, &l.said
	l.err = cmd.Run()
}

// another prepares a call of this program, with the labs of a directory. If it makes a pocket host, that is one of its own: also
// when we are in one.
func (env *setting) another(labs string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0] // errors have the name that we were called by
	cmd.Env = append(os.Environ(), "SANDBOX_ROOT="+env.Root, "SANDBOX_LABS="+labs, pocket.Variable+"=")
	return cmd
}
