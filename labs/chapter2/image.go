package chapter2

import (
	"github.com/spf13/cobra"

	"sandbox/labs/command"
)

// Commands are those of this chapter, in the order in which help lists them.
func Commands(env *command.Env) []*cobra.Command {
	return []*cobra.Command{
		NewImages(env), NewHistory(env), NewBuild(env), NewCommit(env), NewDiff(env), NewTag(env), NewRmi(env),
		NewPull(env), NewPush(env), NewLogin(env), NewLogout(env), NewSearch(env), NewRegistry(env),
		NewSave(env), NewLoad(env), NewImport(env), NewExport(env),
	}
}

// NewImage makes `sandbox image`, under which Docker has the same commands.
func NewImage(env *command.Env) *cobra.Command {
	group := &cobra.Command{Use: "image", Short: "The same commands under Docker's longer names, and prune"}
	list, remove := NewImages(env), NewRmi(env)
	list.Use, list.Aliases = "ls [flags] [REPOSITORY[:TAG]]", []string{"list"}
	remove.Use, remove.Aliases = "rm [flags] IMAGE...", []string{"remove"}
	group.AddCommand(list, remove, NewHistory(env), NewBuild(env), NewTag(env), NewPull(env), NewPush(env), NewSave(env), NewLoad(env),
		NewImport(env), NewImageInspect(env), NewImagePrune(env))
	return group
}
