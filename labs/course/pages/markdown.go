package pages

import (
	"bytes"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	goldmark "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"sandbox/labs/columns"
	"sandbox/labs/course"
)

// writer turns Markdown into HTML. It is goldmark's own renderer, which escapes whatever is HTML in a lesson and leaves out
// links that run a script; what it makes is well-formed XML, too.
type writer struct {
	parser parser.Parser
	blocks renderer.Renderer
	cells  renderer.Renderer // of tables: no paragraphs
}

func newWriter() *writer {
	w := &writer{parser: course.Parser()}
	w.blocks = w.renderer(w.paragraph)
	w.cells = w.renderer(func(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) { return ast.WalkContinue, nil })
	return w
}

// renderer is goldmark's with some nodes of ours, which go before its own.
func (w *writer) renderer(paragraph renderer.NodeRendererFunc) renderer.Renderer {
	own := ownNodes{
		ast.KindParagraph: paragraph, ast.KindText: inline, ast.KindRawHTML: rawHTML, ast.KindHTMLBlock: htmlBlock,
		ast.KindCodeSpan: codeSpan, ast.KindFencedCodeBlock: code, ast.KindCodeBlock: code,
		ast.KindLink: func(out util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
			return link(out, n.(*ast.Link).Destination, entering)
		},
		ast.KindImage: func(out util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
			return link(out, n.(*ast.Image).Destination, entering)
		},
	}
	theirs := goldmark.NewRenderer(goldmark.WithXHTML())
	return renderer.NewRenderer(renderer.WithNodeRenderers(util.Prioritized(own, 1), util.Prioritized(theirs, 2)))
}

type ownNodes map[ast.NodeKind]renderer.NodeRendererFunc

// RegisterFuncs is called by goldmark.
func (o ownNodes) RegisterFuncs(registry renderer.NodeRendererFuncRegisterer) {
	for kind, render := range o {
		registry.Register(kind, render)
	}
}

// html renders Markdown, as blocks or as what stands in a cell.
func (w *writer) html(markdown string, with renderer.Renderer) string {
	source := []byte(printable(markdown))
	var b bytes.Buffer
	with.Render(&b, source, w.parser.Parse(text.NewReader(source))) // a buffer takes everything
	return b.String()
}

// title renders a heading's text.
func (w *writer) title(markdown string) string { return strings.TrimSpace(w.html(markdown, w.cells)) }

// paragraph writes one, or the table that it is.
func (w *writer) paragraph(out util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	rows := course.Table(n.(*ast.Paragraph), source)
	switch {
	case rows == nil && entering:
		out.WriteString("<p>")
	case rows == nil:
		out.WriteString("</p>\n")
	case entering:
		w.table(out, rows)
		return ast.WalkSkipChildren, nil
	}
	return ast.WalkContinue, nil
}

func (w *writer) table(out util.BufWriter, rows [][]string) {
	out.WriteString("<div class=\"table\"><table>\n")
	for i, row := range rows {
		begin, end := "<td>", "</td>"
		if i == 0 {
			begin, end = `<th scope="col">`, "</th>"
		}
		out.WriteString("<tr>")
		for _, content := range row {
			out.WriteString(begin + w.title(content) + end)
		}
		out.WriteString("</tr>\n")
	}
	out.WriteString("</table></div>\n")
}

// inline is text. The end of a source line is white space, but it does not tear Chinese text.
func inline(out util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Text)
	if !entering {
		return ast.WalkContinue, nil
	}
	goldmark.DefaultWriter.Write(out, n.Segment.Value(source))
	switch {
	case n.HardLineBreak():
		out.WriteString("<br />\n")
	case n.SoftLineBreak() && !course.Joins(n, source):
		out.WriteString("\n")
	}
	return ast.WalkContinue, nil
}

// short is how many columns of code fit beside a word on a phone.
const short = 24

// codeSpan is not broken at its hyphens if it is short.
func codeSpan(out util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		b.Write(c.(*ast.Text).Value(source))
	}
	begin, content := "<code>", strings.ReplaceAll(b.String(), "\n", " ")
	if columns.Of(content) <= short {
		begin = `<code class="short">`
	}
	out.WriteString(begin + escape(content) + "</code>")
	return ast.WalkSkipChildren, nil
}

// code is a block to look at, often a drawing.
func code(out util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		out.WriteString("<pre><code>" + widened(escape(string(n.Lines().Value(source)))) + "</code></pre>\n")
	}
	return ast.WalkContinue, nil
}

// widened marks the characters that take two columns on a terminal. A browser takes them from another font, in which they
// are not as wide as two of the others; the style makes up for it, so that a drawing's columns stand.
func widened(text string) string {
	var b strings.Builder
	wide := false
	for _, r := range text {
		if is := columns.OfRune(r) == 2; is != wide {
			b.WriteString(map[bool]string{true: `<span class="wide">`, false: "</span>"}[is])
			wide = is
		}
		b.WriteRune(r)
	}
	if wide {
		b.WriteString("</span>")
	}
	return b.String()
}

// link leads nowhere if it would run a script. An image, too, is a link to it: a page loads nothing from elsewhere.
func link(out util.BufWriter, destination []byte, entering bool) (ast.WalkStatus, error) {
	if !entering {
		out.WriteString("</a>")
		return ast.WalkContinue, nil
	}
	out.WriteString("<a")
	if to := util.URLEscape(destination, true); !goldmark.IsDangerousURL(to) {
		out.WriteString(` href="` + string(util.EscapeHTML(to)) + `"`)
	}
	out.WriteString(">")
	return ast.WalkContinue, nil
}

// rawHTML is what only looks like HTML, as <NAME> does: it is text, unless it is a comment of the author.
func rawHTML(out util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if raw := string(n.(*ast.RawHTML).Segments.Value(source)); entering && !course.IsComment(raw) {
		out.WriteString(escape(raw))
	}
	return ast.WalkContinue, nil
}

func htmlBlock(out util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if raw := course.Raw(n.(*ast.HTMLBlock), source); entering && !course.IsComment(raw) {
		out.WriteString("<p>" + escape(strings.TrimSpace(raw)) + "</p>\n")
	}
	return ast.WalkContinue, nil
}

// escape is text in which nothing is HTML.
func escape(text string) string { return string(util.EscapeHTML([]byte(printable(text)))) }

// printable leaves out control characters, which a page may not hold.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}
