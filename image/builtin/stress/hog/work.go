package hog

import (
	"math"
	"strconv"
	"syscall"
)

// useProcessor computes square roots. The comparison keeps the compiler from leaving out what nobody looks at.
func useProcessor(Order) int {
	for n := 1.0; ; n++ {
		if math.Sqrt(n) < 0 {
			return 1
		}
	}
}

// useSync has everything that is not on disk yet written there.
func useSync(Order) int {
	for {
		syscall.Sync()
	}
}

// useMemory asks for memory and touches it: what has not been touched takes no memory, whatever was asked for.
func useMemory(o Order) int {
	size := " " + strconv.FormatInt(o.Bytes, 10) + " bytes"
	var memory []byte
	for {
		if memory == nil {
			debug("allocating" + size + " ...")
			var err error
			if memory, err = syscall.Mmap(-1, 0, int(o.Bytes), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE); err != nil {
				return fail("hogvm malloc failed", err)
			}
		}
		debug("touching bytes in strides of " + strconv.FormatInt(o.Stride, 10) + " bytes ...")
		for i := int64(0); i < o.Bytes; i += o.Stride {
			memory[i] = 'Z'
		}
		switch {
		case o.Hang == 0:
			debug("sleeping forever with allocated memory")
			sleepForEver()
		case o.Hang > 0:
			debug("sleeping for " + strconv.FormatInt(o.Hang, 10) + "s with allocated memory")
			sleep(o.Hang * 1e6)
		}
		for i := int64(0); i < o.Bytes; i += o.Stride {
			if memory[i] != 'Z' {
				say(2, "FAIL", "memory corruption at: byte "+strconv.FormatInt(i, 10))
				return 1
			}
		}
		if o.Keep != 0 {
			continue
		}
		syscall.Munmap(memory)
		memory = nil
		debug("freed" + size)
	}
}

// chunk is how much is written at a time: not a multiple of any page or sector.
const chunk = 1<<20 - 1

// useDisk writes files in its working directory. They have no names, so that nothing stays behind when the worker is ended.
func useDisk(o Order) int {
	debug("seeding " + strconv.Itoa(chunk) + " byte buffer with random data")
	random := newRandom()
	buffer, err := syscall.Mmap(-1, 0, chunk, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return fail("hoghdd malloc failed", err)
	}
	for i := range buffer {
		buffer[i] = ' ' + byte(random()%95)
	}
	for {
		fd, name, err := nameless(random)
		if err != nil {
			return fail("cannot make the file "+name, err)
		}
		debug("opened " + name + " for writing " + strconv.FormatInt(o.Bytes, 10) + " bytes")
		if err := write(fd, buffer, o.Bytes); err != nil {
			return fail("write failed", err)
		}
		debug("closing " + name + " after " + strconv.FormatInt(o.Bytes, 10) + " bytes")
		syscall.Close(fd)
	}
}

// tmpfile is O_TMPFILE (Linux 3.11; package syscall does not have it): a file in a directory, without a name.
const tmpfile = 0o20000000 | syscall.O_DIRECTORY

// nameless makes a file without a name; on file systems that have none such, one that loses its name as soon as it has one.
func nameless(random func() uint64) (fd int, name string, err error) {
	if fd, err = syscall.Open(".", tmpfile|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600); err == nil {
		return fd, "a file without a name", nil
	}
	for {
		name = "./stress." + strconv.FormatUint(random()%(36*36*36*36*36*36), 36)
		fd, err = syscall.Open(name, syscall.O_CREAT|syscall.O_EXCL|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
		if err == syscall.EEXIST {
			continue
		}
		if err == nil {
			err = syscall.Unlink(name)
		}
		return fd, name, err
	}
}

// write writes the buffer again and again.
func write(fd int, buffer []byte, amount int64) error {
	for left := amount; left > 0; {
		n, err := syscall.Write(fd, buffer[:min(left, chunk)])
		if err != nil && err != syscall.EINTR {
			return err
		}
		left -= int64(max(n, 0))
	}
	return nil
}

// newRandom is a generator of numbers that need not be good ones (xorshift64), another in each process.
func newRandom() func() uint64 {
	var now syscall.Timeval
	syscall.Gettimeofday(&now)
	x := uint64(now.Nano())<<16 ^ uint64(syscall.Getpid()) | 1
	return func() uint64 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		return x
	}
}
