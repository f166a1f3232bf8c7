package pages

import (
	"fmt"
	"strings"

	"sandbox/labs/course"
)

// words are a text of the pages in both languages.
type words struct{ en, zh string }

func (w words) in(lang course.Lang) string {
	if lang == course.Chinese {
		return w.zh
	}
	return w.en
}

var (
	sayTitle    = words{"How containers work", "容器是怎样工作的"}
	sayAbout    = words{"A course to be read here, and to be done with `sandbox lab` on a machine with Linux.", "课程可以在这里读，也可以在装有 Linux 的机器上用 `sandbox lab` 动手做。"}
	sayCourse   = words{"All labs", "全部实验"}
	sayPredict  = words{"What do you think?", "先猜一猜："}
	sayAnswer   = words{"The answer", "答案"}
	sayNeeds    = words{"Left out on some machines: %s", "有些机器上略过：%s"}
	sayChecks   = words{"In the end it must be so:", "做完之后应当是这样："}
	sayTry      = words{"Try it: `sandbox lab shell %s`, then `sandbox lab check %s %d`.", "动手试试：先用 `sandbox lab shell %s`，再用 `sandbox lab check %s %d` 检查。"}
	sayHint     = words{"Hints, level %d", "提示（第 %d 级）"}
	saySolution = words{"One way to do it", "做法之一"}
	sayExercise = words{"exercises: %d", "练习：%d 道"}
)

var languageNames = map[course.Lang]string{course.English: "English", course.Chinese: "中文"}

func other(lang course.Lang) course.Lang {
	if lang == course.Chinese {
		return course.English
	}
	return course.Chinese
}

// index lists the lessons that are written, and what is in them.
func (w *writer) index(lang course.Lang, lessons []*course.Lesson) string {
	var b strings.Builder
	title, there := sayTitle.in(lang), other(lang)
	fmt.Fprintf(&b, "%s<header><nav><a lang=\"%s\" hreflang=\"%s\" href=\"index.%s.html\">%s</a></nav>\n<h1>%s</h1></header>\n<main>\n%s",
		head(lang, title), there, there, there, languageNames[there], title, w.html(sayAbout.in(lang), w.blocks))
	for _, l := range lessons {
		fmt.Fprintf(&b, "<section>\n<h2><a href=\"%s\">%s %s</a></h2>\n<ul>\n", fileOf(l.Number, lang), l.Number, w.title(l.Title))
		exercises := 0
		for _, s := range l.Sections {
			if s.Exercise != nil {
				exercises++
				continue
			}
			fmt.Fprintf(&b, "<li><a href=\"%s#%s\">%s</a></li>\n", fileOf(l.Number, lang), anchor(s), w.title(heading(s)))
		}
		fmt.Fprintf(&b, "</ul>\n<p class=\"note\">%s</p>\n</section>\n", fmt.Sprintf(sayExercise.in(lang), exercises))
	}
	b.WriteString("</main>\n" + foot)
	return b.String()
}

const foot = "</body>\n</html>\n"

// head is everything up to the body's text. The policy forbids what the pages do not need: scripts, and anything from
// elsewhere.
func head(lang course.Lang, title string) string {
	tag := map[course.Lang]string{course.English: "en", course.Chinese: "zh-Hans"}[lang]
	return `<!DOCTYPE html>
<html lang="` + tag + `">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
<title>` + escape(title) + `</title>
<style>
` + style + `</style>
</head>
<body>
`
}

// style is for a phone as for a wide screen, by day and by night.
const style = `:root { color-scheme: light dark; --text: #1c1c1c; --paper: #fdfdfb; --faint: #666; --line: #d8d8d0; --box: #f1f1ec; --link: #0b57a4; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e4e0; --paper: #17181a; --faint: #9a9a96; --line: #3a3c40; --box: #222427; --link: #8ab8f0; }
}
body { margin: 0 auto; max-width: 46rem; padding: 1rem; font: 1.05rem/1.65 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: var(--text); background: var(--paper); overflow-wrap: break-word; }
h1 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); line-height: 1.3; }
a { color: var(--link); }
nav { font-size: .95rem; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace; font-size: .9em; }
code { background: var(--box); padding: .1em .25em; border-radius: .2em; }
pre { background: var(--box); padding: .7rem .9rem; border-radius: .4rem; overflow-x: auto; line-height: 1.4; }
pre code { background: none; padding: 0; font-size: 1em; }
pre.step { border-left: .25rem solid var(--link); }
.prompt { color: var(--faint); user-select: none; -webkit-user-select: none; }
.table { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: .25rem solid var(--line); }
details, .question { border: 1px solid var(--line); border-radius: .4rem; padding: .3rem .9rem; margin: .8rem 0; }
summary { cursor: pointer; font-weight: 600; }
.hint + .hint { border-top: 1px dashed var(--line); }
.note { color: var(--faint); font-size: .95rem; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
@media print { details > * { display: block; } }
`
