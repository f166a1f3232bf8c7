package command

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

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
}

// titles of the tutorial's sections, as headings of an explanation.
var titles = map[string][2]string{
	"2.3": {"root filesystem", "根文件系统"},
	"3.1": {"running", "运行"},
	"3.2": {"going in", "进入容器"},
	"3.3": {"stopping and removing", "停止与删除"},
	"3.4": {"limits", "资源限制"},
	"3.5": {"namespaces and cgroups", "namespace 与 cgroup"},
	"3.6": {"network", "网络"},
}

// processes as the headings call them; the client goes without saying.
var processes = map[string][2]string{
	"monitor":   {"the monitor", "监视进程"},
	"container": {"inside the container", "容器内"},
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
		fmt.Fprintf(x.Out, "%s\n", line)
		return
	}
	if heading := x.heading(r); heading != x.last {
		fmt.Fprintf(x.Out, "%s\n", heading)
		x.last = heading
	}
	line := shorten(r.Line)
	if r.Why != "" {
		line += "   # " + r.Why
	}
	fmt.Fprintf(x.Out, "  %s\n", line)
}

func (x *Explainer) heading(r kernel.Record) string {
	language := 0
	if x.Language == "zh" {
		language = 1
	}
	heading := fmt.Sprintf("[%s] %s", r.Section, titles[r.Section][language])
	if process, ok := processes[r.Process]; ok {
		heading += [2]string{", ", ","}[language] + process[language]
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
