package container

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/image/carry"
	"sandbox/kernel"
	"sandbox/kernel/early"
)

// Files is a way to the files of a container, as it sees them itself, with all that is mounted in it.
//
// It is a process of this program in the container's mount namespace, which does what the client asks for (fileserver.go).
// To a running container it comes by setns. For one that does not run its layers and volumes are mounted once more, in a
// namespace of their own, as for a start. Either way / is the container's root: no link leads out of it. An ordinary user
// is root there, with all that root may do. The process is in none of the container's other namespaces, so that nobody
// in there can see it.
//
//	client ─── request (q), content (d) … its end (c) ───► sandbox-files
//	       ◄── content (d) …, answer (a) ─────────────────
type Files struct {
	pid  int
	to   *frameWriter
	in   *os.File // to the process
	out  *os.File // from it
	lock *os.File // of a container that does not run: it is not started meanwhile
}

const (
	frameRequest = 'q'
	frameAnswer  = 'a'
	frameContent = 'd'
	frameAbort   = 'b'
)

type fileRequest struct {
	Do     string // look, pack, unpack
	Path   string
	Follow bool   // look: a symbolic link at the end
	Name   string // pack: what it is called in the archive
	Owners bool   // unpack: as the archive says
}

type fileAnswer struct {
	Info  carry.Info
	Error string
}

// OpenFiles gets at a container's files, whether it runs or not.
func (e *Engine) OpenFiles(r *Record) (*Files, error) {
	f := &Files{}
	spec, err := e.loadSpecOf(r)
	if err != nil {
		return nil, err
	}
	b := &birth{spec: alone(spec), host: e.Host, rootfs: e.rootfsOf(r), view: e.Paths.view()}
	spawn := kernel.Spawn{Section: "3.2", Process: "container", Why: kernel.Why{EN: "a process that will see the container's files", ZH: "生出一个将要看到容器文件的进程"}}
	start := func() error { return f.start(e.Door, spawn) }
	if r.State.Running {
		pidfd, err := e.openRunning(r)
		if err != nil {
			return nil, err
		}
		defer unix.Close(pidfd)
		flags := b.joinFlags() & (unix.CLONE_NEWNS | unix.CLONE_NEWUSER)
		spawn.Steps = kernel.In("3.2", kernel.Because(kernel.Setns{FD: kernel.FD(pidfd), Flags: flags}, "it sees what the container has mounted", "看到的是容器里的挂载"))
		return f, whileItExecutes(r, pidfd, unix.ESRCH, start)
	}
	if f.lock, err = e.Lock(r); err != nil {
		return nil, err
	}
	if err = e.makeRoot(); err == nil { // after a reboot
		spawn.Namespaces = b.cloneFlags() & (unix.CLONE_NEWNS | unix.CLONE_NEWUSER)
		spawn.Steps = b.mountForFiles(r)
		err = start()
	}
	if err != nil {
		f.lock.Close()
	}
	return f, err
}

// loadSpecOf reads the container's config.json; there a container without a command is good enough.
func (e *Engine) loadSpecOf(r *Record) (*specs.Spec, error) {
	data, err := os.ReadFile(e.Paths.spec(r.ID))
	if err != nil {
		return nil, err
	}
	return decodeConfig(data)
}

// mountForFiles makes the container's root once more, as for a start, with nothing of it but what keeps files.
func (b *birth) mountForFiles(r *Record) []kernel.Step {
	for _, m := range b.spec.Mounts {
		own := slices.ContainsFunc(r.MountOptions, func(o MountOption) bool { return o.Target == m.Destination })
		switch {
		case !own:
		case m.Type == "volume":
			b.openFileSystem(m)
		case m.Type == "bind" && exists(m.Source):
			b.bind(m)
		}
	}
	var steps []kernel.Step
	for _, part := range [][]kernel.Step{
		b.mapUsers(),
		kernel.In("3.2", kernel.Because(kernel.Umask{}, "", "")),
		b.openShared(),
		b.mountRoot(),
		b.openVolumes(),
		b.pivot(),
		b.attachVolumes(),
		b.leaveOldRoot(),
		b.freezeRoot(),
	} {
		steps = append(steps, part...)
	}
	return steps
}

// start starts the process.
func (f *Files) start(door *kernel.Door, spawn kernel.Spawn) error {
	self, err := unix.Open("/proc/self/exe", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(self)
	theirIn, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return err
	}
	defer theirOut.Close()
	spawn.Steps = append(spawn.Steps, kernel.In("3.2",
		kernel.Because(kernel.Dup{From: kernel.FD(int(theirIn.Fd())), To: 0}, "files go in here …", "文件从这里进……"),
		kernel.Because(kernel.Dup{From: kernel.FD(int(theirOut.Fd())), To: 1}, "… and out there", "……从那里出"),
		kernel.Because(kernel.Umask{}, "modes are what the archive says", "权限以归档里的为准"),
	)...)
	spawn.Programs = kernel.In("3.2", kernel.Because(kernel.Execve{FD: self, Argv: []string{early.FilesName}},
		"this same program, by its descriptor: it has no name in the container", "还是这个程序，通过描述符执行：容器里没有它的名字"))
	b, err := door.Spawn(spawn)
	if err == nil {
		err = b.Failure()
	}
	if err != nil {
		if b != nil && b.PID != 0 {
			unix.Wait4(b.PID, nil, 0, nil)
		}
		in.Close()
		out.Close()
		return err
	}
	f.pid, f.in, f.out, f.to = b.PID, in, out, &frameWriter{w: in}
	return nil
}

// Close ends the process.
func (f *Files) Close() {
	f.in.Close()
	f.out.Close()
	unix.Wait4(f.pid, nil, 0, nil)
	if f.lock != nil {
		f.lock.Close()
	}
}

var errFilesGone = errors.New("the process in the container was killed")

func (f *Files) ask(request fileRequest) error {
	data, err := json.Marshal(request)
	if err == nil {
		err = f.to.write(frameRequest, data)
	}
	return err
}

// answer reads content, for which there is w, and then the answer.
func (f *Files) answer(w io.Writer) (carry.Info, error) {
	var buffer []byte
	var failed error
	for {
		kind, content, grown, err := readFrame(f.out, buffer)
		if err != nil {
			return carry.Info{}, errFilesGone
		}
		buffer = grown
		switch {
		case kind == frameAnswer:
			var a fileAnswer
			if err := json.Unmarshal(content, &a); err != nil {
				return carry.Info{}, err
			}
			if a.Error != "" {
				failed = errors.Join(errors.New(a.Error), failed)
			}
			return a.Info, failed
		case failed == nil && w != nil:
			if _, failed = w.Write(content); failed != nil {
				return carry.Info{}, failed // nobody reads on: the process ends with us
			}
		}
	}
}

// Look finds out what is at a path in the container.
func (f *Files) Look(path string, follow bool) (carry.Info, error) {
	if err := f.ask(fileRequest{Do: "look", Path: path, Follow: follow}); err != nil {
		return carry.Info{}, errFilesGone
	}
	return f.answer(nil)
}

// Pack writes a file or directory of the container as an archive, as carry.Pack does.
func (f *Files) Pack(w io.Writer, path, name string) error {
	if err := f.ask(fileRequest{Do: "pack", Path: path, Name: name}); err != nil {
		return errFilesGone
	}
	_, err := f.answer(w)
	return err
}

// Unpack writes what is in an archive into a directory of the container, as carry.Unpack does.
func (f *Files) Unpack(r io.Reader, dir string, owners bool) error {
	if err := f.ask(fileRequest{Do: "unpack", Path: dir, Owners: owners}); err != nil {
		return errFilesGone
	}
	_, copyErr := io.Copy(contentWriter{f.to}, r)
	end := byte(frameEOF)
	if copyErr != nil {
		end = frameAbort
	}
	f.to.write(end, nil)
	_, err := f.answer(nil)
	if copyErr != nil && err != errFilesGone {
		return copyErr
	}
	return err
}

// contentWriter sends what is written as frames.
type contentWriter struct{ to *frameWriter }

func (c contentWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		piece := p[n:min(len(p), n+maxFrame/2)]
		if err := c.to.write(frameContent, piece); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, nil
}
