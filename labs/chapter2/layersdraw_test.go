package chapter2

import (
	"fmt"
	"strings"
	"testing"

	"sandbox/image/layer"
	"sandbox/labs/columns"
)

// drawn is a container's layers, with everything that there can be in the drawing.
func drawn(width int, language string) string {
	d := newLayersDrawing("box", width, language)
	trace := func(kind byte, path string, covers, hidden int, gone bool) layer.Trace {
		return layer.Trace{Change: layer.Change{Kind: kind, Path: path}, Covers: covers, Hidden: hidden, Gone: gone}
	}
	base := layer.Stratum{Files: 100, Seen: 98}
	for i := range 98 {
		base.Traces = append(base.Traces, trace('A', fmt.Sprintf("/bin/%d", i), -1, -1, false))
	}
	base.Traces = append(base.Traces, trace('A', "/etc/motd", -1, 1, false), trace('A', "/lib/a", -1, 1, true))
	d.floors = []floor{
		{label: "box", title: d.writable, size: 5, writable: true, Stratum: layer.Stratum{Files: 1, Seen: 1, Traces: []layer.Trace{
			trace('C', "/etc/motd", 1, -1, false), trace('D', "/hello", 1, -1, false),
		}}},
		{label: "2", title: "RUN echo 容器容器容器容器容器容器容器容器容器容器容器容器容器容器容器容器容器容器容器", size: 12, Stratum: layer.Stratum{Files: 3, Seen: 1, Traces: []layer.Trace{
			trace('C', "/etc/motd", 2, 0, false), trace('A', "/hello", -1, 0, true), trace('D', "/lib", 2, -1, false),
			trace('A', "/很长的路径/"+strings.Repeat("目录/", 30)+"x", -1, -1, false),
		}}},
		{label: "1", title: "base", size: 12345678, Stratum: base},
	}
	return d.draw()
}

func TestLayersDrawing(t *testing.T) {
	const want = `box shows 100 files: 1 from box, 1 from layer 2, 98 from layer 1
    ╔══════════════════════════════════════════════════════════════════════════╗
box ║ its own, the only one that is written to                      5B, 1 file ║
    ║   ● C /etc/motd  covers the one in layer 2                               ║
    ║     D /hello     whiteout for the one in layer 2                         ║
    ╚══════════════════════════════════════════════════════════════════════════╝
    ┌──────────────────────────────────────────────────────────────────────────┐
  2 │ RUN echo 容器容器容器容器容器容器容器容器容器容器容器容器…  12B, 3 files │
    │   ○ C /etc/motd  covered by the one in box                               │
    │   ○ A /hello     deleted in box                                          │
    │     D /lib       whiteout for the one in layer 1                         │
    │   ● A /很长的路径/目录/目录/目录/目录/目录/目录/目录/目录/目录/目录/目…  │
    ├──────────────────────────────────────────────────────────────────────────┤
  1 │ base                                                   12.3MB, 100 files │
    │   ● A /bin/0                                                             │
    │   ● A /bin/1                                                             │
    │   ● A /bin/2                                                             │
    │   ○ A /etc/motd  covered by the one in layer 2                           │
    │   ○ A /lib/a     deleted in layer 2                                      │
    │   … and 95 more                                                          │
    └──────────────────────────────────────────────────────────────────────────┘
● seen   ○ hidden by a layer above   A added   C changed   D deleted
`
	if got := drawn(80, "en"); got != want {
		t.Errorf("got:\n%s", got)
	}
	chinese := drawn(80, "zh")
	for _, part := range []string{"在 box 里能看到 100 个文件：box 1 个，第 2 层 1 个，第 1 层 98 个", "被 box 的同名文件盖住", "已被第 2 层删除", "盖住第 2 层的同名文件", "whiteout，盖住第 1 层的文件", "…… 还有 95 个"} {
		if !strings.Contains(chinese, part) {
			t.Errorf("no %q in:\n%s", part, chinese)
		}
	}
}

// The frame is straight at any width, in both languages.
func TestLayersDrawingIsStraight(t *testing.T) {
	for _, width := range []int{20, 60, 80, 100, 300} {
		for _, language := range []string{"en", "zh"} {
			picture := drawn(width, language)
			for line := range strings.Lines(picture) {
				line = strings.TrimSuffix(line, "\n")
				if n := columns.Of(line); strings.ContainsAny(line, "│║─═") && n != min(max(width, narrowestLayers), widestLayers) {
					t.Errorf("width %d, %s: %d columns: %s", width, language, n, line)
				}
			}
		}
	}
}
