package userland

import (
	"bufio"
	"fmt"
	"io"
	"unicode"
)

type wordCount struct{ lines, words, bytes, chars, longest int }

func runWc(p *Process) int {
	opts, names, err := p.options("lwcmL", map[string]string{"lines": "l", "words": "w", "bytes": "c", "chars": "m", "max-line-length": "L"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(opts.found) == 0 {
		opts.found = []flagValue{{'l', ""}, {'w', ""}, {'c', ""}}
	}
	var total wordCount
	var rows [][]int
	var titles []string
	code := p.eachInput(names, func(name string, in io.Reader) error {
		count, err := countWords(in)
		total.add(count)
		rows, titles = append(rows, count.columns(opts)), append(titles, name)
		return err
	})
	if len(names) > 1 {
		rows, titles = append(rows, total.columns(opts)), append(titles, "total")
	}
	width := columnWidth(rows, len(names) == 0)
	for i, row := range rows {
		for j, n := range row {
			if j > 0 {
				fmt.Fprint(p.Stdout, " ")
			}
			fmt.Fprintf(p.Stdout, "%*d", width, n)
		}
		if len(names) > 0 {
			fmt.Fprint(p.Stdout, " ", titles[i])
		}
		fmt.Fprintln(p.Stdout)
	}
	return code
}

// columnWidth fits the largest number; several numbers from a pipe get seven columns, as nobody knows beforehand.
func columnWidth(rows [][]int, fromPipe bool) int {
	width := 1
	for _, row := range rows {
		for _, n := range row {
			width = max(width, len(fmt.Sprint(n)))
		}
		if fromPipe && len(row) > 1 {
			width = max(width, 7)
		}
	}
	return width
}

func (c *wordCount) add(other wordCount) {
	c.lines += other.lines
	c.words += other.words
	c.bytes += other.bytes
	c.chars += other.chars
	c.longest = max(c.longest, other.longest)
}

func (c *wordCount) columns(opts *options) []int {
	var columns []int
	for _, column := range []struct {
		flag  rune
		value int
	}{{'l', c.lines}, {'w', c.words}, {'m', c.chars}, {'c', c.bytes}, {'L', c.longest}} {
		if opts.has(column.flag) {
			columns = append(columns, column.value)
		}
	}
	return columns
}

func countWords(in io.Reader) (count wordCount, err error) {
	reader := bufio.NewReaderSize(in, 64<<10)
	inWord, length := false, 0
	for {
		r, size, err := reader.ReadRune()
		if err == io.EOF {
			count.longest = max(count.longest, length)
			return count, nil
		}
		if err != nil {
			return count, err
		}
		count.bytes += size
		count.chars++
		length++
		if r == '\n' {
			count.lines++
			count.longest = max(count.longest, length-1)
			length = 0
		}
		space := unicode.IsSpace(r)
		if inWord = !space && inWord; !space && !inWord {
			count.words++
			inWord = true
		}
	}
}
