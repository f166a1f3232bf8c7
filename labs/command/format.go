package command

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/template"

	"sandbox/kernel"
	"sandbox/labs/columns"
)

// templateFunctions are those that Docker gives to its templates.
var templateFunctions = template.FuncMap{
	"json": JSON, "join": join, "split": strings.Split,
	"lower": strings.ToLower, "upper": strings.ToUpper, "title": title,
	"pad": pad, "truncate": truncate, "println": fmt.Sprintln,
}

// JSON is a value on one line, with < and & as they are.
func JSON(v any) (string, error) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// PrintJSON prints an object a line, as --format json does everywhere.
func PrintJSON[T any](w io.Writer, rows []T) error {
	for _, row := range rows {
		line, err := JSON(row)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, line)
	}
	return nil
}

func title(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }

// pad puts spaces around a text that is not empty.
func pad(s string, before, after int) string {
	if s == "" {
		return s
	}
	return strings.Repeat(" ", max(0, before)) + s + strings.Repeat(" ", max(0, after))
}

// truncate cuts a text to so many characters.
func truncate(s string, length int) string {
	runes := []rune(s)
	return string(runes[:max(0, min(length, len(runes)))])
}

// join takes any list: in `inspect`, that of the JSON is one of any things, not of strings.
func join(list any, separator string) (string, error) {
	v := reflect.ValueOf(list)
	if v.Kind() != reflect.Slice {
		return "", fmt.Errorf("join takes a list, not a %T", list)
	}
	var parts []string
	for i := range v.Len() {
		parts = append(parts, fmt.Sprint(v.Index(i).Interface()))
	}
	return strings.Join(parts, separator), nil
}

// Template parses a --format, in which \t and \n may be written as such; within {{ }} they are Go's own.
func Template(format string) (*template.Template, error) {
	parse := template.New("format").Funcs(templateFunctions).Parse
	t, err := parse(strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(format))
	if err != nil {
		t, err = parse(format)
	}
	if err != nil {
		return nil, kernel.Advise(fmt.Errorf("invalid template: %w", err), "a Go template, as in: --format '{{.ID}} {{.Names}}'")
	}
	return t, nil
}

// PrintRows prints one line a row by a Go template; one that begins with "table" gets a heading and columns.
func PrintRows[T any](w io.Writer, format string, rows []T, heading T) error {
	format, table := strings.CutPrefix(format, "table ")
	t, err := Template(format)
	if err != nil {
		return err
	}
	if table {
		rows = append([]T{heading}, rows...)
	}
	var lines [][]string
	for _, row := range rows {
		var b strings.Builder
		if err := t.Execute(&b, row); err != nil {
			return kernel.Advise(err, "the fields are those of --format json")
		}
		if !table {
			fmt.Fprintln(w, b.String())
			continue
		}
		lines = append(lines, strings.Split(b.String(), "\t"))
	}
	printColumns(w, lines)
	return nil
}

// PrintOne prints one thing by a Go template, or as JSON.
func PrintOne(w io.Writer, format string, thing any) error {
	if format == "json" {
		return PrintJSON(w, []any{thing})
	}
	return PrintRows(w, format, []any{thing}, nil)
}

// printColumns aligns cells with three spaces between them, as Docker's tables are.
func printColumns(w io.Writer, lines [][]string) {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns.Of(cell))
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, cell := range line {
			b.WriteString(cell)
			if i < len(line)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-columns.Of(cell)+3))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}
