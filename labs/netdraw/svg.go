package netdraw

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"sandbox/labs/columns"
)

// Sizes of the picture, in pixels.
const (
	margin      = 32
	cardPadding = 14
	lineHeight  = 20
	portHeight  = 46 // of an interface in a container's card
	lowPort     = 30 // … that has nothing under its first line
	pillHeight  = 26
	monoWidth   = 7.9  // of a column of a terminal, in the font for addresses
	sansWidth   = 8.6  // … and in the one for titles
	smallWidth  = 6.65 // … and in the small one, at the ends of cables
	cardGap     = 16
	panelGap    = 26
	titleHeight = 28
)

// colours of networks: of the cables and frames, and of what lies under them.
var colours = [][2]string{
	{"#2563eb", "#eff6ff"}, {"#0f766e", "#f0fdfa"}, {"#c2410c", "#fff7ed"}, {"#7c3aed", "#f5f3ff"}, {"#be185d", "#fdf2f8"}, {"#4d7c0f", "#f7fee7"},
}

func colour(network int) (line, ground string) {
	c := colours[network%len(colours)]
	return c[0], c[1]
}

// style has fonts that most systems have, with Chinese ones behind them.
const style = `
  text { font-family: Inter, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei", sans-serif; font-size: 13px; fill: #334155 }
  .title { font-size: 15px; font-weight: 700; fill: #0f172a }
  .mono { font-family: "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", "Noto Sans Mono CJK SC", "WenQuanYi Micro Hei Mono", monospace; font-size: 13px; fill: #1e293b }
  .small { font-family: "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", "Noto Sans Mono CJK SC", "WenQuanYi Micro Hei Mono", monospace; font-size: 11px; fill: #64748b }
  .halo { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round }
  .card { fill: #ffffff; stroke: #cbd5e1; stroke-width: 1.25 }
  .cable { fill: none; stroke-width: 2.5; stroke-linecap: round }
  .trunk { fill: none; stroke: #94a3b8; stroke-width: 4; stroke-linecap: round; stroke-linejoin: round }
  .wrong { fill: #b91c1c }
`

// svgDrawing is the same plan as the text's: the host above, networks below each other, containers to their right. Each network
// has a colour, and a cable to a container of another network above is a curve in it.
type svgDrawing struct {
	*Picture
	words
	body, cables  strings.Builder // cables lie over what is in body,
	labels        strings.Builder // and what is written at their ends over everything
	y             float64
	bridge, wire  float64 // where bridges begin and end,
	box, boxEnd   float64 // … and containers
	width         float64
	sockets       map[[2]int]float64 // of each container's ports: how high
	trunk, bottom float64
}

// SVG draws it as a picture that needs nothing but itself.
func (p *Picture) SVG(language string) string {
	d := &svgDrawing{Picture: p, words: wordsOf(language), sockets: map[[2]int]float64{}, trunk: margin + 22}
	d.plan()
	d.drawHost()
	var all strings.Builder
	for i := range p.Networks {
		d.drawNetwork(i)
	}
	d.drawAlone()
	for _, note := range p.Notes {
		for _, line := range wrap(note, int((d.width-2*margin)/monoWidth), d.comma) {
			d.text(margin, d.y, "", line)
			d.y += lineHeight
		}
	}
	height := d.y + margin - 8
	fmt.Fprintf(&all, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" xml:lang="%s">`+"\n", d.width, height, d.width, height, language)
	fmt.Fprintf(&all, "<title>%s</title>\n<style>%s</style>\n", escaped(p.Host.Title), style)
	fmt.Fprintf(&all, `<rect width="100%%" height="100%%" fill="#f8fafc"/>`+"\n")
	all.WriteString(d.body.String())
	all.WriteString(d.cables.String())
	all.WriteString(d.labels.String())
	all.WriteString("</svg>\n")
	return all.String()
}

// plan finds out how wide everything is.
func (d *svgDrawing) plan() {
	bridge, wire, box := 150.0, 120.0, 230.0
	for _, n := range d.Networks {
		for _, line := range append([]string{n.Link.Title}, n.Link.Lines...) {
			bridge = max(bridge, textWidth(line, monoWidth)+2*cardPadding+8)
		}
		for _, c := range n.Cables {
			wire = max(wire, textWidth(c.Here, smallWidth)+textWidth(c.There, smallWidth)+70)
		}
	}
	for _, b := range append(d.Containers, d.Alone...) {
		box = max(box, textWidth(b.Title, sansWidth)+2*cardPadding)
		for _, line := range b.lines() {
			box = max(box, textWidth(line, monoWidth)+3*cardPadding)
		}
		for _, p := range b.Ports {
			for _, a := range p.Addresses {
				box = max(box, textWidth(p.Name+"  "+a, monoWidth)+3*cardPadding)
			}
		}
	}
	d.bridge = d.trunk + 40
	d.wire = d.bridge + bridge
	d.box = d.wire + wire
	d.boxEnd = d.box + box
	d.width = max(d.boxEnd+20+margin, textWidth(d.Host.Title, sansWidth)+3*margin)
	for _, line := range d.Host.Lines {
		d.width = max(d.width, textWidth(line, monoWidth)+3*margin)
	}
	d.boxEnd = d.width - margin - 20
}

func textWidth(s string, column float64) float64 { return float64(columns.Of(s)) * column }

func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}

func (d *svgDrawing) text(x, y float64, class, s string) { writeText(&d.body, x, y, class, "", s) }

func writeText(b *strings.Builder, x, y float64, class, more, s string) {
	if class != "" {
		class = ` class="` + class + `"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f"%s%s>%s</text>`+"\n", x, y, class, more, escaped(s))
}

func (d *svgDrawing) card(x, y, w, h float64, more string) {
	fmt.Fprintf(&d.body, `<rect class="card" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="8"%s/>`+"\n", x, y, w, h, more)
}

func (d *svgDrawing) drawHost() {
	h := float64(titleHeight + len(d.Host.Lines)*lineHeight + 12)
	d.card(margin, margin, d.width-2*margin, h, ` style="stroke:#475569;stroke-width:1.75"`)
	d.text(margin+cardPadding, margin+21, "title", d.Host.Title)
	for i, line := range d.Host.Lines {
		d.text(margin+cardPadding, margin+titleHeight+float64(i*lineHeight)+15, "mono", line)
	}
	d.bottom = margin + h
	d.y = d.bottom + panelGap
}

func (d *svgDrawing) drawNetwork(i int) {
	n := d.Networks[i]
	line, ground := colour(i)
	top := d.y
	before := d.body.String()
	d.body.Reset() // what lies on the panel is drawn after it, when its height is known
	d.text(d.bridge, top+25, "title", n.Title)
	d.text(d.bridge+textWidth(n.Title, sansWidth)+18, top+25, "mono", n.Detail)
	d.y = top + 36
	for _, rule := range wrap(n.Rules, int((d.boxEnd-d.bridge)/7), separator) {
		writeText(&d.labels, d.bridge, d.y+12, "halo", "", rule) // a cable may lead through it
		d.y += lineHeight
	}
	d.y += 8
	linkTop := d.y
	var plugs []float64
	cables, upwards := d.upwardsFirst(n.Cables)
	for k, c := range cables {
		plugs = append(plugs, d.drawCable(c, line, k < upwards))
	}
	linkHeight := float64(titleHeight + len(n.Link.Lines)*lineHeight + 10)
	if len(n.Cables) == 0 {
		d.text(d.wire+24, linkTop+24, "", d.empty)
	}
	d.y = max(d.y-cardGap, linkTop+linkHeight)
	d.drawLink(n, line, linkTop, d.y-linkTop)
	d.y += 18
	onPanel := d.body.String()
	d.body.Reset()
	d.body.WriteString(before)
	fmt.Fprintf(&d.body, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="12" fill="%s" stroke="%s" stroke-opacity="0.35"/>`+"\n",
		d.trunk+20, top, d.width-margin-d.trunk-20, d.y-top, ground, line)
	fmt.Fprintf(&d.body, `<path class="trunk" d="M %.1f %.1f V %.1f Q %.1f %.1f %.1f %.1f H %.1f"%s/>`+"\n",
		d.trunk, d.bottom+2, linkTop+8, d.trunk, linkTop+20, d.trunk+12, linkTop+20, d.bridge-4, dashedIf(n.Gone))
	d.body.WriteString(onPanel)
	for _, y := range plugs {
		fmt.Fprintf(&d.cables, `<circle cx="%.1f" cy="%.1f" r="4.5" fill="#ffffff" stroke="%s" stroke-width="2.5"/>`+"\n", d.wire, y, line)
	}
	d.y += panelGap
}

// upwardsFirst sorts cables: those that lead to containers further up, the furthest first, so that they do not cross.
func (d *svgDrawing) upwardsFirst(cables []Line) (sorted []Line, upwards int) {
	height := func(c Line) float64 {
		if y, drawn := d.sockets[[2]int{c.Box, c.Port}]; drawn {
			return y
		}
		return d.y
	}
	sorted = slices.Clone(cables)
	slices.SortStableFunc(sorted, func(a, b Line) int { return cmp.Compare(height(a), height(b)) })
	for upwards < len(sorted) && height(sorted[upwards]) < d.y {
		upwards++
	}
	return sorted, upwards
}

func dashedIf(yes bool) string {
	if yes {
		return ` stroke-dasharray="2 8"`
	}
	return ""
}

func (d *svgDrawing) drawLink(n Net, line string, top, height float64) {
	more := fmt.Sprintf(` style="stroke:%s;stroke-width:2.5"`, line)
	if n.Gone {
		more += ` stroke-dasharray="6 5"`
	}
	d.card(d.bridge, top, d.wire-d.bridge, height, more)
	writeText(&d.body, d.bridge+cardPadding, top+24, "mono", ` font-weight="700"`, n.Link.Title)
	for i, s := range n.Link.Lines {
		d.text(d.bridge+cardPadding, top+titleHeight+float64(i*lineHeight)+16, "mono", s)
	}
}

// drawCable draws a cable, and the container that it leads to if that is not there yet. It returns how high it begins.
func (d *svgDrawing) drawCable(c Line, line string, along bool) float64 {
	if along {
		from := d.y + 14
		d.y += 42
		d.curve(c, line, from, d.sockets[[2]int{c.Box, c.Port}])
		return from
	}
	d.drawBox(c)
	at := d.sockets[[2]int{c.Box, c.Port}]
	d.curve(c, line, at, at)
	return at
}

func (d *svgDrawing) curve(c Line, line string, from, to float64) {
	middle := (d.wire + d.box) / 2
	fmt.Fprintf(&d.cables, `<path class="cable" stroke="%s" d="M %.1f %.1f C %.1f %.1f %.1f %.1f %.1f %.1f"%s/>`+"\n",
		line, d.wire, from, middle, from, middle, to, d.box, to, dashedIf(c.Broken))
	fmt.Fprintf(&d.cables, `<circle cx="%.1f" cy="%.1f" r="4.5" fill="%s" stroke="#ffffff" stroke-width="1.5"/>`+"\n", d.box, to, line)
	above, below := -8.0, 17.0
	if to < from { // where a curve goes up there is room below it, and at its upper end above it
		above, below = below, above
	}
	writeText(&d.labels, d.wire+12, from+above, "small halo", "", c.Here)
	writeText(&d.labels, d.box-10, to+below, "small halo", ` text-anchor="end"`, c.There)
	if c.Broken {
		writeText(&d.labels, d.wire+12, from+above+15, "small halo wrong", "", "✗ "+c.WhatBroken)
	}
}

// drawBox draws a container; what leads to it comes first.
func (d *svgDrawing) drawBox(c Line) {
	b, top := d.Containers[c.Box], d.y
	order := []int{c.Port}
	for i := range b.Ports {
		if i != c.Port {
			order = append(order, i)
		}
	}
	d.container(d.box, top, d.boxEnd-d.box, b, order, "")
	at := top + titleHeight + 14
	for _, i := range order {
		d.sockets[[2]int{c.Box, i}] = at
		at += b.Ports[i].height()
	}
	d.y = top + boxHeight(b) + cardGap
}

// boxHeight of a container's card.
func boxHeight(b Box) float64 {
	h := float64(titleHeight + len(b.Published)*pillHeight + (len(b.lines())-len(b.Published))*lineHeight + 4)
	for _, p := range b.Ports {
		h += p.height()
	}
	if len(b.lines()) > 0 {
		h += 6
	}
	return h
}

// lines of an interface: its first address, and what is written under it.
func (p Port) lines() (address, below string) {
	if len(p.Addresses) == 0 {
		return p.MAC, ""
	}
	return p.Addresses[0], strings.TrimSpace(strings.Join(append(p.Addresses[1:len(p.Addresses):len(p.Addresses)], p.MAC), "  "))
}

func (p Port) height() float64 {
	if _, below := p.lines(); below == "" {
		return lowPort
	}
	return portHeight
}

// container draws a card.
func (d *svgDrawing) container(x, top, width float64, b Box, order []int, more string) {
	for i := range b.Joined { // who shares it lies behind it
		offset := float64(5 * (len(b.Joined) - i))
		d.card(x+offset, top+offset, width, boxHeight(b), more)
	}
	d.card(x, top, width, boxHeight(b), more)
	left, y := x+cardPadding+2, top
	d.text(left, y+21, "title", b.Title)
	y += titleHeight
	for _, i := range order {
		d.port(left, y, b.Ports[i])
		y += b.Ports[i].height()
	}
	y += 2
	for _, s := range b.Published {
		w := textWidth(s, monoWidth) + 20
		fmt.Fprintf(&d.body, `<rect x="%.1f" y="%.1f" width="%.1f" height="21" rx="10.5" fill="#fef3c7" stroke="#f59e0b" stroke-opacity="0.6"/>`+"\n", left-4, y, w)
		d.text(left+6, y+15, "mono", s)
		y += pillHeight
	}
	for _, s := range b.lines()[len(b.Published):] {
		d.text(left, y+14, "", s)
		y += lineHeight
	}
}

// port is an interface in a container's card: its name and addresses, and its MAC address under them.
func (d *svgDrawing) port(x, y float64, p Port) {
	address, below := p.lines()
	writeText(&d.body, x, y+18, "mono", ` font-weight="700"`, p.Name)
	d.text(x+textWidth(p.Name+" ", monoWidth)+2, y+18, "mono", address)
	d.text(x+textWidth(p.Name+" ", monoWidth)+2, y+35, "small", below)
}

// drawAlone draws containers that no cable leads to, side by side.
func (d *svgDrawing) drawAlone() {
	if len(d.Alone) == 0 {
		return
	}
	d.text(margin, d.y+10, "", d.alone)
	d.y += 22
	x, bottom := float64(margin), d.y
	for _, b := range d.Alone {
		w := textWidth(b.Title, sansWidth) + 3*cardPadding
		var order []int
		for i, p := range b.Ports {
			order = append(order, i)
			w = max(w, textWidth(p.Name+"  "+strings.Join(p.Addresses, "  "), monoWidth)+3*cardPadding)
		}
		for _, s := range b.lines() {
			w = max(w, textWidth(s, monoWidth)+3*cardPadding)
		}
		if x > margin && x+w > d.width-margin {
			x, d.y = margin, bottom
		}
		d.container(x, d.y, w, b, order, ` stroke-dasharray="5 4"`)
		bottom = max(bottom, d.y+boxHeight(b)+cardGap)
		x += w + cardGap
	}
	d.y = bottom + 16
}
