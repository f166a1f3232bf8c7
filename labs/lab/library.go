package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sandbox/kernel"
	"sandbox/kernel/pocket"
	"sandbox/labs/command"
	"sandbox/labs/course"
)

// labsDir is the directory of labs that are not built in: the one that is asked for, or, in a pocket host, the one that was
// asked for when it was made.
func labsDir(env *command.Env) string {
	if env.Labs == "" && os.Getenv(pocket.Variable) != "" {
		if _, err := os.Stat(pocket.LabsDir); err == nil {
			return pocket.LabsDir
		}
	}
	return env.Labs
}

// origin is what a directory of labs is called on the machine, also in a pocket host.
func origin(dir string) string {
	if name, err := os.ReadFile(pocket.LabsFrom); err == nil && dir == pocket.LabsDir {
		return string(name)
	}
	dir, _ = filepath.Abs(dir) // what has no name has no labs
	return dir
}

// library are the labs that there are for this user.
func library(env *command.Env) (fs.FS, error) {
	dir := labsDir(env)
	labs, err := course.Library(dir, origin(dir))
	switch {
	case err == nil:
		return labs, nil
	case dir == pocket.LabsDir:
		return nil, kernel.Advise(errors.New("this lab shell was opened without --labs"), "leave it (exit) and open it with --labs DIR; or leave --labs out here")
	}
	return nil, kernel.Advise(err, "--labs (or $SANDBOX_LABS) names a directory of labs; sandbox lab dev new 7.1 DIR   begins one")
}

// Numbers are those of the labs that can be run, for completion.
func Numbers(env *command.Env) []string {
	labs, err := library(env)
	if err != nil {
		return nil
	}
	var numbers []string
	for _, c := range course.Chapters(labs) {
		for _, lang := range languages {
			if _, err := course.Load(labs, c.Number, lang, ""); err == nil {
				numbers = append(numbers, c.Number)
				break
			}
		}
	}
	return numbers
}

// called is the number of a lab, or of a section of one, by what somebody has called it: the appendix has several names. A lab of a
// directory may have such a name, and then it is that one.
func called(env *setting, name string) string {
	lab, section, cut := strings.Cut(name, ".")
	if labs, err := library(env.Env); err == nil {
		if _, err := course.FindLab(labs, course.LabOf(name)); err == nil {
			return name
		}
	}
	switch strings.ToLower(strings.ReplaceAll(lab, " ", "")) {
	case "a", "a1", "appendix", "appendix1", "附录", "附录1":
		if cut {
			return "a." + section
		}
		return "a"
	}
	return name
}

// load finds a lesson by its number, in this user's language.
func load(env *setting, number string) (*course.Lesson, error) {
	labs, err := library(env.Env)
	if err != nil {
		return nil, err
	}
	if _, err := course.FindLab(labs, number); err != nil {
		return nil, kernel.Advise(err, "sandbox lab   lists them; those of a directory: sandbox lab --labs DIR")
	}
	lang, other := course.Lang(env.Language()), course.English
	if lang == course.English {
		other = course.Chinese
	}
	lesson, err := course.Load(labs, number, lang, "")
	var finding course.Finding
	switch {
	case errors.Is(err, course.ErrNoLesson):
		if _, err := course.Load(labs, number, other, ""); err == nil {
			return nil, kernel.Advise(fmt.Errorf("lab %s is not written in this language", number), "sandbox lab --lang %s %s", other, number)
		}
		return nil, kernel.Advise(err, "sandbox lab   lists those that have")
	case errors.As(err, &finding) && labsDir(env.Env) != "":
		finding.File = filepath.Join(labsDir(env.Env), finding.File)
		return nil, kernel.Advise(finding, "sandbox lab dev check %s   tells its author all that is wrong", finding.File)
	}
	return lesson, err
}
