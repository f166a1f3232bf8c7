package testscripts

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"runtime"

	"github.com/rogpeppe/go-internal/testscript"
)

// makeELF foreign|dynamic|crashing FILE writes the headers of a program: of another machine, of one that needs an interpreter
// which no image has, or of one that begins at an address where there is nothing. That is all that the kernel, and our diagnosis, look at.
func makeELF(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: elf foreign|dynamic|crashing FILE")
	}
	here, other := elf.EM_X86_64, elf.EM_AARCH64
	if runtime.GOARCH == "arm64" {
		here, other = other, here
	}
	header := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(here), Version: uint32(elf.EV_CURRENT),
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64,
	}
	const interpreter = "/lib/ld-none.so\x00"
	segment := elf.Prog64{Type: uint32(elf.PT_INTERP), Flags: uint32(elf.PF_R), Off: 120, Filesz: uint64(len(interpreter)), Memsz: uint64(len(interpreter)), Align: 1}
	switch args[0] {
	case "foreign":
		header.Machine = uint16(other)
	case "crashing":
		segment.Type, segment.Vaddr, segment.Align, segment.Off = uint32(elf.PT_LOAD), 0x400000, 0x1000, 0
		segment.Filesz, segment.Memsz = 120, 120
	}
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, header)
	binary.Write(&b, binary.LittleEndian, segment)
	b.WriteString(interpreter)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o755))
}
