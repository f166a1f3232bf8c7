package layer

import (
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// PackOptions say how Pack writes.
type PackOptions struct {
	ClampTime *time.Time // later modification times become this one (SOURCE_DATE_EPOCH); nil: all stay
}

func Pack(w io.Writer, dir string, o PackOptions) error { return unix.ENOSYS }

type Change struct {
	Kind byte
	Path string
}

func Changes(upper string, lower []string) ([]Change, error) { return nil, unix.ENOSYS }

func Export(w io.Writer, dirs []string) error { return unix.ENOSYS }

func Waste(dirs []string) ([]int64, error) { return nil, unix.ENOSYS }
