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
type lastWord struct{ End End }

// leaveWord writes it. Whoever reads the record meanwhile sees only the first value in the file.
func (e *Engine) leaveWord(r *Record) {
	handle := &kernel.Handle{}
	err := e.Door.Do(kernel.Step{
		Effect: kernel.Open{Path: e.Paths.record(r.ID), Flags: os.O_WRONLY | os.O_APPEND | unix.O_CLOEXEC, As: handle}, Section: "3.3",
		Why: kernel.Why{EN: "a last word for those who wait: the exit code", ZH: "给还在等待的命令留一句话：退出码"},
	})
	if err != nil {
		return
	}
	file := os.NewFile(uintptr(handle.Number()), "record")
	defer file.Close()
	json.NewEncoder(file).Encode(lastWord{*r.State.End})
}

// Wait sleeps until the container has ended, even if its restart policy brings it back, and says how.
func (e *Engine) Wait(r *Record) (*End, error) {
	file, err := e.openRecord(r)
	if err != nil {
		return nil, err
	}
	return e.waitWith(r, file)
}

// openRecord opens the file that a last word will be left in.
func (e *Engine) openRecord(r *Record) (*os.File, error) {
	file, err := os.Open(e.Paths.record(r.ID))
	if isMissing(err) {
		err = &ErrNotFound{r.PlainName()}
	}
	return file, err
}

// waitWith is Wait with the record's file open, which it closes.
func (e *Engine) waitWith(r *Record, file *os.File) (*End, error) {
	defer file.Close()
	for {
		if err := e.waitForNextEnd(r); err != nil {
			return nil, err
		}
		after, err := e.Get(r.ID)
		var removed *ErrNotFound
		switch {
		case errors.As(err, &removed):
			return readWord(file), nil
		case err != nil:
			return nil, err
		case after.State.Running && after.State.Born == r.State.Born && !after.State.End.isAfter(r.State.End):
			// Its monitor was killed, and somebody else, who has the lock now, is putting the record right.
		case after.State.End == nil:
			return &End{ExitCode: after.State.ExitCode}, nil
		default:
			return after.State.End, nil
		}
	}
}

// waitForNextEnd sleeps until the lock is free, or, where the monitor may keep it and bring the container back, until the record
// tells of another end than now.
func (e *Engine) waitForNextEnd(r *Record) error {
	if !r.State.Running || !r.HostConfig.RestartPolicy.Asks() {
		return waitUnlocked(e.Paths.dir(r.ID))
	}
	changed, stop := watchDirectory(e.Paths.dir(r.ID))
	defer stop()
	free := make(chan error, 1)
	go func() { free <- waitUnlocked(e.Paths.dir(r.ID)) }()
	for {
		now, err := e.Paths.load(r.ID)
		if err != nil || !now.State.Running || now.State.End.isAfter(r.State.End) {
			return nil
		}
		select {
		case err := <-free:
			return err
		case <-changed:
		}
	}
}

func (end *End) isAfter(other *End) bool {
	return end != nil && (other == nil || end.Time.After(other.Time.Time))
}

// readWord reads the end that was left in a record; that of a kill, when nobody could leave one.
func readWord(record *os.File) *End {
	var r Record
	word := lastWord{End{ExitCode: exitKilled}}
	decoder := json.NewDecoder(record)
	if decoder.Decode(&r) == nil && !r.State.Running && r.State.End != nil {
		return r.State.End // it was removed long after its end
	}
	decoder.Decode(&word)
	return &word.End
}
