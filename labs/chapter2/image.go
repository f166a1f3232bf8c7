package chapter2

import (
	"github.com/spf13/cobra"

	"sandbox/labs/command"
)

// NewImage makes `sandbox image`, under which Docker has the same commands.
func NewImage(env *command.Env) *cobra.Command {
	group := &cobra.Command{
		Use: "image", Short: "Images: the same commands under Docker's longer names, and prune",
		Example: "  sandbox image ls             # the same as: sandbox images\n  sandbox image prune -a",
	}
	list, remove := NewImages(env), NewRmi(env)
	list.Use, list.Aliases = "ls [flags] [REPOSITORY[:TAG]]", []string{"list"}
	remove.Use, remove.Aliases = "rm [flags] IMAGE...", []string{"remove"}
	group.AddCommand(list, remove, NewHistory(env), NewBuild(env), NewTag(env), NewPull(env), NewPush(env), NewSave(env), NewLoad(env),
		NewImport(env), NewImageInspect(env), NewImagePrune(env))
	return group
}
