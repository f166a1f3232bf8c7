package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Explainer prints what is told of each step, as text that a person can read or as one JSON object a line.
type Explainer struct {
	Out      io.Writer
	JSON     bool
	Language string

	mu   sync.Mutex
	seq  int
	last string // the heading that is in force
	why  string // the reason given last
}

// titles of the tutorial's sections, as headings of an explanation.
var titles = map[string][2]string{
	"2.3":   {"root filesystem", "根文件系统"},
	"2.4":   {"building", "构建镜像"},
	"2.4.1": {"commit", "提交成镜像"},
	"2.4.3": {"build cache", "构建缓存"},
	"2.5":   {"names of images", "镜像命名"},
	"2.6":   {"registry", "Registry"},
	"3.1":   {"running", "运行"},
	"3.2":   {"going in", "进入容器"},
	"3.3":   {"stopping and removing", "停止与删除"},
	"3.4":   {"limits", "资源限制"},
	"3.5":   {"namespaces and cgroups", "namespace 与 cgroup"},
	"3.6":   {"network", "网络"},
}

// processes as the headings call them; the client goes without saying.
var processes = map[string][2]string{
	"monitor":   {"the monitor", "监视进程"},
	"container": {"inside the container", "容器内"},
	"network":   {"the program that carries its packets", "替它搬运数据包的程序"},
	"pocket":    {"inside the pocket host", "口袋主机内"},
}

// Tell prints one step.
func (x *Explainer) Tell(r kernel.Record) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seq++
	r.Seq = x.seq
	if x.JSON {
		line, _ := json.Marshal(r)
		fmt.Fprintf(x.Out, "%s%s", line, newline(x.Out))
		return
	}
	if heading := x.heading(r); heading != x.last {
		fmt.Fprintf(x.Out, "%s%s", heading, newline(x.Out))
		x.last, x.why = heading, ""
	}
	line := shorten(r.Line)
	if r.Why != "" && r.Why != x.why { // said once for a row of steps that have it in common
		line += "   # " + r.Why
		x.why = r.Why
	}
	fmt.Fprintf(x.Out, "  %s%s", line, newline(x.Out))
}

// newline is what begins a new line where out goes: on a terminal in raw mode, as `run -t` puts it, a line feed alone
// leaves the cursor in its column.
func newline(out io.Writer) string {
	file, ok := out.(*os.File)
	if !ok {
		return "\n"
	}
	mode, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	if err == nil && mode.Oflag&unix.OPOST == 0 {
		return "\r\n"
	}
	return "\n"
}

func (x *Explainer) heading(r kernel.Record) string {
	language := 0
	if x.Language == "zh" {
		language = 1
	}
	title, found := titles[r.Section]
	for above := r.Section; !found && strings.Contains(above, "."); title, found = titles[above] {
		above = above[:strings.LastIndexByte(above, '.')]
	}
	heading := fmt.Sprintf("[%s] %s", r.Section, title[language])
	if process, ok := processes[r.Process]; ok {
		heading += [2]string{", ", "，"}[language] + process[language]
	}
	return heading
}

// shorten makes ids readable: 64 digits become 12 and an ellipsis. The JSON form has them whole.
func shorten(line string) string {
	if !strings.ContainsAny(line, "0123456789") {
		return line
	}
	return regexp.MustCompile(`\b([0-9a-f]{12})[0-9a-f]{52}\b`).ReplaceAllString(line, "$1…")
}
