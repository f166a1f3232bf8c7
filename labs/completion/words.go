package completion

import (
	"slices"
	"strings"

	"sandbox/image/builtin"
	"sandbox/kernel/capability"
	"sandbox/kernel/container"
	"sandbox/labs/command"
	network "sandbox/net"
)

// one completes the first argument only, several any number of them.
func one(words func(*command.Env) []string) candidates {
	return func(env *command.Env, args []string) []string {
		if len(args) > 0 {
			return nil
		}
		return words(env)
	}
}

func several(words func(*command.Env) []string) candidates {
	return func(env *command.Env, args []string) []string { return words(env) }
}

func fixed(words ...string) candidates {
	return func(env *command.Env, args []string) []string { return words }
}

// others are words, and running containers, whose namespaces can be used.
func others(words ...string) candidates {
	return func(env *command.Env, args []string) []string {
		all := slices.Clone(words)
		for _, name := range running(env) {
			all = append(all, "container:"+name)
		}
		return all
	}
}

// containers are the names of those in a certain state. Nothing is put in order for that: who presses Tab wants to change nothing.
func containers(env *command.Env, match func(container.State) bool) []string {
	var names []string
	for _, r := range env.Engine().Peek() {
		if match(r.State) {
			names = append(names, r.PlainName())
		}
	}
	slices.Sort(names)
	return names
}

func everyContainer(env *command.Env) []string {
	return containers(env, func(container.State) bool { return true })
}

func running(env *command.Env) []string {
	return containers(env, func(s container.State) bool { return s.Running })
}

func stopped(env *command.Env) []string {
	return containers(env, func(s container.State) bool { return !s.Running })
}

func paused(env *command.Env) []string {
	return containers(env, func(s container.State) bool { return s.Paused })
}

func unpaused(env *command.Env) []string {
	return containers(env, func(s container.State) bool { return s.Running && !s.Paused })
}

// images are the names of those in the store, and of the built-in ones, which may not be in it yet. The tag latest goes
// without saying.
func images(env *command.Env) []string {
	var names []string
	list, _ := env.Engine().Images.List()
	for _, img := range list {
		for _, name := range img.Names {
			names = append(names, strings.TrimSuffix(name, ":latest"))
		}
	}
	names = append(names, builtin.Names()...)
	slices.Sort(names)
	return slices.Compact(names)
}

// everything is what `inspect` finds.
func everything(env *command.Env, args []string) []string {
	names := slices.Concat(everyContainer(env), images(env), networks(env), volumes(env))
	slices.Sort(names)
	return slices.Compact(names)
}

// places are containers with the colon after which their paths stand; the other one of cp's arguments is a file.
func places(env *command.Env, args []string) []string {
	if len(args) == 1 && strings.Contains(args[0], ":") {
		return nil
	}
	names := everyContainer(env)
	for i := range names {
		names[i] += ":"
	}
	return names
}

// networks are the names of all; ownNetworks those that can be removed.
func networks(env *command.Env) []string {
	return networkNames(env, func(*network.Network) bool { return true })
}

func ownNetworks(env *command.Env) []string {
	return networkNames(env, func(n *network.Network) bool { return !n.Predefined() })
}

func networkNames(env *command.Env, match func(*network.Network) bool) []string {
	var names []string
	for _, n := range env.Engine().Networks().Peek() {
		if match(n) {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	return names
}

// anyNetwork is what a container can have: a network, or another container's.
func anyNetwork(env *command.Env, args []string) []string {
	return slices.Concat(networks(env), others()(env, args))
}

// inNetwork are a network and then a container.
func inNetwork(words func(*command.Env) []string) candidates {
	return func(env *command.Env, args []string) []string {
		switch len(args) {
		case 0:
			return networks(env)
		case 1:
			return words(env)
		}
		return nil
	}
}

func volumes(env *command.Env) []string {
	var names []string
	list, _ := env.Engine().Volumes()
	for _, v := range list {
		names = append(names, v.Name)
	}
	return names
}

var signals = strings.Fields("HUP INT QUIT KILL TERM USR1 USR2 STOP CONT WINCH")

func capabilities(env *command.Env, args []string) []string {
	var names []string
	for _, name := range capability.All.Names() {
		names = append(names, strings.TrimPrefix(name, "CAP_"))
	}
	return append(names, "ALL")
}
