package chapter2

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/labs/command"
)

type imagesOptions struct {
	all, quiet, noTrunc, digests bool
	filters                      []string
	format                       string
}

// NewImages makes `sandbox images`, which is also `sandbox image ls`.
func NewImages(env *command.Env) *cobra.Command {
	var opts imagesOptions
	cmd := &cobra.Command{
		Use:     "images [flags] [REPOSITORY[:TAG]]",
		Short:   "List images",
		Example: "  sandbox images\n  sandbox images -a\n  sandbox images --digests base\n  sandbox images -f dangling=true -q",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runImages(env, opts, args) },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.all, "all", "a", false, "also those that are only a step on the way to another one")
	f.BoolVarP(&opts.quiet, "quiet", "q", false, "only the IDs")
	f.BoolVar(&opts.noTrunc, "no-trunc", false, "whole IDs")
	f.BoolVar(&opts.digests, "digests", false, "with the digests by which registries know them")
	f.StringArrayVarP(&opts.filters, "filter", "f", nil, "dangling= label= before= since= until= reference=")
	f.StringVar(&opts.format, "format", "", "a Go template, or json")
	return cmd
}

// imageRow is what templates see, under Docker's names. An image with two tags has two rows.
type imageRow struct {
	Repository, Tag, Digest, ID, CreatedSince, CreatedAt, Size, Containers, SharedSize, UniqueSize, VirtualSize string
}

func runImages(env *command.Env, opts imagesOptions, args []string) error {
	if len(args) == 1 {
		opts.filters = append(opts.filters, "reference="+args[0])
	}
	store := env.Engine().Images
	list, err := store.List()
	if err != nil {
		return err
	}
	match, err := parseImageFilters(store, opts.filters)
	if err != nil {
		return err
	}
	parents := parentsOf(list)
	var rows []imageRow
	for _, img := range list {
		if len(img.Names)+len(img.Digests) == 0 && parents[img.ID] && !opts.all {
			continue
		}
		for _, ref := range references(img) {
			if match(img, ref) {
				rows = append(rows, makeImageRow(img, ref, opts.noTrunc))
			}
		}
	}
	return printImages(env.Out, opts, rows)
}

// parentsOf are the images that another one was built on, by ID.
func parentsOf(list []*image.Image) map[string]bool {
	parents := map[string]bool{}
	for _, img := range list {
		parents[img.Parent] = true
	}
	return parents
}

// reference is one line of an image: a name with a tag, or only a digest, or nothing.
type reference struct{ repository, tag, digest string }

const none = "<none>"

// references are an image's lines: one for each tag, with the digest that its repository knows; one for a digest without a tag.
func references(img *image.Image) []reference {
	digests := map[string]string{}
	for _, name := range img.Digests {
		repository, digest, _ := strings.Cut(name, "@")
		digests[repository] = digest
	}
	var list []reference
	tagged := map[string]bool{}
	for _, name := range img.Names {
		repository, tag := splitTag(name)
		tagged[repository] = true
		list = append(list, reference{repository, tag, orNone(digests[repository])})
	}
	for _, name := range img.Digests {
		if repository, digest, _ := strings.Cut(name, "@"); !tagged[repository] {
			list = append(list, reference{repository, none, digest})
		}
	}
	if len(list) == 0 {
		list = []reference{{none, none, none}}
	}
	return list
}

// splitTag cuts a name before its tag: a colon after the last slash.
func splitTag(name string) (repository, tag string) {
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[:colon], name[colon+1:]
	}
	return name, none
}

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}

func makeImageRow(img *image.Image, ref reference, whole bool) imageRow {
	row := imageRow{
		Repository: ref.repository, Tag: ref.tag, Digest: ref.digest, ID: command.ShortID(img.ID), Size: command.Size(img.Size), VirtualSize: command.Size(img.Size),
		CreatedAt: img.Created.Local().Format("2006-01-02 15:04:05 -0700 MST"), CreatedSince: "N/A", Containers: "N/A", SharedSize: "N/A", UniqueSize: "N/A",
	}
	if img.Created.Unix() > 0 {
		row.CreatedSince = command.Since(img.Created) + " ago"
	}
	if whole {
		row.ID = img.ID
	}
	return row
}

func printImages(w io.Writer, opts imagesOptions, rows []imageRow) error {
	switch {
	case opts.quiet && (opts.format == "" || opts.format == "table"):
		for _, r := range rows { // as with Docker, an image with two tags twice
			fmt.Fprintln(w, r.ID)
		}
		return nil
	case opts.format == "json":
		for _, r := range rows {
			line, _ := json.Marshal(r)
			fmt.Fprintf(w, "%s\n", line)
		}
		return nil
	}
	format := "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
	if opts.digests {
		format = "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
	}
	if opts.format != "" && opts.format != "table" {
		format = opts.format
	}
	return command.PrintRows(w, format, rows, imageRow{
		Repository: "REPOSITORY", Tag: "TAG", Digest: "DIGEST", ID: "IMAGE ID", CreatedSince: "CREATED", CreatedAt: "CREATED AT", Size: "SIZE",
		Containers: "CONTAINERS", SharedSize: "SHARED SIZE", UniqueSize: "UNIQUE SIZE", VirtualSize: "VIRTUAL SIZE",
	})
}
