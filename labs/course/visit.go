package course

import (
	"context"
	"fmt"
	"slices"
)

// move says where to go when a section is left.
type move int

const (
	forward move = iota
	back
	leave
	stay
)

// stop is a place to pause at: prose, and then a step. The last stop of a section has no step.
type stop struct {
	prose []string
	step  *Step
}

func stops(section *Section) []stop {
	list := []stop{{}}
	for _, part := range section.Parts {
		last := &list[len(list)-1]
		if part.Step == nil {
			last.prose = append(last.prose, part.Text)
			continue
		}
		last.step = part.Step
		list = append(list, stop{})
	}
	return list
}

// visit is one way through a section.
type visit struct {
	*walk
	stops  []stop
	at     int
	told   bool           // the prose of this stop has been shown
	asking bool           // its question has not been answered yet
	guess  int            // the learner's answer to that question, or -1
	out    map[*Step]bool // left out, so that there is nothing to go back to
	done   []*Step        // in the order in which they were run
}

// section shows a section and runs its steps. Whichever way it is left, what its steps did is undone, so that each
// section begins in the same world. Not so an exercise: what has been done there is the learner's own.
func (w *walk) section(ctx context.Context, section *Section) (to move, err error) {
	w.heading(2, section.heading())
	if section.Exercise != nil {
		return w.exercise(ctx, section)
	}
	v := &visit{walk: w, stops: stops(section), out: map[*Step]bool{}}
	// A visit that was killed has not been able to tidy up.
	if err := w.undo(ctx, section.steps()...); err != nil {
		return leave, err
	}
	defer func() {
		if undoing := w.undo(context.WithoutCancel(ctx), v.done...); err == nil {
			err = undoing
		}
	}()
	for v.at < len(v.stops) {
		step := v.stops[v.at].step
		given, err := v.given(ctx, step)
		if err != nil {
			return leave, err
		}
		key, err := v.tell(ctx, given)
		if err != nil {
			return leave, err
		}
		if !given && key == "" {
			v.leaveOut(step)
			v.out[step] = true
			v.moveTo(v.at + 1)
			continue
		}
		if key == "" {
			if key, err = w.pause(ctx, step, v.last() != nil); err != nil {
				return leave, err
			}
		}
		if to, err := v.act(ctx, key); err != nil || to != stay {
			return to, err
		}
	}
	return forward, nil
}

// tell shows the prose of a stop and, unless its step is left out, asks the step's question; but not again when the learner
// has only repeated the step before it. It returns the key that was pressed instead of an answer, if one was.
func (v *visit) tell(ctx context.Context, given bool) (key string, err error) {
	step := v.stops[v.at].step
	if !v.told {
		for _, text := range v.stops[v.at].prose {
			v.show(text)
		}
		v.told, v.guess = true, -1
		v.asking = given && step != nil && step.Predict != nil
	}
	if v.asking {
		v.guess, key, err = v.predict(ctx, step.Predict, v.last() != nil)
		v.asking = key != ""
	}
	return key, err
}

// moveTo goes to another stop.
func (v *visit) moveTo(at int) { v.at, v.told = at, false }

// last is the step that can be repeated, or nil.
func (v *visit) last() *Step {
	if n := len(v.done); n > 0 && !v.done[n-1].Setup {
		return v.done[n-1]
	}
	return nil
}

// act does what a key asks for.
func (v *visit) act(ctx context.Context, key string) (move, error) {
	switch key {
	case "q":
		return leave, nil
	case "b":
		return v.back(ctx)
	case "r":
		last := v.last()
		if err := v.undo(ctx, last); err != nil {
			return stay, err
		}
		v.showStep(last)
		return stay, v.perform(ctx, last, -1)
	case "s":
		fmt.Fprintln(v.Out)
		v.moveTo(v.at + 1)
		return stay, nil
	}
	step, guess := v.stops[v.at].step, v.guess
	v.moveTo(v.at + 1)
	if step == nil {
		return stay, nil
	}
	v.done = append(v.done, step)
	return stay, v.perform(ctx, step, guess)
}

// back goes to the last step that the learner was asked about, and undoes what has been done since.
func (v *visit) back(ctx context.Context) (move, error) {
	to := v.at - 1
	for to >= 0 && (v.stops[to].step.Setup || v.out[v.stops[to].step]) {
		to--
	}
	if to < 0 {
		return back, nil
	}
	v.moveTo(to)
	i := slices.Index(v.done, v.stops[v.at].step)
	if i < 0 { // it had been skipped
		return stay, nil
	}
	undone := v.done[i:]
	v.done = v.done[:i]
	return stay, v.undo(ctx, undone...)
}
