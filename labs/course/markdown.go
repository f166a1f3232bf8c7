package course

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// inspectMarkdown looks for links that lead nowhere and tables that are none. first is the line of the file in which the
// text begins.
func (p *parser) inspectMarkdown(source string, first int) {
	p.inspectTables(strings.Split(source, "\n"), first)
	links := linkInspector{parser: p, source: []byte(source), first: first}
	root := Parser().Parse(text.NewReader(links.source))
	ast.Walk(root, links.visit)
}

// inspectTables goes through the lines outside code as the renderer will: a table is a paragraph whose second line is a row
// of dashes.
func (p *parser) inspectTables(lines []string, first int) {
	closing, begin := "", 0
	for i := 0; i <= len(lines); i++ {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		if closing != "" {
			if closesFence(line, closing) {
				closing, begin = "", i+1
			}
			continue
		}
		mark, _, fence := openFence(line)
		if fence {
			closing = mark
		}
		if fence || strings.TrimSpace(line) == "" {
			p.inspectParagraph(lines[begin:min(i, len(lines))], first+begin)
			begin = i + 1
		}
	}
}

// inspectParagraph looks at one that is, or seems to be meant as, a table.
func (p *parser) inspectParagraph(lines []string, first int) {
	for i, line := range lines {
		switch {
		case isDelimiterRow(line) && i != 1:
			p.find(first+i, errors.New("this is no table: the row of dashes is to stand in the second line, after the heading, and an empty line before them"))
			return
		case i == 0 && strings.HasPrefix(line, "|") && (len(lines) == 1 || !isDelimiterRow(lines[1])):
			p.find(first, errors.New("this is no table: its second line is to be a row of dashes, |---|---|"))
			return
		}
	}
	if len(lines) < 2 || !isDelimiterRow(lines[1]) {
		return
	}
	want := countCells(lines[0])
	for i, line := range lines {
		if n := countCells(line); n != want {
			p.find(first+i, fmt.Errorf("this row of the table has %d cells, its heading has %d (a | that is meant as such is written \\|, also in code)", n, want))
		}
	}
}

func countCells(line string) int { return len(splitRow(strings.TrimSpace(line))) }

type linkInspector struct {
	*parser
	source []byte
	first  int
}

// halfLink is the middle of a link that has not become one: a bracket is missing, or a space stands in the address.
var halfLink = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\]\(|\]\[`) })

func (l linkInspector) visit(n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	switch n := n.(type) {
	case *ast.Link:
		if err := webAddress(string(n.Destination)); err != nil {
			l.find(l.lineOf(n), err)
		}
	case *ast.AutoLink:
		if err := webAddress(string(n.URL(l.source))); err != nil {
			l.find(l.lineOf(n), err)
		}
	case *ast.Image:
		l.find(l.lineOf(n), errors.New("a terminal shows no pictures: draw it in a code block"))
	case *ast.Paragraph, *ast.TextBlock:
		var plain bytes.Buffer
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			if t, ok := c.(*ast.Text); ok {
				plain.Write(t.Segment.Value(l.source))
			} else {
				plain.WriteByte(' ')
			}
		}
		if halfLink().Match(plain.Bytes()) {
			l.find(l.lineOf(n), errors.New("this paragraph has a link that is none: [text](https://…), without spaces in the address"))
		}
	}
	return ast.WalkContinue, nil
}

// lineOf is where a node begins, or what it is in.
func (l linkInspector) lineOf(n ast.Node) int {
	at := -1
	for c := n.FirstChild(); c != nil && at < 0; c = c.FirstChild() {
		if t, ok := c.(*ast.Text); ok {
			at = t.Segment.Start
		}
	}
	for ; at < 0 && n != nil; n = n.Parent() {
		if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
			at = n.Lines().At(0).Start
		}
	}
	return l.first + bytes.Count(l.source[:max(at, 0)], []byte("\n"))
}

func webAddress(address string) error {
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		return nil
	}
	return fmt.Errorf("the link to %q leads nowhere: write a whole address, https://…", address)
}
