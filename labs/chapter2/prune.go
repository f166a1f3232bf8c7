package chapter2

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/image/build"
	"sandbox/kernel"
	"sandbox/labs/command"
)

type pruneOptions struct {
	all, force bool
	filters    []string
}

// NewImagePrune makes `sandbox image prune`.
func NewImagePrune(env *command.Env) *cobra.Command {
	var opts pruneOptions
	cmd := &cobra.Command{
		Use:     "prune [flags]",
		Short:   "Remove images that nobody needs",
		Example: "  sandbox image prune\n  sandbox image prune -a -f --filter until=24h",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runPrune(env, opts) },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.all, "all", "a", false, "all that no container is made of, not only those without a name")
	f.BoolVarP(&opts.force, "force", "f", false, "do not ask")
	f.StringArrayVar(&opts.filters, "filter", nil, "until=24h or a date, label=NAME[=VALUE], label!=…")
	return cmd
}

func runPrune(env *command.Env, opts pruneOptions) error {
	if _, err := parsePruneFilters(opts.filters); err != nil {
		return err
	}
	question := "WARNING! This will remove all dangling images."
	if opts.all {
		question = "WARNING! This will remove all images without at least one container associated to them."
	}
	if !opts.force && !env.Confirmed(question) {
		return nil
	}
	lines, freed, err := PruneImages(env, opts.all, opts.filters)
	if err != nil {
		return err
	}
	command.PrintPruned(env.Out, "Images", lines)
	fmt.Fprintf(env.Out, "Total reclaimed space: %s\n", command.Size(freed))
	return nil
}

// PruneImages removes images that nobody needs: those without a name, or with all every one that no container is made of. It
// returns a line for each thing that was done, and how many bytes that gives back.
func PruneImages(env *command.Env, all bool, filters []string) (lines []string, freed int64, err error) {
	match, err := parsePruneFilters(filters)
	if err != nil {
		return nil, 0, err
	}
	store := env.Engine().Images
	before, err := store.List()
	if err != nil {
		return nil, 0, err
	}
	for more := true; more; { // an image's parents have no child once it is gone
		var gone []*image.Image
		if gone, err = prunable(env, all, match); err != nil {
			return lines, 0, err
		}
		if more = len(gone) > 0; !more {
			break
		}
		var ids []string
		for _, img := range gone {
			for _, name := range append(append([]string{}, img.Names...), img.Digests...) {
				lines = append(lines, "untagged: "+name)
			}
			lines, ids = append(lines, "deleted: "+img.ID), append(ids, img.ID)
		}
		if err := store.Remove(ids...); err != nil {
			return lines, 0, err
		}
		for _, id := range ids {
			happened(env, "delete", id, id)
		}
	}
	after, err := store.List()
	return lines, sharedSize(before) - sharedSize(after), err
}

// PruneCache forgets what builds have done before, where the images of it are gone.
func PruneCache(env *command.Env) (freed int64, err error) {
	return build.Prune(buildDir(env), env.Engine().Images)
}

// prunable are the images that may go now: no container is made of them, no other image was built on them.
func prunable(env *command.Env, all bool, match func(*image.Image) bool) ([]*image.Image, error) {
	list, err := env.Engine().Images.List()
	if err != nil {
		return nil, err
	}
	containers, err := env.Engine().List()
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, r := range containers {
		used[r.Image] = true
	}
	parents := parentsOf(list)
	var gone []*image.Image
	for _, img := range list {
		named := len(img.Names)+len(img.Digests) > 0
		if !used[img.ID] && !parents[img.ID] && (all || !named) && match(img) {
			gone = append(gone, img)
		}
	}
	return gone, nil
}

// sharedSize is the size of all layers of some images, each counted once.
func sharedSize(list []*image.Image) int64 {
	seen, total := map[string]bool{}, int64(0)
	for _, img := range list {
		for i, name := range img.LayerNames() {
			if !seen[name] {
				seen[name] = true
				total += img.LayerSizes()[i]
			}
		}
	}
	return total
}

func parsePruneFilters(filters []string) (func(*image.Image) bool, error) {
	var all []func(*image.Image) bool
	for _, f := range filters {
		key, value, ok := strings.Cut(f, "=")
		switch {
		case ok && key == "until":
			limit, err := parseUntil(value)
			if err != nil {
				return nil, err
			}
			all = append(all, func(img *image.Image) bool { return img.Created.Before(limit) })
		case ok && (key == "label" || key == "label!"):
			name, want, hasValue := strings.Cut(value, "=")
			all = append(all, func(img *image.Image) bool {
				have, found := img.Config.Labels[name]
				return (found && (!hasValue || have == want)) == (key == "label")
			})
		default:
			return nil, kernel.Advise(fmt.Errorf("invalid filter: %q", f), "until=24h, until=2026-01-31, label=NAME[=VALUE] or label!=NAME")
		}
	}
	return func(img *image.Image) bool {
		for _, c := range all {
			if !c(img) {
				return false
			}
		}
		return true
	}, nil
}

// parseUntil reads a duration back from now, a date, or seconds since 1970.
func parseUntil(s string) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return time.Now().Add(-d), nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, s, time.Local); err == nil {
			return t, nil
		}
	}
	whole, _, _ := strings.Cut(s, ".") // 1136073600.000000001, as Docker writes it
	if seconds, err := strconv.ParseInt(whole, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	return time.Time{}, kernel.Advise(fmt.Errorf("invalid time: %q", s), "a duration (24h, 90m) or a date (2026-01-31)")
}
