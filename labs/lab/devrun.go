package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
	"sandbox/labs/course"
)

func newDevRun(env *setting) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use: "run NUMBER|FILE", Short: "Run a lab straight through, in both languages",
		Long: `Run a lab straight through, in both languages, as in a pipe; exit code 1 if a step does not end as promised.

With --watch it is run again whenever one of its files changes, and what is printed otherwise than before is shown.`,
		Example: "  sandbox lab dev run labs/7.1.en.md --watch\n  sandbox lab --labs labs dev run 7.1",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return kernel.Advise(errors.New("which lab? its number or one of its files is wanted"), "sandbox lab dev run labs/7.1.en.md")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := findTarget(env, args[0])
			if err != nil {
				return err
			}
			if _, err := t.inspect(env); err != nil {
				return err
			}
			return untilSignal(func(ctx context.Context) error {
				if watch {
					return watchLab(ctx, env, t)
				}
				return showLab(ctx, env, t)
			})
		},
	}
	cmd.ValidArgsFunction = authored(env)
	cmd.Flags().BoolVar(&watch, "watch", false, "run it again when one of its files changes, and show what is printed otherwise; Ctrl-C ends it")
	return cmd
}

// performing prepares a call of this program that performs a part of a lab in a pocket host of its own.
func performing(ctx context.Context, env *setting, t target, lang course.Lang, seed, part string) *exec.Cmd {
	return env.another(ctx, t.dir, "--lang="+string(lang), "lab", "--seed="+seed, "dev", "perform", "--part="+part, t.number)
}

var languages = []course.Lang{course.English, course.Chinese}

// showLab prints what the lab prints.
func showLab(ctx context.Context, env *setting, t target) error {
	wrong := false
	for _, lang := range languages {
		err := t.unreadable(env, lang)
		var finding course.Finding
		if errors.As(err, &finding) {
			t.print(env, []course.Finding{finding})
			wrong = true
			continue
		}
		if err != nil {
			return err
		}
		_, ok, err := t.show(ctx, env, lang, env.Out)
		if err != nil {
			return err
		}
		wrong = wrong || !ok
	}
	if wrong {
		return command.ExitCode(1)
	}
	return nil
}

// unreadable says why the lab cannot be run in one language; nil if it can.
func (t target) unreadable(env *setting, lang course.Lang) error {
	labs, err := t.library(env)
	if err != nil {
		return err
	}
	_, err = course.Load(labs, t.number, lang, course.PlainSeed)
	if errors.Is(err, course.ErrNoLesson) {
		return course.Finding{File: fmt.Sprintf("%s.%s.md", t.number, lang), Line: 1, Text: "there is no such file"}
	}
	return err
}

// show runs the lab in one language. ok is false if a step did not end as it should.
func (t target) show(ctx context.Context, env *setting, lang course.Lang, out io.Writer) (said string, ok bool, err error) {
	var heard bytes.Buffer
	cmd := performing(ctx, env, t, lang, course.PlainSeed, partShow)
	cmd.Stdout = io.MultiWriter(out, &heard)
	cmd.Stderr = cmd.Stdout
	err = cmd.Run()
	var status *exec.ExitError
	if ctx.Err() != nil {
		return "", false, ctx.Err()
	}
	if errors.As(err, &status) {
		return heard.String(), false, nil
	}
	return heard.String(), err == nil, err
}

// chance is what differs from run to run.
var chance = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b([0-9a-f]{64}|[0-9a-f]{12})\b|\b\d\d:\d\d:\d\d\b|(Less than a|\d+) seconds?( ago)?`)
})

// watchLab runs the lab, and again after each change, and prints how that differs from the time before.
func watchLab(ctx context.Context, env *setting, t target) error {
	before := map[course.Lang]string{}
	for first := true; ; first = false {
		seen := t.state()
		found, err := t.inspect(env)
		if err != nil {
			return err
		}
		t.print(env, found)
		for _, lang := range languages {
			if t.unreadable(env, lang) != nil {
				continue // it has been said
			}
			out := env.Out
			if !first {
				out = io.Discard
			}
			said, _, err := t.show(ctx, env, lang, out)
			if err != nil {
				return err
			}
			said = chance().ReplaceAllString(said, "…")
			name := fmt.Sprintf("%s.%s", t.number, lang)
			if changes := diff.Diff(name+" before", []byte(before[lang]), name+" now", []byte(said)); !first && len(changes) > 0 {
				env.Out.Write(changes)
			} else if !first {
				fmt.Fprintf(env.Out, "%s prints the same as before.\n", name)
			}
			before[lang] = said
		}
		fmt.Fprintf(env.Out, "— %s: watching its files; Ctrl-C ends it.\n", t.shown(t.number))
		for t.state() == seen {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(200 * time.Millisecond):
			}
		}
		time.Sleep(100 * time.Millisecond) // an editor may write more than one of them
	}
}

// state changes when one of the lab's files does.
func (t target) state() string {
	var b strings.Builder
	for _, kind := range []string{".en.md", ".zh.md", ".mistakes.md"} {
		if info, err := os.Stat(t.shown(t.number + kind)); err == nil {
			fmt.Fprintln(&b, kind, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}
