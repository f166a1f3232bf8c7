package transcripts

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// rule replaces what its pattern matches.
type rule struct {
	pattern *regexp.Regexp
	by      string
}

func rules(pairs ...string) []rule {
	var list []rule
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, rule{regexp.MustCompile(pairs[i]), pairs[i+1]})
	}
	return list
}

// everywhere are rules for all lines.
var everywhere = rules(
	`\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \w+ \d{4}\b`, `<time>`,
	`((?:root +root| 0 0) +(?:\d+, )?\d+ )[A-Z][a-z]{2} [ \d]\d ( \d{4}|\d\d:\d\d)`, `$1<time>`,
	`(Less than a|\d+) seconds?( ago)?|About a minute( ago)?`, `<age>`,
	`^  \d+\.\d+\.\d+\S*$`, `  <kernel>`,
	`^  \d{5,}$`, `  <bytes>`,
	`^  \d{7,} (\S+)$`, `  <bytes> $1`, // wc, of the program's own
	`(root +root +|0/0 +| 0 0 +)\d{7,} `, `$1<bytes> `, // the program, or a layer that it is in
	`(c--------- )\d+( root)`, `$1<links>$2`, // newer kernels make one whiteout and link it
	`"size":\d{7,}`, `"size":<bytes>`,
	`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?`, `<time>`,
	`^  total [1-9]\d*$`, `  total <blocks>`,
	`\b(file|dir|multi):[0-9a-f]{12,64}`, `$1:<digest>`,
	`\bN/A\b|\bAbout an? \w+ ago|\b\d+ (minute|hour|day|week|month|year)s( ago)?`, `<age>`,
	`0x[0-9a-f]{5,8}( +\d+ +root)`, `0x<key>$1`,
	`(NSpid:\s+)\d+`, `$1<pid>`,
	`^(  Process |  进程 )\d+( has| 有)`, `$1<pid>$2`,
	`^(  root +)(\d+ +)(\d+) +\d+ \d\d:\d\d (\S+ +)\d\d:\d\d:\d\d( ps -ef)`, `$1<pid> $3 <cpu> <time> $4<cpu>$5`,
	`(sha256:<ID\d+> size: )\d+`, `$1<size>`,
	`^(  root +1 +0) +\d+ \d\d:\d\d (\S+ +)\d\d:\d\d:\d\d`, `$1 <cpu> <time> $2<cpu>`,
	`\b65534\b`, `<uid>`,
	`"/var/lib/sandbox/names/[a-z]+_[a-z0-9]+"|/var/lib/sandbox/names/[a-z]+_[a-z0-9]+`, `…/names/<name>`,
	`^  \d+:[a-z_=,]*:(/\S*)$`, `  N:<controller>:$1`,
	`^  \d+ +\d+ +(-|1)  +(-|client|in \S+|monitor of \S+)  `, `  <pid> <ppid> $1 $2  `, // ps --tree
	`^  \d+ +\d+ +\d+ +(in \S+)  `, `  <pid> <ppid> <inside> $1  `,
)

// printed are rules for what commands print: in a sentence, or in a command, a size is what the author wrote.
var printed = append(measured, rules(
	`\b\d+(\.\d+)?(MB| MB)\b`, `<size>`,
)...)

// explained are rules for explanations. Numbers inside quotes are left as they are, see maskNumbers.
var explained = rules(
	`/sys/fs/cgroup/[a-z_,]+/sandbox`, `/sys/fs/cgroup/<controller>/sandbox`,
	`("cgroup", "/sys/fs/cgroup/)[a-z_,]+(".*MS_NOEXEC, ")[a-z_,]+"`, `$1<controller>$2<controller>"`,
	`"/sys/fs/cgroup/[a-z_,]+", 0755`, `"/sys/fs/cgroup/<controller>", 0755`,
	`# [a-z]+(:|:) ?(the |a group|every|上级|建|进程)`, `# <controller>: $2`,
	`mount\("tmpfs", "/(proc|sys)/[a-z_]+"`, `mount("tmpfs", "<masked>"`,
	`mount\("/dev/null", "/(proc|sys)/[a-z_]+"`, `mount("/dev/null", "<masked>"`,
	`… \d+ (more|steps?)`, `… <n> $1`,
	`…… (还有 )?\d+ 步`, `…… <n> 步`,
	`([(（])\d+ (bytes|字节)([)）])`, `$1<n> $2$3`,
	`, \d+ bytes in \d+ ms`, `, <n> bytes in <n> ms`,
	`, (<size>|[\d.]+ kB) in \d+ ms`, `, <size> in <n> ms`,
	`(RLIMIT_NOFILE, \{)rlim_cur=\S+ rlim_max=\S+\}`, `$1<limits>}`,
)

// mask replaces what differs from run to run, or between machines: ids and the kernel's numbers of namespaces by names in
// the order in which they appear, so that equal ones can still be seen to be equal.
func mask(text string) string {
	m := &masker{ids: map[string]string{}, namespaces: map[string]string{}}
	var out []string
	for _, line := range layersSorted(cablesMasked(strings.Split(text, "\n"))) {
		masked := m.line(line)
		if len(out) > 0 && masked == out[len(out)-1] && strings.ContainsAny(masked, "<") && repeats.MatchString(masked) {
			continue // as many as the machine has, or as the seconds that have passed
		}
		out = append(out, masked)
	}
	return strings.Join(requestsSorted(explanationsFirst(dispatchedFirst(m.once(out)))), "\n")
}

// explanationsFirst moves what a command has printed behind what it has explained. The program in a container and the
// monitor work at the same time: which of them is heard first is chance.
func explanationsFirst(lines []string) []string {
	var out, words []string
	explaining := false
	for _, line := range lines {
		explanation := strings.HasPrefix(line, "  ┆")
		block := strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "  $ ")
		if !block {
			out = append(append(out, words...), line)
			words, explaining = nil, strings.HasPrefix(line, "  $ ")
			continue
		}
		if explaining && !explanation {
			words = append(words, line)
			continue
		}
		out = append(out, line)
	}
	return append(out, words...)
}

// repeats are lines of which there may be more or fewer.
var repeats = regexp.MustCompile(`<controller>|<masked>|^  <time>$`)

var (
	id        = regexp.MustCompile(`\b[0-9a-f]{12}([0-9a-f]{52})?\b`)
	namespace = regexp.MustCompile(`:\[(\d{10})\]`)
	inDrawing = regexp.MustCompile(`([│║╢] )(\d{10})\b`) // the same, in a drawing
	section   = regexp.MustCompile(`^(\d+\.\d+\.\d+ |─)`)
	number    = regexp.MustCompile(`"[^"]*"|\b([1-9]\d*)\b|#.*`)
)

type masker struct {
	ids        map[string]string // the first 12 digits → <id1>
	namespaces map[string]string // of this section: the kernel gives a number that is free to the next one
}

func (m *masker) line(line string) string {
	if section.MatchString(line) {
		m.namespaces = map[string]string{}
	}
	line = id.ReplaceAllStringFunc(line, func(s string) string {
		name := m.ids[s[:12]]
		if name == "" {
			name = fmt.Sprintf("<id%d>", len(m.ids)+1)
			m.ids[s[:12]] = name
		}
		if len(s) == 64 {
			return strings.Replace(name, "id", "ID", 1)
		}
		if drawn.MatchString(line) {
			return fmt.Sprintf("%-12s", name)
		}
		return name
	})
	line = namespace.ReplaceAllStringFunc(line, func(s string) string {
		if m.namespaces[s] == "" {
			m.namespaces[s] = fmt.Sprintf(":[<%d>]", len(m.namespaces)+1)
		}
		return m.namespaces[s]
	})
	line = inDrawing.ReplaceAllStringFunc(line, func(s string) string {
		frame, number := s[:len(s)-10], ":["+s[len(s)-10:]+"]"
		if m.namespaces[number] == "" {
			m.namespaces[number] = fmt.Sprintf(":[<%d>]", len(m.namespaces)+1)
		}
		return fmt.Sprintf("%s%-10s", frame, strings.Trim(m.namespaces[number], ":[]"))
	})
	list := everywhere
	if strings.HasPrefix(line, "  ┆ ") {
		list = append(list[:len(list):len(list)], explained...)
		line = maskNumbers(line)
	}
	if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "  $ ") && !strings.HasPrefix(line, "  > ") {
		list = append(list[:len(list):len(list)], printed...)
	}
	for _, r := range list {
		line = r.pattern.ReplaceAllString(line, r.by)
	}
	if tableHeader.MatchString(line) || strings.Contains(line, "<age>") || strings.Contains(line, "<size>") {
		line = columns.ReplaceAllString(line, "$1   ") // as wide as what has been masked in them
	}
	return line
}

var (
	tableHeader = regexp.MustCompile(`^  [A-Z]{2}[A-Z ]* {3}[A-Z]`)
	columns     = regexp.MustCompile(`(\S) {3,}`)
)

// maskNumbers replaces descriptors, pids and lengths in a call.
func maskNumbers(line string) string {
	if strings.Contains(line, " echo ") || inWords.MatchString(line) || strings.Contains(line, " http://") || strings.HasPrefix(line, "  ┆ [") || strings.Contains(line, "…  ") {
		return line
	}
	return number.ReplaceAllStringFunc(line, func(s string) string {
		if s[0] == '"' || s[0] == '#' || len(s) == 1 && s < "3" {
			return s
		}
		return "<n>"
	})
}

// once leaves one of a command's lines that are the same but for the controller, of which machines have different ones.
func (m *masker) once(lines []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, line := range lines {
		if strings.HasPrefix(line, "  $ ") {
			seen = map[string]bool{}
		}
		if repeats.MatchString(line) {
			if seen[line] {
				continue
			}
			seen[line] = true
		}
		out = append(out, line)
	}
	return out
}

func TestExplanationsFirst(t *testing.T) {
	const text, want = "  $ x\n  ┆ a\n  word\n  ┆ b\n\n  prose\n  $ y\n  1\n  2", "  $ x\n  ┆ a\n  ┆ b\n  word\n\n  prose\n  $ y\n  1\n  2"
	if got := strings.Join(explanationsFirst(strings.Split(text, "\n")), "\n"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMask(t *testing.T) {
	a := strings.Repeat("a1", 32)
	const text = `  $ x
  A
  aaaaaaaaaaaa
  uts:[4026532178]
  uts:[4026532179]
  uts:[4026532178]
  REPOSITORY   CREATED                  SIZE
  base         Less than a second ago   20.5MB
  $ y
  ┆ [3.5] namespaces
  ┆   clone3(CLONE_NEWNS) = 4711   # 3 reasons
  ┆   dup3(9, 2, 0)
  ┆   echo 5 > /sys/fs/cgroup/cpu/sandbox/x/cpu.shares
3.5.2 next
  uts:[4026532179]
  6.1.0-13-amd64
`
	const want = `  $ x
  <ID1>
  <id2>
  uts:[<1>]
  uts:[<2>]
  uts:[<1>]
  REPOSITORY   CREATED   SIZE
  base   <age>   <size>
  $ y
  ┆ [3.5] namespaces
  ┆   clone3(CLONE_NEWNS) = <n>   # 3 reasons
  ┆   dup3(<n>, 2, 0)
  ┆   echo 5 > /sys/fs/cgroup/<controller>/sandbox/x/cpu.shares
3.5.2 next
  uts:[<1>]
  <kernel>
`
	if got := mask(strings.Replace(text, "A", a, 1)); got != want {
		t.Errorf("mask:\n%s\nwant:\n%s", got, want)
	}
}
