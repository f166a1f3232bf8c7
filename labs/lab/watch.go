package lab

import (
	"context"

	"github.com/spf13/cobra"

	"sandbox/labs/course"
)

// newWatch makes `sandbox lab watch`, which checks again and again while the learner works in another terminal.
func newWatch(env *setting) *cobra.Command {
	return exerciseCommand(env, "watch", "Check an exercise as you type in another terminal, until it is solved", func(ctx context.Context, s *course.Session, number string, n int) error {
		return s.Watch(ctx, number, n)
	})
}
