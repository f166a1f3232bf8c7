package netdraw

import (
	"strings"

	"sandbox/labs/columns"
)

// Narrowest is the width that a drawing has at least.
const Narrowest = 60

// Text draws it with the characters of a terminal that has so many columns:
//
//	╔═ host ════════════════════════════════════╗
//	╚╤══════════════════════════════════════════╝
//	 │ my_net  172.18.0.0/16
//	 │ ┏━━━━━━━━━━━━┓ 7: veth1@if2   ┌─ web ────┐
//	 ├─┨ 3: br-my   ┠────────────────┤ …        ├─┐   a rail leads to the container's
//	 │ ┃            ┃     2: eth0@if7 └──────────┘ │   place in another network
//	 │ ┗━━━━━━━━━━━━┛
func (p *Picture) Text(width int, language string) string {
	t := &textDrawing{Picture: p, words: wordsOf(language), trunk: 1, bridge: 3}
	t.plan(max(width, Narrowest))
	t.drawHost()
	for i := range p.Networks {
		t.drawNetwork(i)
	}
	t.drawAlone()
	for _, note := range p.Notes {
		for _, line := range wrap(note, t.width-1, t.comma) {
			t.canvas.text(1, t.y, t.width, line)
			t.y++
		}
	}
	return t.canvas.String()
}

type textDrawing struct {
	*Picture
	words
	canvas                canvas
	width                 int
	trunk, bridge         int // columns: of the line from the host, and where bridges,
	wire, box, boxEnd     int // … wires and boxes begin, and the last one of boxes
	macBeside             bool
	y                     int // the next free row
	rails                 map[railKey]int
	placed                []boxPlace // of each container, where it is
	hostBottom, lastTrunk int
}

// railKey names a cable that leads along the right margin: the n-th of a network.
type railKey struct{ network, cable int }

// boxPlace is where a container has been drawn.
type boxPlace struct {
	drawn bool
	rows  map[int]int // of each port
}

// plan finds out how wide everything is.
func (t *textDrawing) plan(width int) {
	t.placed = make([]boxPlace, len(t.Containers))
	rails := t.planRails()
	bridge, wire, content, beside := 16, 12, 20, 0
	for _, n := range t.Networks {
		for _, line := range append([]string{n.Link.Title}, n.Link.Lines...) {
			bridge = min(max(bridge, columns.Of(line)+4), 26)
		}
		for _, c := range n.Cables {
			wire = max(wire, columns.Of(c.Here)+2, columns.Of(c.There)+2)
		}
	}
	for _, b := range t.Containers {
		content = max(content, columns.Of(b.Title)+2)
		for _, line := range b.lines() {
			content = max(content, columns.Of(line))
		}
		for _, p := range b.Ports {
			for _, a := range append(p.Addresses[:len(p.Addresses):len(p.Addresses)], p.MAC) {
				content = max(content, len(p.Name)+1+columns.Of(a))
			}
			if p.MAC != "" && len(p.Addresses) > 0 {
				beside = max(beside, len(p.Name)+1+columns.Of(p.Addresses[0])+2+len(p.MAC))
			}
		}
	}
	left := t.bridge + bridge + wire
	if t.macBeside = left+max(beside, content)+4+2*rails <= width; t.macBeside {
		content = max(beside, content)
	}
	t.wire, t.box = t.bridge+bridge, left
	t.boxEnd = min(left+content+3, width-1-2*rails)
	t.width = min(width, max(t.boxEnd+1+2*rails, 64, t.hostNeeds()))
	if len(t.Containers) == 0 {
		t.width = min(width, max(64, t.hostNeeds()))
	}
	if len(t.Containers) > 0 { // boxes reach to the right margin
		t.boxEnd = t.width - 1 - 2*rails
	}
	t.canvas.width = t.width
}

func (t *textDrawing) hostNeeds() int {
	needs := columns.Of(t.Host.Title) + 6
	for _, line := range t.Host.Lines {
		needs = max(needs, columns.Of(line)+4)
	}
	return needs
}

// planRails gives each cable that does not lead straight to its container a rail along the right margin, and tells how many
// there have to be side by side.
func (t *textDrawing) planRails() int {
	t.rails = map[railKey]int{}
	first := map[int]int{} // of each container, the number of its first cable
	var busy []int         // until which cable each rail is in use
	number := 0
	for i, n := range t.Networks {
		for k, c := range n.Cables {
			number++
			from, known := first[c.Box]
			if !known {
				first[c.Box] = number
				continue
			}
			rail := 0
			for rail < len(busy) && busy[rail] >= from {
				rail++
			}
			if rail == len(busy) {
				busy = append(busy, 0)
			}
			busy[rail] = number
			t.rails[railKey{i, k}] = rail
		}
	}
	return len(busy)
}

func (t *textDrawing) drawHost() {
	right, bottom := t.width-1, len(t.Host.Lines)+1
	t.canvas.box(0, 0, right, bottom, doubleFrame)
	t.canvas.text(2, 0, right-3, " "+t.Host.Title+" ")
	for i, line := range t.Host.Lines {
		t.canvas.text(2, i+1, right-3, line)
	}
	t.hostBottom, t.lastTrunk = bottom, bottom
	if len(t.Networks) > 0 {
		t.canvas.put(t.trunk, bottom, "╤")
	}
	t.y = bottom + 1
}

func (t *textDrawing) drawNetwork(i int) {
	n := t.Networks[i]
	t.y++
	room := t.width - t.bridge
	if len(t.Containers) > 0 {
		room = t.boxEnd + 1 - t.bridge // rails are to the right of it
	}
	t.canvas.text(t.bridge, t.y, room, n.Title+"  "+n.Detail)
	t.y++
	for _, line := range wrap(n.Rules, room, separator) {
		t.canvas.text(t.bridge, t.y, room, line)
		t.y++
	}
	top := t.y
	for k, c := range n.Cables {
		if rail, ok := t.rails[railKey{i, k}]; !ok {
			t.drawBox(c)
		} else if t.drawAlong(c, rail); k == len(n.Cables)-1 {
			t.y++
		}
	}
	t.y = max(t.y, top+len(n.Link.Lines)+3)
	frame := heavyFrame
	if n.Gone {
		frame = "┌┐└┘╌╎"
	}
	t.drawLink(n, top, frame)
	if len(n.Cables) == 0 {
		t.canvas.text(t.wire+2, top+1, t.width, t.empty)
	}
	t.canvas.vertical(t.trunk, t.lastTrunk+1, top, "│")
	if t.lastTrunk > t.hostBottom {
		t.canvas.put(t.trunk, t.lastTrunk, "├")
	}
	t.lastTrunk = top + 1
	t.canvas.put(t.trunk, t.lastTrunk, "└")
	if !n.Gone {
		t.canvas.text(t.trunk+1, top+1, 2, "─┨")
	} else {
		t.canvas.text(t.trunk+1, top+1, 2, "╌")
	}
}

// drawLink draws the bridge, as high as what is plugged into it. Where a cable begins its frame stays as it is.
func (t *textDrawing) drawLink(n Net, top int, frame string) {
	right := t.wire - 1
	var plugs []int
	for y := top; y < t.y; y++ {
		if t.canvas.at(right, y) == "┠" {
			plugs = append(plugs, y)
		}
	}
	t.canvas.box(t.bridge, top, right, t.y-1, frame)
	for _, y := range plugs {
		t.canvas.put(right, y, "┠")
	}
	for k, line := range append([]string{n.Link.Title}, n.Link.Lines...) {
		t.canvas.text(t.bridge+2, top+1+k, right-t.bridge-3, line)
	}
}

// drawBox draws a container with the cable that leads to it.
func (t *textDrawing) drawBox(c Line) {
	b, top := t.Containers[c.Box], t.y
	place := boxPlace{drawn: true, rows: map[int]int{}}
	order := []int{}
	if c.Port >= 0 {
		order = append(order, c.Port)
	}
	for i := range b.Ports {
		if i != c.Port {
			order = append(order, i)
		}
	}
	var lines []string
	for _, i := range order {
		place.rows[i] = top + 1 + len(lines)
		lines = append(lines, t.portLines(b.Ports[i])...)
	}
	if c.Broken {
		lines = append(lines, "✗ "+c.WhatBroken)
	}
	t.placed[c.Box] = place
	t.frame(t.box, top, t.boxEnd, b.Title, append(lines, b.lines()...))
	t.canvas.put(t.wire-1, top+1, "┠")
	t.canvas.horizontal(t.wire, t.box-1, top+1, "─")
	if c.Broken {
		t.canvas.put((t.wire+t.box)/2, top+1, "╳")
	}
	t.canvas.put(t.box, top+1, "┤")
	t.canvas.text(t.wire+1, top, t.box-t.wire-2, c.Here)
	t.canvas.text(t.box-1-columns.Of(c.There), top+2, t.box, c.There)
	t.y = max(top+3, top+len(lines)+len(b.lines())+2)
}

// portLines are an interface's name, addresses and MAC address.
func (t *textDrawing) portLines(p Port) []string {
	indent := strings.Repeat(" ", len(p.Name)+1)
	if len(p.Addresses) == 0 && p.MAC == "" {
		return []string{p.Name}
	}
	addresses, mac := p.Addresses, p.MAC
	if len(addresses) == 0 {
		addresses, mac = []string{p.MAC}, ""
	}
	var lines []string
	for i, a := range addresses {
		line := indent + a
		if i == 0 {
			line = p.Name + " " + a
			if t.macBeside && mac != "" {
				line += strings.Repeat(" ", max(2, t.boxEnd-t.box-3-columns.Of(line)-len(mac))) + mac
				mac = ""
			}
		}
		lines = append(lines, line)
	}
	if mac != "" && len(indent)+len(mac) <= t.boxEnd-t.box-3 {
		lines = append(lines, indent+mac)
	}
	return lines
}

// frame draws a container.
func (t *textDrawing) frame(left, top, right int, title string, lines []string) {
	t.canvas.box(left, top, right, top+len(lines)+1, lightFrame)
	t.canvas.text(left+2, top, right-left-3, " "+title+" ")
	for i, line := range lines {
		t.canvas.text(left+2, top+1+i, right-left-3, line)
	}
}

// drawAlong draws a cable to a container that is drawn at another network already: by a rail along the right margin.
func (t *textDrawing) drawAlong(c Line, rail int) {
	x, y := t.boxEnd+2+2*rail, t.y+1
	t.canvas.text(t.wire+1, t.y, t.box-t.wire-2, c.Here)
	t.canvas.put(t.wire-1, y, "┠")
	t.across(t.wire, x-1, y)
	if c.Broken {
		t.canvas.put((t.wire+t.box)/2, y, "╳")
	}
	text := " " + c.There + " → " + t.Containers[c.Box].Title + " "
	if c.Broken {
		text += "✗ " + c.WhatBroken + " "
	}
	t.canvas.text(t.box-2-columns.Of(c.There), y, t.boxEnd-t.box+columns.Of(c.There), text)
	from := t.placed[c.Box].rows[c.Port]
	t.canvas.put(t.boxEnd, from, "├")
	t.across(t.boxEnd+1, x-1, from)
	t.canvas.put(x, from, "┐")
	for row := from + 1; row < y; row++ {
		if t.canvas.at(x, row) == "─" {
			t.canvas.put(x, row, "┼")
		} else {
			t.canvas.put(x, row, "│")
		}
	}
	t.canvas.put(x, y, "┘")
	t.y += 2
}

// across draws a line to the right, over the rails that it crosses.
func (t *textDrawing) across(from, to, y int) {
	for x := from; x <= to; x++ {
		if t.canvas.at(x, y) == "│" {
			t.canvas.put(x, y, "┼")
		} else {
			t.canvas.put(x, y, "─")
		}
	}
}

// drawAlone draws containers that no cable leads to, side by side.
func (t *textDrawing) drawAlone() {
	t.y++
	if len(t.Alone) == 0 {
		return
	}
	t.canvas.text(1, t.y, t.width, t.alone)
	t.y++
	x, bottom := 1, t.y
	for _, b := range t.Alone {
		var lines []string
		for _, p := range b.Ports {
			lines = append(lines, t.portLines(p)...)
		}
		lines = append(lines, b.lines()...)
		w := columns.Of(b.Title) + 6
		for _, line := range lines {
			w = max(w, columns.Of(line)+4)
		}
		w = min(w, t.width-1)
		if x > 1 && x+w > t.width {
			x, t.y = 1, bottom
		}
		t.frame(x, t.y, x+w-1, b.Title, lines)
		bottom = max(bottom, t.y+len(lines)+2)
		x += w + 1
	}
	t.y = bottom + 1
}

// separator is between the parts of a sentence that may be broken there.
const separator = " · "

// wrap breaks a text into lines, after separators.
func wrap(text string, width int, at string) []string {
	var lines []string
	line := ""
	for _, part := range strings.SplitAfter(text, at) {
		if line != "" && columns.Of(strings.TrimRight(line+part, " ·")) > width {
			lines, line = append(lines, strings.TrimRight(line, " ·")), ""
		}
		line += part
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
