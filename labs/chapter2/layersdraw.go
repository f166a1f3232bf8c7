package chapter2

import (
	"fmt"
	"strings"

	"sandbox/image/layer"
	"sandbox/labs/columns"
	"sandbox/labs/command"
)

const (
	narrowestLayers, widestLayers = 60, 100

	mostTraces = 8  // so many names are listed of a layer; the others are counted
	mostPlain  = 3  // and so many that hide nothing and are not hidden, where there are more
	widestName = 16 // columns of a container's name
)

// layersDrawing is a stack of layers on its way to paper, the uppermost first:
//
//	    ╔══════════════════════════════════════════════╗
//	box ║ its own layer …                              ║
//	    ║   ● C /etc/motd    covers the one in layer 1 ║
//	    ╚══════════════════════════════════════════════╝
//	    ┌──────────────────────────────────────────────┐
//	  1 │ …                                            │
//	    └──────────────────────────────────────────────┘
type layersDrawing struct {
	layerWords
	name   string
	floors []floor
	width  int // of the whole
	margin int // columns that the labels take
	out    strings.Builder
}

// floor is one layer.
type floor struct {
	label, title string
	size         int64
	writable     bool
	layer.Stratum
}

// layerWords are what is written into the drawing.
type layerWords struct {
	sees, part, comma, ofLayer, of, writable, file, files string
	covers, whiteout, covered, deleted, more              string
	legend                                                string
}

func newLayersDrawing(name string, width int, language string) *layersDrawing {
	d := &layersDrawing{name: name, width: min(max(width, narrowestLayers), widestLayers)}
	d.layerWords = layerWords{
		sees: "%s shows %d files: ", part: "%[2]d from %[1]s", comma: ", ", ofLayer: "layer %s", of: "%s", writable: "its own, the only one that is written to", file: "%s, %d file", files: "%s, %d files",
		covers: "covers the one in %s", whiteout: "whiteout for the one in %s", covered: "covered by the one in %s", deleted: "deleted in %s", more: "… and %d more",
		legend: "● seen   ○ hidden by a layer above   A added   C changed   D deleted",
	}
	if language == "zh" {
		d.layerWords = layerWords{
			sees: "在 %s 里能看到 %d 个文件：", part: "%s %d 个", comma: "，", ofLayer: "第 %s 层", of: " %s ", writable: "容器自己的层，只有这一层可写", file: "%s，%d 个文件", files: "%s，%d 个文件",
			covers: "盖住%s的同名文件", whiteout: "whiteout，盖住%s的文件", covered: "被%s的同名文件盖住", deleted: "已被%s删除", more: "…… 还有 %d 个",
			legend: "● 看得到   ○ 被上面的层盖住   A 添加   C 修改   D 删除",
		}
	}
	return d
}

func (d *layersDrawing) draw() string {
	total := 0
	var parts []string
	for i, f := range d.floors {
		d.margin = max(d.margin, min(columns.Of(f.label), widestName))
		if total += f.Seen; f.Seen > 0 {
			parts = append(parts, fmt.Sprintf(d.part, d.called(i), f.Seen))
		}
	}
	fmt.Fprintf(&d.out, d.sees+"%s\n", d.name, total, strings.Join(parts, d.comma))
	for i, f := range d.floors {
		switch {
		case f.writable:
			d.line("╔", "═", "╗")
		case i == 0 || d.floors[i-1].writable:
			d.line("┌", "─", "┐")
		default:
			d.line("├", "─", "┤")
		}
		d.floor(i)
		switch {
		case f.writable:
			d.line("╚", "═", "╝")
		case i == len(d.floors)-1:
			d.line("└", "─", "┘")
		}
	}
	fmt.Fprintln(&d.out, d.legend)
	return d.out.String()
}

func (d *layersDrawing) line(left, middle, right string) {
	fmt.Fprintf(&d.out, "%*s%s%s%s\n", d.margin+1, "", left, strings.Repeat(middle, d.inner()+2), right)
}

// inner is how many columns there are inside the frame.
func (d *layersDrawing) inner() int { return d.width - d.margin - 1 - 4 }

// called is a layer's name: that of the container, or its number.
func (d *layersDrawing) called(i int) string {
	if f := d.floors[i]; f.writable {
		return f.label
	}
	return fmt.Sprintf(d.ofLayer, d.floors[i].label)
}

// within is a layer's name in the middle of a sentence.
func (d *layersDrawing) within(i int) string {
	if f := d.floors[i]; f.writable {
		return fmt.Sprintf(d.of, f.label)
	}
	return d.called(i)
}

func (d *layersDrawing) floor(i int) {
	f := d.floors[i]
	frame := "│"
	if f.writable {
		frame = "║"
	}
	label := columns.Cut(f.label, d.margin)
	row := func(left, right string) {
		room := d.inner() - columns.Of(right)
		left = columns.Cut(left, max(room-1, 0))
		fmt.Fprintf(&d.out, "%s%s %s %s%s%s %s\n", strings.Repeat(" ", d.margin-columns.Of(label)), label, frame, left, strings.Repeat(" ", room-columns.Of(left)), right, frame)
		label = ""
	}
	files := d.files
	if f.Files == 1 {
		files = d.file
	}
	row(f.title, fmt.Sprintf(files, command.Size(f.size), f.Files))
	listed, left := mostTelling(f.Traces)
	path, note := 0, 0 // columns
	for _, t := range listed {
		if n := columns.Of(d.note(t)); n > 0 {
			path, note = max(path, columns.Of(t.Path)), max(note, n)
		}
	}
	const mark, shortest = len("  * A "), 12
	path = min(path, max(d.inner()-mark-2-note-1, shortest))
	for _, t := range listed {
		name, note := t.Path, d.note(t)
		if note != "" {
			name = columns.Cut(name, path)
			name += strings.Repeat(" ", path-columns.Of(name)) + "  "
		}
		row(fmt.Sprintf("  %s %c %s%s", seenMark(t), t.Kind, name, note), "")
	}
	if left > 0 {
		row("  "+fmt.Sprintf(d.more, left), "")
	}
}

func seenMark(t layer.Trace) string {
	switch {
	case t.Kind == 'D':
		return " "
	case t.Hidden >= 0:
		return "○"
	}
	return "●"
}

// note says what a trace hides, or what hides it.
func (d *layersDrawing) note(t layer.Trace) string {
	switch {
	case t.Gone:
		return fmt.Sprintf(d.deleted, d.within(t.Hidden))
	case t.Hidden >= 0:
		return fmt.Sprintf(d.covered, d.within(t.Hidden))
	case t.Kind == 'D' && t.Covers >= 0:
		return fmt.Sprintf(d.whiteout, d.within(t.Covers))
	case t.Covers >= 0:
		return fmt.Sprintf(d.covers, d.within(t.Covers))
	}
	return ""
}

// mostTelling are those traces that are listed, in their order, and how many are not: whatever hides something or is hidden
// goes before what has just been added.
func mostTelling(traces []layer.Trace) (list []layer.Trace, left int) {
	telling := func(t layer.Trace) bool { return t.Covers >= 0 || t.Hidden >= 0 }
	room, toTell := mostTraces, mostTraces
	if len(traces) > mostTraces {
		for _, t := range traces {
			if telling(t) {
				room--
			}
		}
		room = min(room, mostPlain)
	}
	for _, t := range traces {
		switch {
		case telling(t) && toTell > 0:
			toTell--
		case !telling(t) && room > 0:
			room--
		default:
			left++
			continue
		}
		list = append(list, t)
	}
	return list, left
}
