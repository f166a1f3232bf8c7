package userland

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// modeChange turns a file's old mode into its new one. A capital X in a symbolic mode needs to know about directories.
type modeChange func(old uint32, isDir bool) uint32

// parseMode reads 755, 4755, u+x, go-w, a=rX, u=rw,go=r, +t, g=u.
func parseMode(text string) (modeChange, error) {
	if octal, err := strconv.ParseUint(text, 8, 32); err == nil && octal <= 0o7777 {
		return func(uint32, bool) uint32 { return uint32(octal) }, nil
	}
	umask := uint32(unix.Umask(0))
	unix.Umask(int(umask))
	var changes []modeChange
	for clause := range strings.SplitSeq(text, ",") {
		change, err := parseClause(clause, umask)
		if err != nil {
			return nil, fmt.Errorf("invalid mode: '%s'", text)
		}
		changes = append(changes, change)
	}
	return func(mode uint32, isDir bool) uint32 {
		for _, change := range changes {
			mode = change(mode, isDir)
		}
		return mode
	}, nil
}

var errBadMode = errors.New("invalid mode")

// parseClause reads who, and then one or more operations: u=rw, +x, go-w+x.
func parseClause(clause string, umask uint32) (modeChange, error) {
	at := strings.IndexAny(clause, "+-=")
	if at < 0 || strings.Trim(clause[:at], "ugoa") != "" {
		return nil, errBadMode
	}
	who := clause[:at]
	mask := whoMask(who)
	unmasked := umask
	if who != "" {
		unmasked = 0 // only where nobody is named does the umask count
	}
	var changes []modeChange
	for rest := clause[at:]; rest != ""; {
		operator := rest[0]
		end := strings.IndexAny(rest[1:], "+-=") + 1
		if end == 0 {
			end = len(rest)
		}
		letters := rest[1:end]
		rest = rest[end:]
		if strings.Trim(letters, "rwxXstugo") != "" {
			return nil, errBadMode
		}
		changes = append(changes, func(mode uint32, isDir bool) uint32 {
			bits := letterBits(letters, mode, isDir) & mask &^ unmasked
			switch operator {
			case '+':
				return mode | bits
			case '-':
				return mode &^ bits
			}
			return mode&^mask | bits
		})
	}
	return func(mode uint32, isDir bool) uint32 {
		for _, change := range changes {
			mode = change(mode, isDir)
		}
		return mode
	}, nil
}

func whoMask(who string) uint32 {
	if who == "" || strings.Contains(who, "a") {
		return 0o7777
	}
	mask := uint32(0)
	for _, class := range who {
		switch class {
		case 'u':
			mask |= 0o4700
		case 'g':
			mask |= 0o2070
		case 'o':
			mask |= 0o1007
		}
	}
	return mask
}

// letterBits gives the letters' bits for all three classes; the caller keeps those it means.
func letterBits(letters string, mode uint32, isDir bool) uint32 {
	bits := uint32(0)
	for _, letter := range letters {
		switch letter {
		case 'r':
			bits |= 0o444
		case 'w':
			bits |= 0o222
		case 'x':
			bits |= 0o111
		case 'X':
			if isDir || mode&0o111 != 0 {
				bits |= 0o111
			}
		case 's':
			bits |= 0o6000
		case 't':
			bits |= 0o1000
		case 'u':
			bits |= (mode >> 6 & 7) * 0o111
		case 'g':
			bits |= (mode >> 3 & 7) * 0o111
		case 'o':
			bits |= (mode & 7) * 0o111
		}
	}
	return bits
}
