package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/course"
)

func newDevCheck(env *setting) *cobra.Command {
	var fast bool
	cmd := &cobra.Command{
		Use: "check NUMBER|FILE...", Short: "Say all that is wrong with a lab, with file and line",
		Long: `Say all that is wrong with a lab, with file and line; exit code 1 if anything is.

What can be read is looked at first: blocks and names, numbers of headings, the two languages against each other, hints of
each level, parameters, tables and links. Then it is all done in pocket hosts, in both languages: each step has to end as
promised and each answer to be proved; each exercise has to fail before anything is done and to pass after its solution; each of
the usual mistakes has to bring the hint that it names.`,
		Example: "  sandbox lab dev check labs/7.1.en.md        # any of its files will do\n  sandbox lab --labs labs dev check 7.1 7.2\n  sandbox lab dev check --fast labs/*.en.md   # only what can be seen without running anything",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return kernel.Advise(errors.New("which lab? neither its number nor a file is given"), "sandbox lab dev check labs/7.1.en.md")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var targets []target
			for _, arg := range args {
				t, err := findTarget(env, arg)
				if err != nil {
					return err
				}
				if !slices.Contains(targets, t) {
					targets = append(targets, t)
				}
			}
			wrong := 0
			err := untilSignal(func(ctx context.Context) error {
				for _, t := range targets {
					n, err := checkLab(ctx, env, t, reserved(cmd.Parent()), fast)
					if err != nil {
						return err
					}
					wrong += n
				}
				return nil
			})
			if err != nil {
				return err
			}
			if wrong > 0 {
				return kernel.Advise(fmt.Errorf("found wrong: %d", wrong), "labs/README.md describes the format; sandbox lab dev run %s   shows what the lab prints", args[0])
			}
			return nil
		},
	}
	cmd.ValidArgsFunction = authored(env)
	cmd.Flags().BoolVar(&fast, "fast", false, "only what can be seen without running anything")
	return cmd
}

// authored completes numbers of labs; where none begins so, the shell completes files.
func authored(env *setting) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) (fit []string, _ cobra.ShellCompDirective) {
		for _, number := range Numbers(env.Env) {
			if strings.HasPrefix(number, begun) && !slices.Contains(args, number) {
				fit = append(fit, number)
			}
		}
		return fit, cobra.ShellCompDirectiveDefault
	}
}

// checkLab prints what is wrong with one lab, and says how much that is.
func checkLab(ctx context.Context, env *setting, t target, reserved []string, fast bool) (wrong int, err error) {
	found, err := t.inspect(env)
	if err != nil {
		return 0, err
	}
	if slices.Contains(reserved, t.number) {
		found = append(found, course.Finding{File: t.number + ".en.md", Line: 1, Text: fmt.Sprintf("%q is a command of sandbox lab: it cannot be run under this name", t.number)})
	}
	t.print(env, found)
	if !fast {
		more, err := prove(ctx, env, t)
		if err != nil {
			return len(found), err
		}
		t.print(env, more)
		found = append(found, more...)
	}
	if len(found) == 0 {
		fmt.Fprintf(env.Out, "%s: nothing is wrong%s\n", t.shown(t.number), map[bool]string{true: ", as far as can be seen without running it"}[fast])
	}
	return len(found), nil
}

// inspect says what can be seen to be wrong at once; there may be no such lab.
func (t target) inspect(env *setting) ([]course.Finding, error) {
	labs, err := t.library(env)
	if err != nil {
		return nil, err
	}
	found, err := course.Inspect(labs, t.number)
	if err != nil {
		return nil, kernel.Advise(err, "sandbox lab dev new %s   begins it; --labs DIR says where your labs are", t.number)
	}
	return found, nil
}

func (t target) print(env *setting, found []course.Finding) {
	for _, f := range found {
		fmt.Fprintf(env.Out, "%s:%d: %s\n", t.shown(f.File), f.Line, strings.ReplaceAll(f.Text, "\n", "\n    "))
	}
}

// library are the labs among which this one is found.
func (t target) library(env *setting) (fs.FS, error) {
	private := *env.Env
	private.Labs = t.dir
	return library(&private)
}

// job is one part of a lab on its way through a pocket host.
type job struct {
	lang course.Lang
	part string
	verdict
	err error
}

// drawn is the seed that a lab is proved with: in one language it is taken as it is written, in the other as some learner has it.
var drawn = map[course.Lang]string{course.English: course.PlainSeed, course.Chinese: "another"}

// prove performs all of a lab, in each language that can be read, and returns what is not as the author says.
func prove(ctx context.Context, env *setting, t target) (found []course.Finding, err error) {
	labs, err := t.library(env)
	if err != nil {
		return nil, err
	}
	var jobs []*job
	for _, lang := range languages {
		lesson, err := course.Load(labs, t.number, lang, drawn[lang])
		if err != nil {
			continue // it has been said
		}
		jobs = append(jobs, &job{lang: lang, part: partSteps}, &job{lang: lang, part: partExercises})
		attempts, _ := lesson.Attempts(labs)
		for i := range attempts {
			jobs = append(jobs, &job{lang: lang, part: strconv.Itoa(i + 1)})
		}
	}
	if len(jobs) == 0 {
		return nil, nil
	}
	fmt.Fprintf(env.Err, "%s: doing all of it, in %d pocket hosts …\n", t.shown(t.number), len(jobs))
	var all sync.WaitGroup
	places := make(chan struct{}, 2*runtime.NumCPU()) // labs mostly wait
	for _, j := range jobs {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			j.run(ctx, env, t)
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var left []string
	for _, j := range jobs {
		found = append(found, j.Found...)
		if j.err != nil {
			found = append(found, course.Finding{File: fmt.Sprintf("%s.%s.md", t.number, j.lang), Line: 1, Text: fmt.Sprintf("its part %q could not be done: %v", j.part, j.err)})
		}
		for _, text := range j.Left {
			if !slices.Contains(left, text) {
				left = append(left, text)
				fmt.Fprintf(env.Err, "%s: %s\n", t.shown(t.number), text)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b course.Finding) int { return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line) })
	return slices.Compact(found), nil
}

func (j *job) run(ctx context.Context, env *setting, t target) {
	var said, complaint bytes.Buffer
	cmd := performing(ctx, env, t, j.lang, drawn[j.lang], j.part)
	cmd.Stdout, cmd.Stderr = &said, &complaint
	if j.err = cmd.Run(); j.err != nil {
		j.err = errors.New(strings.TrimSpace(complaint.String() + "\n" + j.err.Error()))
		return
	}
	j.err = json.Unmarshal(said.Bytes(), &j.verdict)
}
