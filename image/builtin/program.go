package builtin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// thisProgram is the running program's file, even if it has been deleted since.
const thisProgram = "/proc/self/exe"

// programFiles are a copy of this program at a path of the image, and what it needs to run. Most of the time it needs
// nothing; `go run` on a machine with a C compiler makes a dynamically linked program.
func programFiles(path string) ([]tarFile, error) {
	file, err := elf.Open(thisProgram)
	if err != nil {
		return nil, fmt.Errorf("cannot read the running program: %w", err)
	}
	defer file.Close()
	files := []tarFile{stripped(path, file)}
	libraries, err := librariesOf(file)
	if err != nil {
		return nil, err
	}
	for _, library := range libraries {
		info, err := os.Stat(library)
		if err != nil {
			return nil, err
		}
		files = append(files, tarFile{
			name: strings.TrimPrefix(library, "/"), mode: 0o755, size: info.Size(),
			content: func() (io.ReadCloser, error) { return os.Open(library) },
		})
	}
	return files, nil
}

// stripped is the part of the program that the kernel maps into memory, which comes first in the file. Behind it are the
// table of symbols, debugging information and the table of sections: half of the file, and for debuggers only.
func stripped(path string, file *elf.File) tarFile {
	end := uint64(0)
	for _, segment := range file.Progs {
		end = max(end, segment.Off+segment.Filesz)
	}
	return tarFile{name: path, mode: 0o755, size: int64(end), content: func() (io.ReadCloser, error) {
		program, err := os.Open(thisProgram)
		if err != nil {
			return nil, err
		}
		var header elf.Header64
		if err := binary.Read(program, file.ByteOrder, &header); err != nil {
			program.Close()
			return nil, err
		}
		header.Shoff, header.Shentsize, header.Shnum, header.Shstrndx = 0, 0, 0, 0 // there is no table of sections
		var start bytes.Buffer
		binary.Write(&start, file.ByteOrder, header)
		rest := io.LimitReader(program, int64(end)-int64(start.Len()))
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(&start, rest), program}, nil
	}}
}

// librariesOf lists the files that a dynamically linked program needs: its ELF interpreter, which loads it, and shared
// libraries, and those that they need themselves. The paths are the ones by which the interpreter looks for them.
func librariesOf(program *elf.File) ([]string, error) {
	interpreter := interpreterOf(program)
	if interpreter == "" {
		return nil, nil
	}
	found := []string{interpreter}
	needed, err := program.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	directories := libraryDirectories(interpreter)
	for len(needed) > 0 {
		name := needed[0]
		needed = needed[1:]
		if slices.ContainsFunc(found, func(path string) bool { return filepath.Base(path) == name }) {
			continue
		}
		path, more, err := findLibrary(name, directories, program.Machine)
		if err != nil {
			return nil, err
		}
		found, needed = append(found, path), append(needed, more...)
	}
	slices.Sort(found[1:])
	return found, nil
}

func interpreterOf(program *elf.File) string {
	for _, segment := range program.Progs {
		if segment.Type == elf.PT_INTERP {
			path, _ := io.ReadAll(segment.Open())
			return string(bytes.TrimRight(path, "\x00"))
		}
	}
	return ""
}

// findLibrary searches the directories for a library for this machine, and says which ones it needs in turn.
func findLibrary(name string, directories []string, machine elf.Machine) (path string, needed []string, err error) {
	for _, dir := range directories {
		path := filepath.Join(dir, name)
		library, err := elf.Open(path)
		if err != nil || library.Machine != machine {
			continue
		}
		defer library.Close()
		needed, err := library.ImportedLibraries()
		return path, needed, err
	}
	return "", nil, fmt.Errorf("the running program is dynamically linked, and its library %s is not in %s: build it with CGO_ENABLED=0",
		name, strings.Join(directories, ", "))
}

// libraryDirectories are those in which every C library looks without a cache or a configuration file, neither of which
// the image has: the interpreter's own, and those that distributions build in.
func libraryDirectories(interpreter string) []string {
	directories := []string{filepath.Dir(interpreter)}
	multiarch, _ := filepath.Glob("/lib/*-linux-*")
	more, _ := filepath.Glob("/usr/lib/*-linux-*")
	return append(append(append(directories, multiarch...), more...), "/lib64", "/usr/lib64", "/lib", "/usr/lib")
}
