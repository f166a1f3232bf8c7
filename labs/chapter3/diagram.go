package chapter3

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/chapter2"
	"sandbox/labs/command"
)

// printDiagrams draws containers; an image, too, of which there are only layers to be seen.
func printDiagrams(env *command.Env, what, kind string, refs []string) error {
	draw := map[string]func(*command.Env, *container.Record) error{"states": drawState, "layers": drawLayers, "namespaces": drawNamespaces}[what]
	if draw == nil {
		return kernel.Advise(fmt.Errorf("invalid --diagram: %q", what), "--diagram=states, layers or namespaces")
	}
	return env.Each(refs, func(ref string) error {
		r, err := env.Engine().Get(ref)
		var missing *container.ErrNotFound
		if kind == "image" || kind == "" && what != "namespaces" && errors.As(err, &missing) {
			if imageErr := chapter2.DrawImage(env, ref, env.Width()); imageErr == nil || kind == "image" {
				return imageErr
			}
			if n, networkErr := env.Engine().Networks().Get(ref); networkErr == nil {
				return kernel.Advise(fmt.Errorf("%s is a network", ref), "sandbox network show %s   draws it", n.Name)
			}
		}
		if err != nil {
			return err
		}
		return draw(env, r)
	})
}

// drawLayers draws a container's layers: the image's, and its own.
func drawLayers(env *command.Env, r *container.Record) error {
	engine := env.Engine()
	stack := chapter2.Stack{Name: r.PlainName(), Layers: r.Layers, Upper: engine.Upper(r), Written: engine.SizeRw(r)}
	if img, err := engine.Images.Find(r.Image); err == nil {
		stack.Image = img
	}
	return chapter2.DrawLayers(env, stack, env.Width())
}

// drawState draws the states that a container can be in and what leads from one to another, with the one that it is in
// now in a double frame.
func drawState(env *command.Env, r *container.Record) error {
	marked := "● " + r.State.Status
	for _, line := range drawStates(r.State.Status) {
		if boldTerminal(env.Out) {
			line = strings.Replace(line, marked, "\x1b[1m"+marked+"\x1b[0m", 1)
		}
		fmt.Fprintln(env.Out, line)
	}
	fmt.Fprintf(env.Out, "\n%s: %s\n", r.PlainName(), status(r))
	for _, way := range waysFrom(r.State.Status) {
		fmt.Fprintf(env.Out, "  %-26s → %s\n", way.how, way.to)
	}
	if end := r.State.End; end != nil && end.Note != "" && !r.State.Running {
		fmt.Fprintf(env.Out, "%s\n", end.Note)
	}
	return nil
}

func boldTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// way leads from one state to another.
type way struct{ from, how, to string }

// ways are all that there are.
var ways = []way{
	{"created", "start", "running"}, {"created", "rm", "gone"},
	{"running", "stop, kill, its own end", "exited"}, {"running", "pause", "paused"}, {"running", "restart", "running"},
	{"running", "its end, with --restart", "restarting"}, {"running", "rm -f", "gone"},
	{"paused", "unpause", "running"}, {"paused", "stop, kill", "exited"}, {"paused", "rm -f", "gone"},
	{"restarting", "the wait is over", "running"}, {"restarting", "stop", "exited"}, {"restarting", "rm -f", "gone"},
	{"exited", "start, restart", "running"}, {"exited", "rm", "gone"},
}

func waysFrom(state string) (list []way) {
	for _, w := range ways {
		if w.from == state {
			list = append(list, w)
		}
	}
	return list
}

// Where the boxes are: columns and rows of their upper left corners.
const (
	diagramRows, diagramColumns = 14, 74
	boxHeight                   = 4
	upperRow, lowerRow          = 2, 8
)

// drawStates is the picture, with one state marked.
func drawStates(current string) []string {
	d := newDrawing()
	d.box(0, upperRow, 12, "created", current)
	d.box(23, upperRow, 21, "running", current)
	d.box(60, upperRow, 13, "paused", current)
	d.box(18, lowerRow, 14, "exited", current)
	d.box(60, lowerRow, 14, "restarting", current)
	d.text(3, 0, "create")
	d.down(5, 1, 2)
	d.right(11, 23, 3, "start")
	d.right(43, 60, 3, "pause")
	d.left(43, 60, 4, "unpause")
	d.down(25, 5, 8) // running → exited
	d.text(13, 6, "ends, stop,")
	d.text(20, 7, "kill")
	d.up(29, 5, 8) // and back
	d.text(31, 6, "start,")
	d.text(31, 7, "restart")
	d.leave(40, 5, '┬') // running → restarting
	d.line(40, 6, 8)
	d.right(40, 60, 9, "ends, --restart")
	d.put(40, 9, '└')
	d.put(42, 5, '▲') // and back
	d.right(42, 66, 6, "the wait is over")
	d.put(42, 6, '└')
	d.put(66, 6, '┐')
	d.put(65, 6, '─')
	d.line(66, 7, 7)
	d.leave(66, 8, '┴')
	d.left(31, 60, 10, "stop")
	d.leave(5, 5, '┬') // created → gone
	d.line(5, 6, 12)
	d.right(5, 23, 13, "rm")
	d.put(5, 13, '└')
	d.down(25, 11, 12) // exited → gone
	d.text(27, 12, "rm")
	d.text(23, 13, "gone")
	return d.lines()
}

// drawing is a piece of paper in squares.
type drawing [diagramRows][diagramColumns]rune

func newDrawing() *drawing {
	d := &drawing{}
	for y := range d {
		for x := range d[y] {
			d[y][x] = ' '
		}
	}
	return d
}

func (d *drawing) put(x, y int, r rune) { d[y][x] = r }

func (d *drawing) text(x, y int, s string) {
	for i, r := range []rune(s) {
		d.put(x+i, y, r)
	}
}

// box draws a state; the current one has a double frame and a dot.
func (d *drawing) box(x, y, width int, name, current string) {
	frame := []rune("┌─┐│└┘")
	if name == current {
		frame, name = []rune("╔═╗║╚╝"), "● "+name
	}
	inner := strings.Repeat(string(frame[1]), width-2)
	d.text(x, y, string(frame[0])+inner+string(frame[2]))
	for row := y + 1; row < y+boxHeight-1; row++ {
		d.put(x, row, frame[3])
		d.put(x+width-1, row, frame[3])
	}
	d.text(x, y+boxHeight-1, string(frame[4])+inner+string(frame[5]))
	d.text(x+(width-len([]rune(name)))/2, y+1, name)
}

// leave is where a line begins at a frame, simple or double.
func (d *drawing) leave(x, y int, simple rune) {
	double := map[rune]rune{'┬': '╤', '┴': '╧', '├': '╟', '┤': '╢'}
	if strings.ContainsRune("═║", d[y][x]) {
		simple = double[simple]
	}
	d.put(x, y, simple)
}

func (d *drawing) line(x, from, to int) {
	for y := from; y <= to; y++ {
		d.put(x, y, '│')
	}
}

// down is an arrow from the frame (or the text) at row from to the one at row to.
func (d *drawing) down(x, from, to int) {
	d.line(x, from+1, to-1)
	if strings.ContainsRune("─═", d[from][x]) {
		d.leave(x, from, '┬')
	} else {
		d.put(x, from, '│')
	}
	d.put(x, to, '▼')
}

// up is one from the frame at row to up to the one at row from.
func (d *drawing) up(x, from, to int) {
	d.line(x, from+1, to-1)
	d.leave(x, to, '┴')
	d.put(x, from, '▲')
}

// right is an arrow between the frames in columns from and to, with a word on it.
func (d *drawing) right(from, to, y int, word string) {
	d.horizontal(from+1, to-1, y, word)
	d.leave(from, y, '├')
	d.put(to-1, y, '►')
}

func (d *drawing) left(from, to, y int, word string) {
	d.horizontal(from+1, to-1, y, word)
	d.leave(to, y, '┤')
	d.put(from+1, y, '◄')
}

func (d *drawing) horizontal(from, to, y int, word string) {
	for x := from; x <= to; x++ {
		d.put(x, y, '─')
	}
	word = " " + word + " "
	d.text(from+(to-from+1-len(word))/2, y, word)
}

func (d *drawing) lines() []string {
	var list []string
	for _, row := range d {
		list = append(list, strings.TrimRight(string(row[:]), " "))
	}
	return list
}
