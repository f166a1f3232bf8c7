package copying

import (
	"fmt"
	"io/fs"
	"sandbox/kernel"
	"strconv"
	"strings"

	mode "github.com/tonistiigi/dchapes-mode"
	"golang.org/x/sys/unix"
)

// modeChange turns a source's mode (st_mode, with the type) into the copy's permission bits.
type modeChange func(uint32) uint32

// parseMode reads --chmod: 644, 4755, u+x, go-w, a=rX.
func parseMode(text string) (modeChange, error) {
	if text == "" {
		return func(m uint32) uint32 { return m & 0o7777 }, nil
	}
	if octal, err := strconv.ParseUint(text, 8, 32); err == nil && octal <= 0o7777 {
		return func(uint32) uint32 { return uint32(octal) }, nil
	}
	// The library reads a text that begins with a digit as octal, with fewer bits than the reference allows.
	set, err := mode.ParseWithUmask(text, 0)
	if err != nil || strings.ContainsAny(text, "0123456789") {
		return nil, kernel.Advise(fmt.Errorf("--chmod=%s: not a mode", text), "write it in octal, from 0 to 7777, or as letters: --chmod=755, --chmod=u=rwX,go=rX")
	}
	return func(m uint32) uint32 { return permissions(set.Apply(fileMode(m))) }, nil
}

// fileMode and permissions translate between the kernel's mode and Go's.
func fileMode(m uint32) fs.FileMode {
	result := fs.FileMode(m & 0o777)
	for _, bit := range specialBits() {
		if m&bit.kernel != 0 {
			result |= bit.golang
		}
	}
	if m&unix.S_IFMT == unix.S_IFDIR {
		result |= fs.ModeDir
	}
	return result
}

func permissions(m fs.FileMode) uint32 {
	result := uint32(m.Perm())
	for _, bit := range specialBits() {
		if m&bit.golang != 0 {
			result |= bit.kernel
		}
	}
	return result
}

type specialBit struct {
	kernel uint32
	golang fs.FileMode
}

func specialBits() []specialBit {
	return []specialBit{{unix.S_ISUID, fs.ModeSetuid}, {unix.S_ISGID, fs.ModeSetgid}, {unix.S_ISVTX, fs.ModeSticky}}
}
