// Package pages makes web pages of the course: one of each lesson and language, and an index. They need no script and load
// nothing, so they can be read from a directory as well as from a server, and on a phone; hints and solutions are folded.
//
// It is apart from package course because goldmark's HTML costs some time whenever a program that has it starts.
package pages

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"sandbox/labs/course"
)

// Options say what is made into pages.
type Options struct {
	Lessons fs.FS       // see course.Library
	Seed    string      // draws the exercises' parameters
	Lang    course.Lang // of index.html; the pages are in all languages
}

// Write writes the pages into a directory, which is made if it is not there, and returns their names.
func Write(dir string, o Options) ([]string, error) {
	files, err := render(o)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the directory for the pages: %w", err)
	}
	var names []string
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.content), 0o644); err != nil {
			return nil, fmt.Errorf("write a page: %w", err)
		}
		names = append(names, f.name)
	}
	return names, nil
}

type file struct{ name, content string }

// render makes all pages: index.html first.
func render(o Options) (files []file, err error) {
	w := newWriter()
	languages := []course.Lang{course.English, course.Chinese}
	all := map[course.Lang][]*course.Lesson{}
	for _, lang := range languages {
		if all[lang], err = load(o, lang); err != nil {
			return nil, err
		}
	}
	for _, lang := range languages {
		lessons := all[lang]
		index := w.index(lang, lessons)
		files = append(files, file{"index." + string(lang) + ".html", index})
		if lang == o.Lang {
			files = append([]file{{"index.html", index}}, files...)
		}
		for i, lesson := range lessons {
			p := &page{writer: w, lesson: lesson, translated: slices.ContainsFunc(all[other(lang)], func(l *course.Lesson) bool { return l.Number == lesson.Number })}
			if i > 0 {
				p.before = lessons[i-1]
			}
			if i < len(lessons)-1 {
				p.after = lessons[i+1]
			}
			files = append(files, file{fileOf(lesson.Number, lang), p.render()})
		}
	}
	return files, nil
}

// load reads the lessons that are written, in the order of the course.
func load(o Options, lang course.Lang) (list []*course.Lesson, err error) {
	for _, chapter := range course.Chapters(o.Lessons) {
		lesson, err := course.Load(o.Lessons, chapter.Number, lang, o.Seed)
		if errors.Is(err, course.ErrNoLesson) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, lesson)
	}
	return list, nil
}

func fileOf(number string, lang course.Lang) string {
	return number + "." + string(lang) + ".html"
}
