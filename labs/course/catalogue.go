package course

import (
	"fmt"
	"strings"
)

// Lang is a language that lessons are written in, as it stands in their file names.
type Lang string

// The languages of the course.
const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// phrase is one sentence of the program in every language of the course.
type phrase struct{ en, zh string }

func (p phrase) in(lang Lang) string {
	if lang == Chinese {
		return p.zh
	}
	return p.en
}

// Chapter is one row of the catalogue. Its number is that of the tutorial's section, so that a learner who reads
// 3.5 there finds lab 3.5 here.
type Chapter struct {
	Number string
	title  phrase
	own    bool // it is a lab of a directory
}

// Title is the chapter's title in a language.
func (c Chapter) Title(lang Lang) string { return c.title.in(lang) }

// Catalogue returns the course in the order in which it is taught. Help texts, the list of labs and the checks of the
// lessons all follow this one table; a chapter stands in it before its lesson is written.
func Catalogue() []Chapter {
	return []Chapter{
		{Number: "1.1", title: phrase{"The container ecosystem", "容器生态"}},
		{Number: "1.2", title: phrase{"How Docker is built", "Docker 的架构"}},
		{Number: "2.1", title: phrase{"The smallest image", "最小的镜像"}},
		{Number: "2.2", title: phrase{"Base images", "base 镜像"}},
		{Number: "2.3", title: phrase{"Images in layers", "镜像的分层结构"}},
		{Number: "2.4", title: phrase{"Building images", "构建镜像"}},
		{Number: "2.5", title: phrase{"Good practice", "最佳实践"}},
		{Number: "2.6", title: phrase{"Registries", "镜像仓库"}},
		{Number: "3.1", title: phrase{"Running containers", "运行容器"}},
		{Number: "3.2", title: phrase{"Getting into a container", "进入容器"}},
		{Number: "3.3", title: phrase{"Everyday operations", "容器常用操作"}},
		{Number: "3.4", title: phrase{"Limiting resources", "限制容器资源"}},
		{Number: "3.5", title: phrase{"What containers are made of", "容器的底层技术"}},
		{Number: "3.6", title: phrase{"Container networks", "容器网络"}},
		{Number: "a", title: phrase{"All commands (appendix 1)", "命令检索（附录 1）"}},
	}
}

// FindChapter returns the row of the catalogue with this number.
func FindChapter(number string) (Chapter, error) {
	var numbers []string
	for _, c := range Catalogue() {
		if c.Number == number {
			return c, nil
		}
		numbers = append(numbers, c.Number)
	}
	return Chapter{}, fmt.Errorf("no chapter %q in the course: there are %s", number, strings.Join(numbers, ", "))
}

// splitNumber takes "3.5.2" apart into its chapter, "3.5", and the whole as a section's number; "3.5" has no section.
func splitNumber(number string) (chapter, section string) {
	chapter = LabOf(number)
	if chapter == number {
		return number, ""
	}
	return chapter, number
}
