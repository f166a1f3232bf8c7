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
}

// Title is the chapter's title in a language.
func (c Chapter) Title(lang Lang) string { return c.title.in(lang) }

// Catalogue returns the course in the order in which it is taught. Help texts, the list of labs and the checks of the
// lessons all follow this one table; a chapter stands in it before its lesson is written.
func Catalogue() []Chapter {
	return []Chapter{
		{"1.1", phrase{"The container ecosystem", "容器生态"}},
		{"1.2", phrase{"How Docker is built", "Docker 的架构"}},
		{"2.1", phrase{"The smallest image", "最小的镜像"}},
		{"2.2", phrase{"Base images", "base 镜像"}},
		{"2.3", phrase{"Images in layers", "镜像的分层结构"}},
		{"2.4", phrase{"Building images", "构建镜像"}},
		{"2.5", phrase{"Good practice", "最佳实践"}},
		{"2.6", phrase{"Registries", "镜像仓库"}},
		{"3.1", phrase{"Running containers", "运行容器"}},
		{"3.2", phrase{"Getting into a container", "进入容器"}},
		{"3.3", phrase{"Everyday operations", "容器常用操作"}},
		{"3.4", phrase{"Limiting resources", "限制容器资源"}},
		{"3.5", phrase{"What containers are made of", "容器的底层技术"}},
		{"3.6", phrase{"Container networks", "容器网络"}},
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
	parts := strings.SplitN(number, ".", 3)
	if len(parts) < 3 {
		return number, ""
	}
	return parts[0] + "." + parts[1], number
}
