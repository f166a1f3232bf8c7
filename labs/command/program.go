package command

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Program is the name that the program was called by: a link to it that is named docker makes it docker, in help and errors.
func Program() string {
	if len(os.Args) == 0 || strings.HasSuffix(os.Args[0], ".test") {
		return "sandbox"
	}
	if name := filepath.Base(os.Args[0]); name != "." && name != "/" {
		return name
	}
	return "sandbox"
}

// Renamed is a text in which commands to be typed have the program's name: `sandbox ps` becomes `docker ps`. Paths stay.
func Renamed(text, program string) string {
	if program == "sandbox" || !strings.Contains(text, "sandbox") {
		return text
	}
	commands := regexp.MustCompile("(^|[\\s(`'\"$])sandbox( |$)")
	return commands.ReplaceAllString(text, "${1}"+strings.ReplaceAll(program, "$", "$$")+"${2}")
}
