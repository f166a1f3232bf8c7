package chapter2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/image/layer"
	"sandbox/labs/command"
)

type historyOptions struct {
	human, noTrunc, quiet, waste bool
	format                       string
}

// NewHistory makes `sandbox history`.
func NewHistory(env *command.Env) *cobra.Command {
	var opts historyOptions
	cmd := &cobra.Command{
		Use:     "history [flags] IMAGE",
		Short:   "Show how an image came to be, the newest step first",
		Example: "  sandbox history base\n  sandbox history --waste demo     # bytes in each layer that later ones hide",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runHistory(env, opts, args[0]) },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.human, "human", "H", true, "sizes and dates as people write them")
	f.BoolVar(&opts.noTrunc, "no-trunc", false, "whole IDs and instructions")
	f.BoolVarP(&opts.quiet, "quiet", "q", false, "only the IDs")
	f.BoolVar(&opts.waste, "waste", false, "how much of each layer is deleted or replaced by later ones")
	f.StringVar(&opts.format, "format", "", "a Go template, or json")
	return cmd
}

// historyRow is what templates see, under Docker's names; Waste is ours.
type historyRow struct {
	ID, CreatedSince, CreatedAt, CreatedBy, Size, Comment string
	Waste                                                 string `json:",omitempty"`
}

func runHistory(env *command.Env, opts historyOptions, ref string) error {
	store := env.Engine().Images
	img, err := findImage(env, ref)
	if err != nil {
		return err
	}
	config, err := store.ConfigFile(img)
	if err != nil {
		return err
	}
	var waste []int64
	if opts.waste {
		if waste, err = wasteOf(store, img); err != nil {
			return err
		}
	}
	rows := historyRows(config, img, ancestors(store, img), waste, opts)
	switch {
	case opts.quiet:
		for _, r := range rows {
			fmt.Fprintln(env.Out, r.ID)
		}
		return nil
	case opts.format == "json":
		for _, r := range rows {
			line, _ := json.Marshal(r)
			fmt.Fprintf(env.Out, "%s\n", line)
		}
		return nil
	}
	format := "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
	if opts.waste {
		format = "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Waste}}\t{{.Comment}}"
	}
	if opts.format != "" && opts.format != "table" {
		format = opts.format
	}
	return command.PrintRows(env.Out, format, rows, historyRow{
		ID: "IMAGE", CreatedSince: "CREATED", CreatedAt: "CREATED AT", CreatedBy: "CREATED BY", Size: "SIZE", Comment: "COMMENT", Waste: "WASTE",
	})
}

// historyRows are the steps, the newest first. Only steps of builds on this machine have an ID of their own.
func historyRows(config *v1.ConfigFile, img *image.Image, chain []string, waste []int64, opts historyOptions) []historyRow {
	history := config.History
	if len(history) == 0 {
		for range img.LayerSizes() {
			history = append(history, v1.History{Created: config.Created})
		}
	}
	var rows []historyRow
	next := 0 // the layer of the next step that has one
	for i, h := range history {
		row := historyRow{ID: missing, CreatedBy: h.CreatedBy, Comment: h.Comment, CreatedSince: "N/A", CreatedAt: h.Created.Format("2006-01-02T15:04:05Z07:00")}
		if back := len(history) - 1 - i; back < len(chain) {
			row.ID = chain[back]
		}
		if h.Created.Unix() > 0 {
			row.CreatedSince = command.Since(h.Created.Time) + " ago"
		}
		size, wasted := int64(0), int64(0)
		if !h.EmptyLayer && next < len(img.LayerSizes()) {
			size = img.LayerSizes()[next]
			if next < len(waste) {
				wasted = waste[next]
			}
			next++
		}
		row.Size, row.Waste = sizeText(size, opts.human), sizeText(wasted, opts.human)
		if !opts.noTrunc {
			row.ID, row.CreatedBy = command.ShortID(row.ID), shortened(row.CreatedBy, 45)
		}
		if !opts.human {
			row.CreatedSince = row.CreatedAt
		}
		rows = append(rows, row)
	}
	slices.Reverse(rows)
	return rows
}

// missing is Docker's word for a step whose image is not here.
const missing = "<missing>"

func sizeText(bytes int64, human bool) string {
	if human {
		return command.Size(bytes)
	}
	return strconv.FormatInt(bytes, 10)
}

func shortened(s string, limit int) string {
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return s
}

// ancestors are the IDs of an image and of those it was built on, step by step.
func ancestors(store *image.Store, img *image.Image) []string {
	chain := []string{img.ID}
	for img.Parent != "" && len(chain) < 1000 {
		parent, err := store.Find(img.Parent)
		if err != nil {
			break
		}
		chain, img = append(chain, parent.ID), parent
	}
	return chain
}

// wasteOf are the bytes of each layer, the lowest first, that nobody can see any more. A layer that comes twice is on the disk
// once: what it wastes counts where it is uppermost.
func wasteOf(store *image.Store, img *image.Image) ([]int64, error) {
	distinct, err := layer.Waste(store.Stack(img.Layers, ""))
	if err != nil {
		return nil, err
	}
	names := img.LayerNames()
	waste := make([]int64, len(names))
	for i := len(names) - 1; i >= 0 && len(distinct) > 0; i-- {
		if !slices.Contains(names[i+1:], names[i]) {
			waste[i], distinct = distinct[0], distinct[1:]
		}
	}
	return waste, nil
}
