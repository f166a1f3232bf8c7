package container

import (
	"encoding/json"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// lastWord is what is appended to the record of a container that is about to be removed, for those who wait for it and
// have that file open: they can read it to its end even when it has no name any more. The record of one that runs may become another file
// meanwhile (rename, a health check): so it is written, too, into a file that is there if somebody waits.
type lastWord struct{ End End }

// leaveWord writes it. Whoever reads the record meanwhile sees only the first value in the file. The record comes first: who has made the
// other file too late for it reads the word there.
func (e *Engine) leaveWord(r *Record) {
	e.appendWord(e.Paths.record(r.ID), r)
	if word := e.Paths.word(r.ID); exists(word) {
		e.appendWord(word, r)
	}
}

func (e *Engine) appendWord(path string, r *Record) {
	handle := &kernel.Handle{}
	err := e.Door.Do(kernel.Step{
		Effect: kernel.Open{Path: path, Flags: os.O_WRONLY | os.O_APPEND | unix.O_CLOEXEC, As: handle}, Section: "3.3",
		Why: kernel.Why{EN: "a last word for those who wait: the exit code", ZH: "给还在等待的命令留一句话：退出码"},
	})
	if err != nil {
		return
	}
	file := os.NewFile(uintptr(handle.Number()), "word")
	defer file.Close()
	json.NewEncoder(file).Encode(lastWord{*r.State.End})
}

// awaited are the files that a last word is read from: the record, and the other one if the container is one that goes at its end.
type awaited struct{ record, word *os.File }

func (a awaited) Close() {
	a.record.Close()
	a.word.Close()
}

// Wait sleeps until the container has ended, even if its restart policy brings it back, and says how.
func (e *Engine) Wait(r *Record) (*End, error) {
	files, err := e.await(r)
	if err != nil {
		return nil, err
	}
	return e.waitWith(r, files)
}

// await opens the files that a last word will be left in.
func (e *Engine) await(r *Record) (files awaited, err error) {
	if r.HostConfig.AutoRemove && r.State.Running {
		handle := &kernel.Handle{}
		err := e.Door.Do(kernel.Step{
			Effect: kernel.Open{Path: e.Paths.word(r.ID), Flags: os.O_RDONLY | os.O_CREATE | unix.O_CLOEXEC, Mode: 0o600, As: handle}, Section: "3.3",
			Why: kernel.Why{EN: "it is removed at its end: its exit code will stand here", ZH: "容器结束时会被删除：退出码会写在这里"},
		})
		if err == nil { // where nothing can be written the record has to do
			files.word = os.NewFile(uintptr(handle.Number()), "word")
		}
	}
	if files.record, err = os.Open(e.Paths.record(r.ID)); err != nil {
		files.word.Close()
		if isMissing(err) {
			err = &ErrNotFound{r.PlainName()}
		}
	}
	return files, err
}

// waitWith is Wait with the files open, which it closes.
func (e *Engine) waitWith(r *Record, files awaited) (*End, error) {
	defer files.Close()
	for {
		if err := e.waitForNextEnd(r); err != nil {
			return nil, err
		}
		after, err := e.Get(r.ID)
		var removed *ErrNotFound
		switch {
		case errors.As(err, &removed):
			return files.read(), nil
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

// read is the end that was left; that of a kill, when nobody could leave one.
func (a awaited) read() *End {
	var r Record
	word := lastWord{End{ExitCode: exitKilled}}
	decoder := json.NewDecoder(a.record)
	if decoder.Decode(&r) == nil && !r.State.Running && r.State.End != nil {
		return r.State.End // it was removed long after its end
	}
	if decoder.Decode(&word) != nil && a.word != nil {
		json.NewDecoder(a.word).Decode(&word)
	}
	return &word.End
}
