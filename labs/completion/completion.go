// Package completion completes what is typed in bash, zsh and fish: names of containers, images, networks and volumes, each where it
// makes sense: `stop` those that run, `start` those that do not.
//
// cobra asks the program itself (`sandbox __complete …`); the table below says what each command takes.
package completion

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/labs/command"
	"sandbox/labs/lab"
)

// candidates finds words; args are those that are there already.
type candidates func(env *command.Env, args []string) []string

// arguments says what a command takes, under its path without the program's name. The words for one that is also
// known under a longer name, as `container stop`, are those of `stop`.
var arguments = map[string]candidates{
	"attach": one(running), "cgroup": one(running), "commit": one(everyContainer), "cp": places, "create": one(images), "diff": one(everyContainer),
	"exec": one(running), "export": one(everyContainer), "history": one(images), "inspect": everything, "kill": several(running),
	"logs": one(everyContainer), "pause": several(unpaused), "port": one(running), "push": one(images), "rename": one(everyContainer),
	"restart": several(everyContainer), "rm": several(everyContainer), "rmi": several(images), "run": one(images), "save": several(images),
	"start": several(stopped), "stats": several(running), "stop": several(running), "tag": one(images), "top": one(running),
	"unpause": several(paused), "update": several(everyContainer), "wait": several(running),
	"container inspect": several(everyContainer), "image inspect": several(images), "image rm": several(images), "image ls": one(images),
	"volume inspect": several(volumes), "volume rm": several(volumes),
	"network inspect": several(networks), "network rm": several(ownNetworks), "network connect": inNetwork(everyContainer), "network disconnect": inNetwork(everyContainer),
	"lab": one(lab.Numbers), "lab read": one(lab.Numbers), "lab shell": one(lab.Numbers), "lab check": one(lab.Numbers), "lab hint": one(lab.Numbers), "lab watch": one(lab.Numbers), "lab solution": one(lab.Numbers), "lab reset": one(lab.Numbers),
}

// flagWords are what flags take, by name; those that a command does not have are passed over.
var flagWords = map[string]candidates{
	"network": anyNetwork, "pull": fixed("missing", "always", "never"), "log-driver": fixed("json-file", "none"),
	"restart": fixed("no", "always", "unless-stopped", "on-failure"), "signal": fixed(signals...), "stop-signal": fixed(signals...),
	"type": fixed("container", "image", "network", "volume"), "cap-add": capabilities, "cap-drop": capabilities, "explain": fixed("text", "json"),
	"lang": fixed("en", "zh"), "diagram": fixed("states", "layers", "namespaces"), "uts": fixed("host"),
	"pid": others("host"), "ipc": others("host", "private", "shareable"),
	"link":         func(env *command.Env, args []string) []string { return everyContainer(env) },
	"volumes-from": func(env *command.Env, args []string) []string { return everyContainer(env) },
}

// filterKeys are what --filter of a command takes.
var filterKeys = map[string]candidates{
	"ps":     fixed("ancestor=", "before=", "exited=", "expose=", "health=", "id=", "is-task=", "label=", "name=", "network=", "publish=", "since=", "status=", "volume="),
	"images": fixed("before=", "dangling=", "label=", "reference=", "since="), "prune": fixed("label=", "label!=", "until="),
	"network ls": fixed("dangling=", "driver=", "id=", "label=", "name=", "scope=", "type="),
	"events":     fixed("container=", "event=", "image=", "label=", "network=", "scope=", "type=", "volume="),
}

// Asked says whether it is the shell that has called the program, for words.
func Asked(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// Add lets all commands below root complete their arguments.
func Add(root *cobra.Command, env *command.Env) {
	walk(root, func(cmd *cobra.Command) {
		path := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), root.Name()), " ")
		words, known := arguments[path]
		if !known && cmd.Parent() != nil && (cmd.Parent().Name() == "container" || cmd.Parent().Name() == "image") {
			words, known = arguments[cmd.Name()]
		}
		if known && cmd.ValidArgsFunction == nil {
			cmd.ValidArgsFunction = complete(env, words, directive(cmd.Name()))
		}
		for name, words := range flagWords {
			if cmd.LocalFlags().Lookup(name) != nil {
				cmd.RegisterFlagCompletionFunc(name, complete(env, words, cobra.ShellCompDirectiveNoFileComp))
			}
		}
		if words, ok := filterKeys[nameOf(cmd)]; ok && cmd.LocalFlags().Lookup("filter") != nil {
			cmd.RegisterFlagCompletionFunc("filter", complete(env, words, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace))
		}
	})
}

// nameOf is the short name of a command: `image ls` is images, and `container ps` is ps.
func nameOf(cmd *cobra.Command) string {
	if cmd.Name() == "ls" && cmd.Parent() != nil {
		switch group := cmd.Parent().Name(); group {
		case "image":
			return "images"
		case "network":
			return group + " ls"
		}
	}
	return cmd.Name()
}

func walk(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, sub := range cmd.Commands() {
		walk(sub, do)
	}
}

// directive says what the shell does with the words: after a name of `cp` comes a path, and no space.
func directive(name string) cobra.ShellCompDirective {
	switch {
	case name == "cp":
		return cobra.ShellCompDirectiveNoSpace
	case name == "run" || name == "create" || name == "exec": // after the name comes a command, which may be a file
		return cobra.ShellCompDirectiveDefault
	}
	return cobra.ShellCompDirectiveNoFileComp
}

// complete leaves out words that are there already, and those that begin otherwise.
func complete(env *command.Env, words candidates, d cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		var fit []string
		for _, word := range words(env, args) {
			if strings.HasPrefix(word, begun) && !slices.Contains(args, word) {
				fit = append(fit, word)
			}
		}
		return fit, d
	}
}
