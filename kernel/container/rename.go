package container

import (
	"errors"
	"strings"

	"sandbox/kernel"
)

// Rename gives a container another name. The new one is reserved first and the old one freed last, so that the container has a
// name at every moment; whoever finds a link that the record does not speak of takes it away (freeDangling).
func (e *Engine) Rename(r *Record, name string) error {
	name = strings.TrimPrefix(name, "/")
	if err := checkName(name); err != nil {
		return err
	}
	old := ""
	renamed, err := e.change(r.ID, true, func(r *Record) error {
		if old = r.PlainName(); old == name {
			return kernel.Advise(errors.New("renaming a container with the same name as its current name"), "choose another name")
		}
		r.Name = "/" + name
		if err := e.reserveName(name, r.ID); err != nil {
			return err
		}
		for _, a := range r.Networks { // others find it there by its name
			if a.Endpoint != nil {
				if err := e.Networks().Rename(a.Network, a.Endpoint, name); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		if reserved, _ := e.Paths.resolve(name); reserved == r.ID && old != name { // it could not be recorded
			e.Door.Do(kernel.Step{Effect: kernel.Remove{Path: e.Paths.nameOf(name)}, Section: "3.3", Optional: true})
		}
		return err
	}
	e.Door.Do(kernel.Step{
		Effect: kernel.Remove{Path: e.Paths.nameOf(old)}, Section: "3.3", Optional: true,
		Why: kernel.Why{EN: "the old name is free again", ZH: "旧名字又可以用了"},
	})
	e.Event(renamed.Event("rename", "oldName", "/"+old))
	return nil
}
