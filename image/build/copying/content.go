package copying

import (
	"io"
	"math"
	"sync"

	"golang.org/x/sys/unix"
)

const smallFile = 64 << 10

// copyContent copies a file's bytes, and leaves its holes as holes. A small file goes through memory, which takes the
// fewest calls; for a large one the kernel is asked to copy by itself, or not to copy at all but to share the blocks
// (btrfs, xfs).
func copyContent(dst, src int, st *unix.Stat_t, buffers *sync.Pool) error {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	if st.Size <= smallFile {
		return copyThrough(dst, src, 0, math.MaxInt64, *buffer)
	}
	if st.Blocks*512 >= st.Size {
		return copyRange(dst, src, 0, math.MaxInt64, *buffer)
	}
	for at := int64(0); at < st.Size; {
		data, err := unix.Seek(src, at, unix.SEEK_DATA)
		if err == unix.ENXIO {
			break // nothing but a hole up to the end
		}
		if err != nil {
			return err
		}
		hole, err := unix.Seek(src, data, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		if err := copyRange(dst, src, data, hole-data, *buffer); err != nil {
			return err
		}
		at = hole
	}
	return unix.Ftruncate(dst, st.Size)
}

// copyRange copies length bytes, or up to the end, to the same place in another file.
func copyRange(dst, src int, at, length int64, buffer []byte) error {
	const piece = 64 << 20
	for from, to := at, at; length > 0; {
		n, err := unix.CopyFileRange(src, &from, dst, &to, int(min(length, piece)), 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil { // other file systems, an old kernel, …: whatever it is, reading and writing tells what is really wrong
			return copyThrough(dst, src, from, length, buffer)
		}
		if n == 0 {
			return nil
		}
		length -= int64(n)
	}
	return nil
}

// copyThrough copies through memory.
func copyThrough(dst, src int, at, length int64, buffer []byte) error {
	for length > 0 {
		n, err := unix.Pread(src, buffer[:min(length, int64(len(buffer)))], at)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return err
		}
		for written := 0; written < n; {
			m, err := unix.Pwrite(dst, buffer[written:n], at+int64(written))
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return err
			}
			if m == 0 {
				return io.ErrShortWrite
			}
			written += m
		}
		at += int64(n)
		length -= int64(n)
	}
	return nil
}

// newBuffers is a pool of buffers for copyContent.
func newBuffers() *sync.Pool {
	return &sync.Pool{New: func() any {
		buffer := make([]byte, smallFile+1) // so that one read of a small file shows its end
		return &buffer
	}}
}
