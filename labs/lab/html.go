package lab

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/course/pages"
)

// newHTML makes `sandbox lab html`.
func newHTML(env *setting) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "html [flags]", Short: "Write the course as web pages: one of each lab and language, and an index", Args: cobra.NoArgs,
		Long: `Write the course as web pages into a directory: one page of each lab and language, and an index. They need no network and no
script, can be read on a phone and put on any web server. Hints and solutions are folded.`,
		Example: "  sandbox lab html -o course\n  sandbox lab html --lang zh --seed 0      # begin in Chinese; exercises as they were written",
		RunE:    func(cmd *cobra.Command, args []string) error { return runHTML(env, dir) },
	}
	cmd.Flags().StringVarP(&dir, "output", "o", "course", "the directory that the pages are written into")
	return cmd
}

func runHTML(env *setting, dir string) error {
	s, err := newSession(env)
	if err != nil {
		return err
	}
	names, err := pages.Write(dir, pages.Options{Lessons: s.Lessons, Seed: s.Seed, Lang: s.Lang})
	if err != nil {
		return kernel.Advise(err, "-o DIR, a directory that you can write to")
	}
	fmt.Fprintf(env.Out, "%d pages; begin with %s\n", len(names), filepath.Join(dir, names[0]))
	return nil
}
