package chapter2

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// NewDf makes `sandbox system df`.
func NewDf(env *command.Env) *cobra.Command {
	var verbose bool
	var format string
	cmd := &cobra.Command{
		Use:     "df [flags]",
		Short:   "Show how much of the disk is used, and how much could be given back",
		Example: "  sandbox system df\n  sandbox system df -v     # image by image, container by container",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runDf(env, verbose, format) },
	}
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "each image and each container")
	cmd.Flags().StringVar(&format, "format", "", "a Go template, or json")
	return cmd
}

// dfRow is what templates see, under Docker's names.
type dfRow struct{ Type, TotalCount, Active, Size, Reclaimable string }

func runDf(env *command.Env, verbose bool, format string) error {
	engine := env.Engine()
	images, err := engine.Images.List()
	if err != nil {
		return err
	}
	containers, err := engine.List()
	if err != nil {
		return err
	}
	sizes := map[string]int64{} // of what each container has written
	for _, r := range containers {
		sizes[r.ID] = diskUsage(engine.Upper(r))
	}
	volumes, eachVolume, err := volumesUsage(engine)
	if err != nil {
		return err
	}
	if verbose {
		return printUsage(env, format, usage{imageUsage(images, containers), containerUsage(containers, sizes, command.ImageNames(env, false)), eachVolume}, diskUsage(cacheDir(env)))
	}
	cache := diskUsage(cacheDir(env))
	rows := []dfRow{
		imagesRow(images, containers), containersRow(containers, sizes), volumes,
		{Type: "Build Cache", TotalCount: fmt.Sprint(countFiles(cacheDir(env))), Active: "0", Size: command.Size(cache), Reclaimable: command.Size(cache)},
	}
	if format == "json" {
		return command.PrintJSON(env.Out, rows)
	}
	if format == "" || format == "table" {
		format = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"
	}
	return command.PrintRows(env.Out, format, rows, dfRow{"TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"})
}

// imagesRow counts what `image prune -a` would give back: the layers that no container needs.
func imagesRow(images []*image.Image, containers []*container.Record) dfRow {
	used, shown := usedImages(images, containers), len(withoutSteps(images))
	total, needed := sharedSize(images), sharedSize(used)
	return dfRow{"Images", fmt.Sprint(shown), fmt.Sprint(len(used)), command.Size(total), reclaimable(total-needed, total)}
}

// withoutSteps leaves out what builds have left on the way: images without a name that others are made from.
func withoutSteps(images []*image.Image) []*image.Image {
	parents := parentsOf(images)
	return slices.DeleteFunc(slices.Clone(images), func(img *image.Image) bool {
		return len(img.Names)+len(img.Digests) == 0 && parents[img.ID]
	})
}

func usedImages(images []*image.Image, containers []*container.Record) []*image.Image {
	return slices.DeleteFunc(slices.Clone(images), func(img *image.Image) bool {
		return !slices.ContainsFunc(containers, func(r *container.Record) bool { return r.Image == img.ID })
	})
}

func containersRow(containers []*container.Record, sizes map[string]int64) dfRow {
	var active int
	var total, free int64
	for _, r := range containers {
		total += sizes[r.ID]
		if r.State.Running {
			active++
		} else {
			free += sizes[r.ID]
		}
	}
	return dfRow{"Containers", fmt.Sprint(len(containers)), fmt.Sprint(active), command.Size(total), reclaimable(free, total)}
}

func reclaimable(free, total int64) string {
	if total == 0 {
		return command.Size(free)
	}
	return fmt.Sprintf("%s (%d%%)", command.Size(free), free*100/total)
}

// usage is what templates see with --verbose.
type usage struct {
	Images     []imageRow
	Containers []usageRow
	Volumes    []volumeUsage
}

type usageRow struct{ ID, Image, Command, Size, RunningFor, Status, Names string }

// printUsage lists each image and each container, in tables, as one JSON object, or by a template for the whole.
func printUsage(env *command.Env, format string, all usage, cache int64) error {
	switch format {
	case "", "table":
	case "json":
		return command.PrintJSON(env.Out, []usage{all})
	default:
		return command.PrintRows(env.Out, format, []usage{all}, usage{})
	}
	fmt.Fprintf(env.Out, "Images space usage:\n\n")
	err := command.PrintRows(env.Out, "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}", all.Images, imageRow{
		Repository: "REPOSITORY", Tag: "TAG", ID: "IMAGE ID", CreatedSince: "CREATED", Size: "SIZE", SharedSize: "SHARED SIZE", UniqueSize: "UNIQUE SIZE", Containers: "CONTAINERS",
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "\nContainers space usage:\n\n")
	err = command.PrintRows(env.Out, "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}", all.Containers,
		usageRow{"CONTAINER ID", "IMAGE", "COMMAND", "SIZE", "CREATED", "STATUS", "NAMES"})
	if err == nil {
		err = printVolumesUsage(env, all.Volumes)
	}
	if err == nil {
		fmt.Fprintf(env.Out, "\nBuild cache usage: %s\n", command.Size(cache))
	}
	return err
}

// imageUsage are the images, with what of each others have too.
func imageUsage(images []*image.Image, containers []*container.Record) []imageRow {
	images = withoutSteps(images)
	owners := map[string]int{} // of a layer
	for _, img := range images {
		for _, name := range img.Layers {
			owners[name]++
		}
	}
	rows := []imageRow{}
	for _, img := range images {
		var shared int64
		for i, name := range img.LayerNames() {
			if owners[name] > 1 {
				shared += img.LayerSizes()[i]
			}
		}
		row := makeImageRow(img, references(img)[0], false)
		row.SharedSize, row.UniqueSize = command.Size(shared), command.Size(img.Size-shared)
		row.Containers = fmt.Sprint(len(slices.DeleteFunc(slices.Clone(containers), func(r *container.Record) bool { return r.Image != img.ID })))
		rows = append(rows, row)
	}
	return rows
}

func containerUsage(containers []*container.Record, sizes map[string]int64, imageName func(*container.Record) string) []usageRow {
	rows := []usageRow{}
	for _, r := range containers {
		line := shortened(r.CommandLine(), 20)
		rows = append(rows, usageRow{r.Short(), imageName(r), strconv.Quote(line), command.Size(sizes[r.ID]),
			command.Since(r.Created.Time) + " ago", r.State.Status, r.PlainName()})
	}
	return rows
}

// diskUsage is what a directory takes on the disk, hard links counted once. What cannot be read does not count.
func diskUsage(dir string) (total int64) {
	seen := map[uint64]bool{}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		info, err := d.Info()
		if err != nil || d.IsDir() {
			return nil
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && !seen[st.Ino] {
			seen[st.Ino] = true
			total += st.Blocks * 512
		}
		return nil
	})
	return total
}

func countFiles(dir string) (n int) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".json") {
			n++
		}
		return nil
	})
	return n
}

// cacheDir is where builds keep what they have done before.
func cacheDir(env *command.Env) string { return filepath.Join(env.Engine().Paths.State, "build") }
