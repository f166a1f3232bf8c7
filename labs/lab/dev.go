package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/pocket"
	"sandbox/labs/command"
	"sandbox/labs/course"
)

// newDev makes `sandbox lab dev`, for those who write labs.
func newDev(env *setting) *cobra.Command {
	cmd := &cobra.Command{
		Use: "dev", Short: "For authors: begin a lab of your own, check it, run it",
		Example: "  sandbox lab dev new 7.1 --title 'Our own lab' labs\n  sandbox lab dev check labs/7.1.en.md\n  sandbox lab --labs labs dev run 7.1 --watch\n  sandbox lab --labs labs        # what your class then sees",
	}
	cmd.AddCommand(newDevNew(env), newDevCheck(env), newDevRun(env), newDevPerform(env))
	return cmd
}

// reserved are words that a lab cannot be called: what can be done with one.
func reserved(dev *cobra.Command) (words []string) {
	for _, cmd := range dev.Parent().Commands() {
		words = append(words, cmd.Name())
	}
	return append(words, "help")
}

func newDevNew(env *setting) *cobra.Command {
	var english, chinese string
	cmd := &cobra.Command{
		Use: "new NUMBER [DIR]", Short: "Write a small lab that is whole, for you to change", Args: cobra.RangeArgs(1, 2),
		Long: `Write a small lab that is whole, for you to change: its text in English and in Chinese, and the usual mistakes.

NUMBER is one like 7.1, or a word. DIR is where labs are kept: that of --labs if it is not given, or else the one you
are in. Files that are there already stay as they are.`,
		Example: "  sandbox lab dev new 7.1 --title 'Our own lab' labs\n  sandbox lab dev new welcome --title 'Welcome to the course' --title-zh 欢迎来上课",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("title-zh") && cmd.Flags().Changed("title") {
				chinese = english
			}
			if slices.Contains(reserved(cmd.Parent()), args[0]) {
				return kernel.Advise(fmt.Errorf("%q is a command of sandbox lab, and no lab can be called so", args[0]), "choose a number (7.1) or another word")
			}
			files, err := course.NewLab(args[0], english, chinese)
			if err != nil {
				return kernel.Advise(err, "sandbox lab dev new 7.1 --title 'Our own lab'   the number is one like 7.1 or a word in small letters")
			}
			dir := env.Labs
			if dir == "" {
				dir = "."
			}
			if len(args) > 1 {
				dir = args[1]
			}
			return writeLab(env, dir, args[0], files)
		},
	}
	cmd.Flags().StringVar(&english, "title", "What a container writes", "the lab's title")
	cmd.Flags().StringVar(&chinese, "title-zh", "容器写下的内容", "its title in Chinese, if it is another")
	return cmd
}

// writeLab writes the files of a new lab, all of them or none.
func writeLab(env *setting, dir, number string, files []course.File) error {
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(dir, f.Name)); err == nil {
			return kernel.Advise(fmt.Errorf("%s is there already", filepath.Join(dir, f.Name)), "sandbox lab dev check %s   looks at it; or begin under another number", filepath.Join(dir, number+".en.md"))
		}
	}
	door := env.Engine().Door
	door.Do(kernel.MkdirAll(dir, "1.1")...)
	for _, f := range files {
		err := door.Do(kernel.In("1.1", kernel.Because(kernel.CreateFile{Path: filepath.Join(dir, f.Name), Data: f.Data, Mode: 0o644}, "", ""))...)
		if err != nil {
			return kernel.Advise(fmt.Errorf("write the lab: %w", err), "name a directory that you can write to: sandbox lab dev new %s DIR", number)
		}
	}
	for _, f := range files {
		fmt.Fprintln(env.Out, filepath.Join(dir, f.Name))
	}
	fmt.Fprintf(env.Out, "\nIt can be run as it is:  %s lab --labs %s %s\nAfter each change:       %s lab dev check %s\n",
		command.Program(), dir, number, command.Program(), filepath.Join(dir, files[0].Name))
	return nil
}

// target is a lab as its author has named it.
type target struct {
	dir    string // "" for one that is built in
	number string
}

// shown is a file of the lab as it is to be printed.
func (t target) shown(file string) string { return filepath.Join(t.dir, file) }

// findTarget finds a lab by its number, or by one of its files. Without --labs a number may be that of a lab in the directory one
// is in.
func findTarget(env *setting, arg string) (target, error) {
	if number, ok := course.NumberOf(filepath.Base(arg)); ok {
		return target{filepath.Dir(arg), number}, nil
	}
	if !course.ValidNumber(arg) {
		return target{}, kernel.Advise(fmt.Errorf("%q is neither a lab's number nor one of its files", arg), "its files are called like 7.1.en.md, 7.1.zh.md and 7.1.mistakes.md: sandbox lab dev new 7.1   writes them")
	}
	dir := labsDir(env.Env)
	if dir == "" {
		if files, _ := filepath.Glob(arg + ".??.md"); len(files) > 0 {
			dir = "."
		}
	}
	return target{dir, arg}, nil
}

// verdict is what has been found out in a pocket host.
type verdict struct {
	Found []course.Finding `json:"found"`
	Left  []string         `json:"left"` // what could not be looked at on this machine
}

// Parts of a lab that are performed in pocket hosts of their own; a number is an attempt that the author has foreseen.
const (
	partShow      = "show" // the lab straight through, for the author to read
	partSteps     = "steps"
	partExercises = "exercises"
)

// newDevPerform makes the command that `check` and `run` give to pocket hosts.
func newDevPerform(env *setting) *cobra.Command {
	var part string
	cmd := &cobra.Command{
		Use: "perform NUMBER", Hidden: true, Args: oneNumber,
		RunE: func(cmd *cobra.Command, args []string) error {
			if os.Getenv(pocket.Variable) == "" {
				o := options(env, args[0], []string{"lab", "dev", "perform", args[0], "--part=" + part})
				o.Name = ""
				return enter(env, o)
			}
			private := *env // the author's own seed stays what it is
			private.seed = ""
			s, err := newSession(&private)
			if err != nil {
				return err
			}
			s.Seed, s.Progress = env.seed, ""
			if part == partShow {
				s.Terminal, s.Color = false, false
				return failed(s.Run(context.Background(), args[0]))
			}
			s.Out, s.Err = io.Discard, io.Discard
			v, err := perform(s, args[0], part)
			if err != nil {
				return err
			}
			return json.NewEncoder(env.Out).Encode(v)
		},
	}
	cmd.Flags().StringVar(&part, "part", partShow, "which part of it")
	return cmd
}

// longest is how long a part of a lab may take: a class would not wait for it.
const longest = 5 * time.Minute

func perform(s *course.Session, number, part string) (v verdict, err error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), longest, fmt.Errorf("it has not ended after %v", longest))
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = kernel.Advise(context.Cause(ctx), "does something wait for what never comes? sandbox lab dev run %s   shows how far it gets", number)
		}
	}()
	switch part {
	case partSteps:
		v.Found, err = s.Rehearse(ctx, number)
		return v, err
	case partExercises:
		v.Found, v.Left, err = s.ProveAll(ctx, number)
		return v, err
	}
	n, err := strconv.Atoi(part)
	if err != nil {
		return v, err
	}
	err = s.ProveAttempt(ctx, number, n)
	var f course.Finding
	if errors.As(err, &f) {
		v.Found, err = []course.Finding{f}, nil
	}
	return v, err
}
