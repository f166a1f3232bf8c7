package labs

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"sandbox/labs/columns"
)

// flagText is a flag as help shows it: how it is written, and what it is for.
type flagText struct{ written, use string }

// flagTexts are the flags of a set that are shown, in the order of their names.
func flagTexts(flags *pflag.FlagSet) (list []flagText) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		written := "    --" + f.Name
		if f.Shorthand != "" {
			written = "-" + f.Shorthand + ", --" + f.Name
		}
		switch kind := f.Value.Type(); {
		case f.NoOptDefVal != "" && kind == "string":
			written += "[=" + f.NoOptDefVal + "]"
		case kind != "bool":
			written += " " + kindOf(kind)
		}
		use := f.Usage
		switch { // cobra's own
		case strings.HasPrefix(use, "help for "):
			use = "this help"
		case strings.HasPrefix(use, "version for "):
			use = "the program's version"
		}
		list = append(list, flagText{written, use + defaultOf(f)})
	})
	return list
}

// kindOf is what a flag takes, in few words: `list` is one that may be given several times.
func kindOf(kind string) string {
	switch {
	case kind == "stringArray", kind == "stringSlice":
		return "list"
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
		return "int"
	}
	return kind
}

func defaultOf(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "0", "0s", "false", "[]", "-1": // nothing, or that it has not been given
		return ""
	}
	return " (default " + f.DefValue + ")"
}

func printFlags(w io.Writer, title string, flags *pflag.FlagSet, width int) {
	list := flagTexts(flags)
	if len(list) == 0 {
		return
	}
	widest := 0
	for _, f := range list {
		widest = max(widest, len(f.written))
	}
	fmt.Fprintf(w, "\n%s:\n", title)
	const before, between, narrowest = 2, 3, 24
	room := 0
	if width > 0 {
		room = max(narrowest, width-before-widest-between)
	}
	for _, f := range list {
		lines := strings.Split(fold(f.use, room), "\n")
		fmt.Fprintf(w, "%*s%-*s%*s%s\n", before, "", widest, f.written, between, "", lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintf(w, "%*s%s\n", before+widest+between, "", line)
		}
	}
}

// widthOf is how many columns the terminal has that help goes to; 0 if it is none, and nothing is to be folded.
func widthOf(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// fold breaks lines of prose that are longer than a terminal is wide. Those that are moved in are tables, and stay.
func fold(text string, width int) string {
	if width == 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, " ") && columns.Of(line) > width {
			lines[i] = foldLine(line, width)
		}
	}
	return strings.Join(lines, "\n")
}

func foldLine(line string, width int) string {
	var b strings.Builder
	used := 0
	for i, word := range strings.Fields(line) {
		n := columns.Of(word)
		switch {
		case i == 0:
		case used+1+n > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}
