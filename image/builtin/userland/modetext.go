package userland

import (
	"golang.org/x/sys/unix"
)

// modeText is the ten letters of ls -l: drwxr-xr-x.
func modeText(mode uint32) string {
	text := []byte("----------")
	text[0] = typeLetter(mode)
	for i, letter := range []byte("rwxrwxrwx") {
		if mode&(1<<(8-i)) != 0 {
			text[1+i] = letter
		}
	}
	special := func(bit uint32, at int, with, without byte) {
		if mode&bit == 0 {
			return
		}
		if text[at] == 'x' {
			text[at] = with
		} else {
			text[at] = without
		}
	}
	special(unix.S_ISUID, 3, 's', 'S')
	special(unix.S_ISGID, 6, 's', 'S')
	special(unix.S_ISVTX, 9, 't', 'T')
	return string(text)
}

func typeLetter(mode uint32) byte {
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return 'd'
	case unix.S_IFLNK:
		return 'l'
	case unix.S_IFCHR:
		return 'c'
	case unix.S_IFBLK:
		return 'b'
	case unix.S_IFIFO:
		return 'p'
	case unix.S_IFSOCK:
		return 's'
	}
	return '-'
}
