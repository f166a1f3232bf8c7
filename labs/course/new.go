package course

import (
	"embed"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed template/*.md
var template embed.FS

// File is a file of a lab, by its name in the lab's directory.
type File struct{ Name, Data string }

// NewLab returns the files of a small lab that is whole, for its author to change. The titles are those in English and in
// Chinese.
func NewLab(number, english, chinese string) ([]File, error) {
	if !ValidNumber(number) {
		return nil, fmt.Errorf("%q is no lab's number", number)
	}
	var files []File
	for i, kind := range kinds {
		data, err := template.ReadFile("template" + strings.Replace(kind, ".", "/", 1))
		if err != nil {
			panic(err) // they are embedded: this cannot happen
		}
		title := []string{english, chinese, "none"}[i]
		if err := validTitle(title); err != nil {
			return nil, err
		}
		files = append(files, File{number + kind, strings.NewReplacer("NUMBER", number, "TITLE", title).Replace(string(data))})
	}
	return files, nil
}

func validTitle(title string) error {
	switch {
	case strings.TrimSpace(title) == "":
		return errors.New("the lab's title is empty")
	case !utf8.ValidString(title):
		return errors.New("the lab's title is not UTF-8")
	case strings.ContainsFunc(title, unicode.IsControl):
		return errors.New("the lab's title is more than one line, or has control characters in it")
	}
	return nil
}
