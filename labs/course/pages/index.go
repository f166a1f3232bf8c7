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
	sayTitle     = words{"How containers work", "容器是怎样工作的"}
	sayAbout     = words{"A course to be read here, and to be done with `sandbox lab` on a machine with Linux.", "课程可以在这里读，也可以在装有 Linux 的机器上用 `sandbox lab` 动手做。"}
	sayCourse    = words{"All labs", "全部实验"}
	sayElsewhere = words{"Other pages", "其他页面"}
	sayContents  = words{"On this page", "本页内容"}
	sayPredict   = words{"What do you think?", "先猜一猜"}
	sayAnswer    = words{"The answer", "答案"}
	sayNeeds     = words{"Left out on some machines: %s", "有些机器上略过：%s"}
	sayChecks    = words{"In the end it must be so:", "做完之后应当是这样："}
	sayTry       = words{"Try it: `sandbox lab shell %s`, then `sandbox lab check %s %d`.", "动手试试：先用 `sandbox lab shell %s`，再用 `sandbox lab check %s %d` 检查。"}
	sayHint      = words{"Hints, level %d", "提示（第 %d 级）"}
	saySolution  = words{"One way to do it", "做法之一"}
	sayExercise  = words{"and exercises: %d", "另有练习 %d 道"}
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
	fmt.Fprintf(&b, "%s<header><nav aria-label=\"%s\">%s</nav>\n<h1>%s</h1></header>\n<main class=\"index\">\n%s",
		head(lang, title), sayElsewhere.in(lang), translation(there, "index."+string(there)+".html"), title, w.html(sayAbout.in(lang), w.blocks))
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

// tags are the languages as browsers want them, who choose the fonts by them.
var tags = map[course.Lang]string{course.English: "en", course.Chinese: "zh-Hans"}

// translation is the way to the same page in another language.
func translation(to course.Lang, href string) string {
	return fmt.Sprintf(`<a rel="alternate" lang="%s" hreflang="%s" href="%s">%s</a>`, tags[to], tags[to], href, languageNames[to])
}

const foot = "</body>\n</html>\n"

// head is everything up to the body's text. The policy forbids what the pages do not need: scripts, and anything from
// elsewhere.
func head(lang course.Lang, title string) string {
	return `<!DOCTYPE html>
<html lang="` + tags[lang] + `">
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
const style = `:root { color-scheme: light dark; --text: #1c1c1c; --paper: #fdfdfb; --faint: #666; --line: #d8d8d0; --box: #f1f1ec; --link: #0b57a4; --seen: #6b3fa0; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e4e0; --paper: #17181a; --faint: #9a9a96; --line: #3a3c40; --box: #222427; --link: #8ab8f0; --seen: #c0a4ec; }
}
body { margin: 0 auto; max-width: 46rem; padding: 1rem; font: 1.05rem/1.65 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: var(--text); background: var(--paper); overflow-wrap: break-word; }
h1 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); line-height: 1.3; }
a { color: var(--link); }
a:visited { color: var(--seen); }
:lang(zh) em { font-style: normal; text-emphasis: dot; text-emphasis-position: under right; }
nav { font-size: .95rem; }
nav ul, .index ul { padding-left: 1rem; list-style: none; }
.index h2 { margin: 2rem 0 .6rem; font-size: 1.25rem; }
.index ul, .index .note { margin: .2rem 0; padding-left: 1rem; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace; font-size: .9em; }
code { background: var(--box); padding: .1em .25em; border-radius: .2em; }
pre { background: var(--box); padding: .7rem .9rem; border-radius: .4rem; overflow-x: auto; line-height: 1.2; }
pre code { background: none; padding: 0; font-size: 1em; }
.short { white-space: nowrap; }
pre.step { border-left: .25rem solid var(--link); line-height: 1.4; white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { letter-spacing: calc(2ch - 1em); }
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
@media (max-width: 40rem) {
  table { font-size: .88em; line-height: 1.45; }
  th, td { min-width: 4.5rem; padding-right: .6rem; }
  td code { overflow-wrap: anywhere; }
  td .short { white-space: normal; }
}
@media print {
  body { max-width: none; font-size: 10.5pt; background: none; }
  nav { display: none; }
  pre { white-space: pre-wrap; }
  h2, summary { break-after: avoid; }
  pre, tr, .question { break-inside: avoid; }
  details::details-content { content-visibility: visible; }
}
`
