package course

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
	markdown "github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"sandbox/labs/columns"
)

// renderer turns Markdown into lines for a terminal. goldmark reads it; how it looks is decided here. Without colours
// the marks of Markdown stay where they carry meaning (`code`, *stress*).
type renderer struct {
	parser markdown.Parser
	width  int
	color  bool
}

// Parser reads Markdown as goldmark.New does, without the HTML that its package brings along.
func Parser() markdown.Parser {
	return markdown.NewParser(
		markdown.WithBlockParsers(markdown.DefaultBlockParsers()...),
		markdown.WithInlineParsers(markdown.DefaultInlineParsers()...),
		markdown.WithParagraphTransformers(markdown.DefaultParagraphTransformers()...),
	)
}

func newRenderer(width int, color bool) *renderer {
	// Lines much longer than this are hard to read, whatever the terminal's width.
	const comfortable = 100
	return &renderer{
		parser: Parser(),
		width:  max(20, min(width, comfortable)),
		color:  color,
	}
}

// render returns the text with a newline after each line, so that printed as a line of its own it leaves an empty one
// behind it.
func (r *renderer) render(markdown string) string {
	source := []byte(markdown)
	d := &document{renderer: r, source: source}
	root := r.parser.Parse(text.NewReader(source))
	return strings.Join(d.blocks(root, r.width), "\n") + "\n"
}

// lines renders one paragraph, as a condition or a reason is, as lines of at most width columns. What would be another kind of
// block is taken as it is written.
func (r *renderer) lines(markdown string, width int) []string {
	source := []byte(strings.TrimSpace(markdown))
	d := &document{renderer: r, source: source}
	content := cells(plainLine(markdown), 0)
	if first := r.parser.Parse(text.NewReader(source)).FirstChild(); first != nil && first.Kind() == ast.KindParagraph && first.NextSibling() == nil {
		content = d.inline(first, 0)
	}
	return d.paragraph(content, width)
}

// document is one text on its way through the renderer.
type document struct {
	*renderer
	source []byte
}

// blocks renders what stands inside a node, with an empty line between blocks (but not in a tight list).
func (d *document) blocks(parent ast.Node, width int) []string {
	var lines []string
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		block := d.block(n, width)
		if block == nil {
			continue
		}
		if len(lines) > 0 && n.Kind() != ast.KindTextBlock && !tightList(n) {
			lines = append(lines, "")
		}
		lines = append(lines, block...)
	}
	return lines
}

func tightList(n ast.Node) bool {
	list, ok := n.(*ast.List)
	return ok && list.IsTight && n.Parent().Kind() == ast.KindListItem
}

func (d *document) block(n ast.Node, width int) []string {
	switch n := n.(type) {
	case *ast.Heading:
		return d.heading(n, width)
	case *ast.List:
		return d.list(n, width)
	case *ast.Blockquote:
		return d.prefixed(d.blocks(n, width-2), "│ ", "│ ")
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		return d.code(n)
	case *ast.ThematicBreak:
		return []string{strings.Repeat("─", width)}
	case *ast.Paragraph:
		if rows := d.tableRows(n); rows != nil {
			return d.table(rows, width)
		}
	case *ast.HTMLBlock:
		raw := strings.TrimSpace(Raw(n, d.source))
		if IsComment(raw) {
			return nil
		}
		return d.paragraph(cells(raw, 0), width)
	}
	return d.paragraph(d.inline(n, 0), width)
}

func (d *document) paragraph(line []cell, width int) []string {
	var lines []string
	for _, l := range wrap(line, width) {
		lines = append(lines, paintCells(l, d.color))
	}
	return lines
}

// heading underlines the two upper levels, so that they stand out without colours too.
func (d *document) heading(n *ast.Heading, width int) []string {
	title := d.inline(n, bold)
	lines := d.paragraph(title, width)
	if n.Level <= 2 {
		rule := []string{"═", "─"}[n.Level-1]
		lines = append(lines, strings.Repeat(rule, min(width, cellColumns(title))))
	}
	return lines
}

func (d *document) list(n *ast.List, width int) []string {
	var lines []string
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		bullet := "• "
		if n.IsOrdered() {
			bullet = fmt.Sprintf("%d. ", number)
			number++
		}
		if !n.IsTight && item.PreviousSibling() != nil {
			lines = append(lines, "")
		}
		indent := strings.Repeat(" ", columns.Of(bullet))
		lines = append(lines, d.prefixed(d.blocks(item, width-len(indent)), bullet, indent)...)
	}
	return lines
}

// prefixed puts something before the first line and before each of the others.
func (d *document) prefixed(lines []string, first, others string) []string {
	for i := range lines {
		if i == 0 {
			lines[i] = first + lines[i]
			continue
		}
		lines[i] = strings.TrimRight(others+lines[i], " ")
	}
	return lines
}

// code is never wrapped: it is there to be copied.
func (d *document) code(n ast.Node) []string {
	var lines []string
	for i := range n.Lines().Len() {
		segment := n.Lines().At(i)
		line := strings.TrimRight(string(segment.Value(d.source)), "\n")
		lines = append(lines, strings.TrimRight("    "+paintCells(cells(line, code), d.color), " "))
	}
	return lines
}
