package container

import (
	"encoding/json"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// lastWord is what is appended to the record of a container that is about to be removed, for those who wait for it and
// have that file open: they can read it to its end even when it has no name any more.
type lastWord struct{ ExitCode int }

// leaveWord writes it. Whoever reads the record meanwhile sees only the first value in the file.
func (e *Engine) leaveWord(r *Record) {
	handle := &kernel.Handle{}
	err := e.Door.Do(kernel.Step{
		Effect: kernel.Open{Path: e.Paths.record(r.ID), Flags: os.O_WRONLY | os.O_APPEND | unix.O_CLOEXEC, As: handle}, Section: "3.3",
		Why: kernel.Why{EN: "a last word for those who wait: the exit code", ZH: "给还在等待的命令留一句话:退出码"},
	})
	if err != nil {
		return
	}
	file := os.NewFile(uintptr(handle.Number()), "record")
	defer file.Close()
	json.NewEncoder(file).Encode(lastWord{r.State.ExitCode})
}

// Wait sleeps until the container is not running, and returns its exit code.
func (e *Engine) Wait(r *Record) (int, error) {
	file, err := os.Open(e.Paths.record(r.ID))
	if isMissing(err) {
		return 0, &ErrNotFound{r.PlainName()}
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if err := waitUnlocked(e.Paths.dir(r.ID)); err != nil {
		return 0, err
	}
	after, err := e.Get(r.ID)
	var removed *ErrNotFound
	if errors.As(err, &removed) {
		return readWord(file), nil
	}
	if err != nil {
		return 0, err
	}
	return after.State.ExitCode, nil
}

// readWord reads the exit code that was left in a record; that of a kill, when nobody could leave one.
func readWord(record *os.File) int {
	var r Record
	word := lastWord{exitKilled}
	decoder := json.NewDecoder(record)
	if decoder.Decode(&r) == nil && !r.State.Running {
		return r.State.ExitCode // it was removed long after its end
	}
	decoder.Decode(&word)
	return word.ExitCode
}
