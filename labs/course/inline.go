package course

import (
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"

	"sandbox/labs/columns"
)

// inline collects the text inside a node as cells.
func (d *document) inline(parent ast.Node, st style) []cell {
	var list []cell
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			list = append(list, d.text(n, st)...)
		case *ast.String:
			list = append(list, cells(string(n.Value), st)...)
		case *ast.CodeSpan:
			list = append(list, d.marked(n, st|code, "`")...)
		case *ast.Emphasis:
			with := st | italic
			if n.Level == 2 {
				with = st | bold
			}
			list = append(list, d.marked(n, with, "*")...)
		case *ast.Link:
			list = append(list, d.link(n, string(n.Destination), st)...)
		case *ast.Image:
			list = append(list, d.link(n, string(n.Destination), st)...)
		case *ast.RawHTML: // what only looks like HTML, as <NAME> does; but not comments
			if raw := string(n.Segments.Value(d.source)); !IsComment(raw) {
				list = append(list, cells(raw, st)...)
			}
		case *ast.AutoLink:
			list = append(list, cells(string(n.URL(d.source)), st)...)
		default:
			list = append(list, d.inline(n, st)...)
		}
	}
	return list
}

// link shows where a link leads, unless its text says so.
func (d *document) link(n ast.Node, destination string, st style) []cell {
	list := d.inline(n, st)
	if paintCells(list, false) == destination {
		return list
	}
	return append(list, cells(" <"+destination+">", st|dim)...)
}

// marked shows a span by its style, or by a mark around it where there are no styles.
func (d *document) marked(n ast.Node, st style, mark string) []cell {
	inner := d.inline(n, st)
	if d.color {
		return inner
	}
	return append(append(cells(mark, st), inner...), cells(mark, st)...)
}

// IsComment: HTML that is meant for the author's eyes. All other HTML is text that only looks like it.
func IsComment(html string) bool { return strings.HasPrefix(strings.TrimSpace(html), "<!") }

// Raw is the source of a block of HTML.
func Raw(n *ast.HTMLBlock, source []byte) string {
	raw := string(n.Lines().Value(source))
	if n.HasClosure() {
		raw += string(n.ClosureLine.Value(source))
	}
	return raw
}

// text is a piece of a source line. The end of a source line is a space, but not where Chinese text goes on.
func (d *document) text(n *ast.Text, st style) []cell {
	value := n.Segment.Value(d.source)
	if st&code == 0 { // in a code span, a backslash is a backslash
		value = util.UnescapePunctuations(util.ResolveEntityNames(util.ResolveNumericReferences(value)))
	}
	list := cells(string(value), st)
	switch {
	case n.HardLineBreak():
		return append(list, cell{'\n', st})
	case !n.SoftLineBreak():
		return list
	}
	if Joins(n, d.source) {
		return list
	}
	return append(list, cell{' ', st})
}

// Joins says whether a text at which a source line ends goes on in the next line without a space.
func Joins(n *ast.Text, source []byte) bool {
	last, size := utf8.DecodeLastRune(n.Segment.Value(source))
	return size > 0 && together(last, next(n, source))
}

// together says whether b follows a without a space, as in Chinese text. Its quotation marks and dashes are shared with
// English, so one of the two has to be a character that is Chinese for sure. Beside its commas and brackets, which
// bring their own space, even an English word stands without.
func together(a, b rune) bool {
	const (
		shared = "“”‘’…—"
		spaced = "，。、；：？！）】」』》（【「『《"
	)
	if strings.ContainsRune(spaced, a) || strings.ContainsRune(spaced, b) {
		return true
	}
	wideA, wideB := columns.OfRune(a) == 2, columns.OfRune(b) == 2
	return (wideA || wideB) && (wideA || strings.ContainsRune(shared, a)) && (wideB || strings.ContainsRune(shared, b))
}

// next is the character with which the text after a line's end begins; 0 if there is none.
func next(n ast.Node, source []byte) rune {
	following := n.NextSibling()
	for following != nil && following.FirstChild() != nil {
		following = following.FirstChild()
	}
	if t, ok := following.(*ast.Text); ok {
		r, _ := utf8.DecodeRune(t.Segment.Value(source))
		return r
	}
	return 0
}
