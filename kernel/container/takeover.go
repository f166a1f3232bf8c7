package container

import (
	"encoding/json"
	"os"
	"path/filepath"

	"sandbox/cgroup"
	"sandbox/image"
	"sandbox/kernel"
	"sandbox/kernel/early"
)

// giveUp tells the client why.
func (m *monitor) giveUp(err error) {
	m.tellClient()
	m.client.release()
	m.client.say(frameFailed, []byte(err.Error()+"\x00"+kernel.CureOf(err)))
	m.client.flush()
}

// takeOver reads the record.
func (m *monitor) takeOver(b *early.Birth) error {
	paths := pathsOf(b.Dir)
	door := &kernel.Door{Process: "monitor", Language: os.Getenv("SANDBOX_LANG")}
	if b.Tell {
		door.Tell = func(r kernel.Record) {
			if line, err := json.Marshal(r); err == nil {
				m.untold = append(m.untold, line)
				m.tellClient()
			}
		}
	}
	m.engine = &Engine{Paths: paths, Door: door, Images: &image.Store{Dir: paths.State}, Host: ThisHost(), Groups: cgroup.Detect()}
	record := &Record{}
	if err := json.Unmarshal(b.Table.Rest(), record); err != nil {
		return err
	}
	m.record = record
	return nil
}

// tellClient tells it what has been done. Before the container's birth it does not listen.
func (m *monitor) tellClient() {
	if m.client == nil {
		return
	}
	for _, line := range m.untold {
		m.client.say(frameTell, line)
	}
	m.untold = nil
}

// pathsOf finds where things lie from a container's directory.
func pathsOf(dir string) Paths {
	paths := DefaultPaths(os.Getenv("SANDBOX_ROOT"))
	paths.State = filepath.Dir(filepath.Dir(dir))
	return paths
}
