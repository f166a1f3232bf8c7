package container

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Docker's exit codes for what never ran.
const (
	exitCannotExecute = 126
	exitNotFound      = 127
)

// explainExec says why none of the programs could be executed. The process that tried is held: it still has the
// container's root file system, mounts and all, and /proc/PID/root leads into it.
func (e *Engine) explainExec(r *Record, spawn kernel.Spawn, b *kernel.Birth) error {
	errnos := b.ProgramErrors()
	root := fmt.Sprintf("/proc/%d/root", cmp.Or(b.Forked(), b.PID))
	tried := len(errnos) - 1
	for i, errno := range errnos {
		if errno != unix.ENOENT && errno != unix.ENOTDIR || existsInRoot(root, execveOf(spawn, i).Path) { // it may be its interpreter that is missing
			tried = i
			break
		}
	}
	return explainProgram(root, execveOf(spawn, tried), errnos[tried], len(errnos) > 1)
}

func execveOf(spawn kernel.Spawn, i int) kernel.Execve {
	return spawn.Programs[i].Effect.(kernel.Execve)
}

// explainProgram looks at the program that errno came from.
func explainProgram(root string, program kernel.Execve, errno unix.Errno, searched bool) error {
	name := program.Argv[0]
	file, info, err := openInRoot(root, program.Path)
	if err == nil {
		defer file.Close()
	}
	switch {
	case err != nil && searched:
		return execProblem(exitNotFound, fmt.Sprintf("%q: executable file not found in $PATH", name),
			"is it in the image?  sandbox run --rm IMAGE ls /bin /usr/bin")
	case err != nil:
		return execProblem(exitNotFound, fmt.Sprintf("%q: no such file or directory", name), "is it in the image?  sandbox run --rm IMAGE ls "+path.Dir(name))
	case info.IsDir():
		return execProblem(exitCannotExecute, fmt.Sprintf("%q is a directory", name), "name a program in it")
	}
	if errno == unix.EACCES && info.Mode()&0o111 == 0 {
		return execProblem(exitCannotExecute, fmt.Sprintf("%q: permission denied: the file is not executable", name),
			"chmod +x it in the image, or name the program that reads it: sh "+name)
	}
	if cause, cure, code := lookInside(file, root, name, errno); cause != "" {
		return execProblem(code, cause, cure)
	}
	return execProblem(exitCannotExecute, fmt.Sprintf("%q: %v", name, errno), "")
}

func execProblem(code int, cause, cure string) error {
	return &kernel.Advice{Cause: errors.New("cannot execute " + cause), Cure: cure, Code: code}
}

// lookInside reads the beginning of the file: a script's first line, an ELF header.
func lookInside(file *os.File, root, name string, errno unix.Errno) (cause, cure string, code int) {
	head := make([]byte, 256)
	n, _ := file.ReadAt(head, 0)
	head = head[:n]
	switch {
	case n == 0:
		return fmt.Sprintf("%q: the file is empty", name), "put a program or a script with a #! line into it", exitCannotExecute
	case bytes.HasPrefix(head, []byte("#!")):
		return explainScript(head, root, name, errno)
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		return explainELF(file, root, name, errno)
	case errno == unix.ENOEXEC:
		return fmt.Sprintf("%q: exec format error: neither an ELF program nor a script with a #! line", name),
			"begin a script with #!/bin/sh, or run it with: sh " + name, exitCannotExecute
	}
	return "", "", 0
}

func explainScript(head []byte, root, name string, errno unix.Errno) (cause, cure string, code int) {
	line, _, _ := bytes.Cut(head[2:], []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		return fmt.Sprintf("%q: its first line ends with CR LF, so the kernel looks for the interpreter %q", name, strings.TrimSpace(string(line[:len(line)-1]))+`\r`),
			`give the file Unix line ends: sed -i 's/\r$//' ` + path.Base(name), exitNotFound
	}
	fields := strings.Fields(string(line))
	if len(fields) == 0 {
		return fmt.Sprintf("%q: its first line names no interpreter", name), "begin it with #!/bin/sh", exitCannotExecute
	}
	if f, _, err := openInRoot(root, fields[0]); err != nil {
		return fmt.Sprintf("%q: its interpreter %s is not in the image", name, fields[0]), "install it in the image, or change the first line of the script", exitNotFound
	} else {
		f.Close()
	}
	return fmt.Sprintf("%q: its interpreter %s: %v", name, fields[0], errno), "try to run the interpreter itself", exitCannotExecute
}

func explainELF(file *os.File, root, name string, errno unix.Errno) (cause, cure string, code int) {
	program, err := elf.NewFile(io.NewSectionReader(file, 0, 1<<40))
	if err != nil {
		return fmt.Sprintf("%q: a damaged ELF program: %v", name, err), "build or copy it again", exitCannotExecute
	}
	if want := machine(); program.Machine != want {
		return fmt.Sprintf("%q: exec format error: it is for %s, this machine is %s", name, architecture(program.Machine), runtime.GOARCH),
			"take an image for linux/" + runtime.GOARCH, exitCannotExecute
	}
	for _, p := range program.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		data := make([]byte, min(p.Filesz, 4096))
		p.ReadAt(data, 0)
		interpreter := string(bytes.TrimRight(data, "\x00"))
		if f, _, err := openInRoot(root, interpreter); err != nil {
			return fmt.Sprintf("%q: it is dynamically linked and its ELF interpreter %s is not in the image", name, interpreter),
				"link it statically (Go: CGO_ENABLED=0), or take an image with that C library", exitNotFound
		} else {
			f.Close()
		}
	}
	return "", "", 0
}

func machine() elf.Machine {
	if runtime.GOARCH == "arm64" {
		return elf.EM_AARCH64
	}
	return elf.EM_X86_64
}

func architecture(m elf.Machine) string {
	names := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_ARM: "arm", elf.EM_386: "386", elf.EM_RISCV: "riscv64", elf.EM_PPC64: "ppc64le", elf.EM_S390: "s390x"}
	if name, ok := names[m]; ok {
		return name
	}
	return m.String()
}

// adviseFlag adds to the failure of a step, where the step comes from one of the user's flags, what to do about it.
func adviseFlag(failure error) error {
	var call *kernel.CallError
	if !errors.As(failure, &call) || len(call.Call.Args) == 0 {
		return failure
	}
	first := strings.Trim(call.Call.Args[0], `"`)
	switch {
	case call.Call.Name == "write" && strings.HasPrefix(first, "/proc/sys/"):
		return kernel.Advise(failure, "is the name or the value of --sysctl wrong?  ls %s", path.Dir(first))
	case call.Call.Name == "prlimit64" && call.Errno == unix.EPERM:
		return kernel.Advise(failure, "--ulimit cannot be above what sandbox itself has: ulimit -a -H")
	case call.Call.Name == "chdir" && call.Errno == unix.ENOTDIR:
		return kernel.Advise(failure, "the working directory is a file in the image: choose another with -w")
	}
	return failure
}

// openInRoot opens a file inside another root directory; no link in it leads out (openat2(2), Linux 5.6).
func openInRoot(root, name string) (*os.File, os.FileInfo, error) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(dir)
	fd, err := unix.Openat2(dir, name, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK, Resolve: unix.RESOLVE_IN_ROOT})
	if err != nil {
		return nil, nil, err
	}
	file := os.NewFile(uintptr(fd), name)
	info, err := file.Stat()
	return file, info, err
}

func existsInRoot(root, name string) bool {
	file, _, err := openInRoot(root, name)
	if err == nil {
		file.Close()
	}
	return err == nil
}
