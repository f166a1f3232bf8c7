package birth

import (
	"syscall"
	"unsafe"
)

// Builder lays out a table. Strings, structures and arrays that system calls point to are copied into the table's
// data; an address is an offset until Load.
type Builder struct {
	Clone CloneArgs
	rows  []Row
	data  []byte
	refs  []ref
	hold  int
}

// ref is a word that holds an address: a row's argument (or From), or a word in the data.
type ref struct {
	row    int // inData: the word is in the data; below 0: a row before the first
	word   int // argument number, 6 for From, or the offset in the data
	target Pointer
}

const inData = 1 << 30

// Pointer is an address in the table that is being built: an offset into its data, or a row's Result.
type Pointer struct {
	offset int
	row    int // if not 0: row-1's Result instead
}

// IsNil tells whether p points nowhere.
func (p Pointer) IsNil() bool { return p == Pointer{} }

// NewBuilder starts an empty table.
func NewBuilder() *Builder {
	// The first word of the data is left unused so that no Pointer is the zero one.
	return &Builder{data: make([]byte, 8, 8192), hold: -1}
}

// String copies s with the zero byte that ends it for the kernel.
func (b *Builder) String(s string) Pointer {
	at := len(b.data)
	b.data = append(append(b.data, s...), 0)
	return Pointer{offset: at}
}

// Bytes copies data, aligned to a word.
func (b *Builder) Bytes(data []byte) Pointer {
	b.align()
	at := len(b.data)
	b.data = append(b.data, data...)
	return Pointer{offset: at}
}

// Words copies machine words; those given as a Pointer become addresses.
func (b *Builder) Words(words ...any) Pointer {
	b.align()
	at := len(b.data)
	b.data = append(b.data, make([]byte, 8*len(words))...)
	for i, w := range words {
		switch w := w.(type) {
		case Pointer:
			if !w.IsNil() {
				b.refs = append(b.refs, ref{row: inData, word: at + 8*i, target: w})
			}
		case uintptr:
			*(*uintptr)(unsafe.Pointer(&b.data[at+8*i])) = w
		case int:
			*(*uintptr)(unsafe.Pointer(&b.data[at+8*i])) = uintptr(w)
		default:
			panic("birth: a word is a Pointer, an int or a uintptr")
		}
	}
	return Pointer{offset: at}
}

// Strings makes a vector of strings that ends with a null pointer, as execve wants.
func (b *Builder) Strings(list []string) Pointer {
	words := make([]any, 0, len(list)+1)
	for _, s := range list {
		words = append(words, b.String(s))
	}
	return b.Words(append(words, 0)...)
}

func (b *Builder) align() {
	for len(b.data)%8 != 0 {
		b.data = append(b.data, 0)
	}
}

// Result is the address of what row i will have returned.
func (b *Builder) Result(i int) Pointer { return Pointer{row: i + 1} }

// Add appends a row and returns its index. An argument is a Pointer, an int or a uintptr; a Pointer made by Result
// as the first argument means the value that is found there when the child comes to the row.
func (b *Builder) Add(number uintptr, flags uintptr, args ...any) int {
	row := Row{Number: number, Flags: flags, Result: Pending}
	for i, a := range args {
		switch a := a.(type) {
		case Pointer:
			word := i
			if i == 0 && a.row != 0 {
				word = 6
			}
			if !a.IsNil() {
				b.refs = append(b.refs, ref{row: len(b.rows), word: word, target: a})
			}
		case uintptr:
			row.Args[i] = a
		case int:
			row.Args[i] = uintptr(a)
		default:
			panic("birth: an argument is a Pointer, an int or a uintptr")
		}
	}
	b.rows = append(b.rows, row)
	return len(b.rows) - 1
}

// Rows is the number of rows so far.
func (b *Builder) Rows() int { return len(b.rows) }

// Hold ends the table with rows that keep a child which could execute nothing: it wakes the parent and waits, so that
// the parent can look at the root file system it was in and say why; the parent kills it then.
//
// The order matters. The first row is the mark that Held looks for. Only then does the futex word change, and only
// after that is the parent woken: whenever it looks, it finds either a word worth sleeping on or the mark. The one
// system call at hand that writes a word of its caller's choice is prctl(PR_GET_PDEATHSIG), which writes 0.
func (b *Builder) Hold() {
	const (
		futexWake      = 1
		prGetPdeathsig = 2
	)
	tid := Pointer{offset: holdMark}
	b.hold = b.Add(syscall.SYS_GETPID, Ignore)
	b.Add(syscall.SYS_PRCTL, Ignore, prGetPdeathsig, tid)
	b.Add(syscall.SYS_FUTEX, Ignore, tid, futexWake, 1)
	b.Add(syscall.SYS_PPOLL, Ignore, 0, 0, 0, 0)
}

// Offsets that Image replaces by those of words in the header, which lie outside the data.
const (
	holdMark   = 1 // Header.TID
	forkedMark = 2 // Header.Forked
)

// ForkedPID is where a row marked Fork lets the kernel write the pid (CLONE_PARENT_SETTID): Table.Forked reads it.
func (b *Builder) ForkedPID() Pointer { return Pointer{offset: forkedMark} }

// Image is the table as bytes: header, rows, data, relocations. It has no address in it and can be written to a file
// that another process maps and loads.
func (b *Builder) Image() []byte {
	resets := b.resetRows()
	b.align()
	rowSize := int(unsafe.Sizeof(Row{}))
	head := int(unsafe.Sizeof(Header{})) + rowSize*len(resets)
	dataAt := head + rowSize*len(b.rows)
	size := dataAt + len(b.data) + 4*len(b.refs)

	image := make([]byte, size)
	*(*Header)(unsafe.Pointer(&image[0])) = Header{
		Clone: b.Clone, Rows: uint32(len(b.rows)), Resets: uint32(len(resets)), Relocs: uint32(len(b.refs)),
		Hold: int32(b.hold), Size: uint64(size),
	}
	copy(unsafe.Slice((*Row)(unsafe.Pointer(&image[unsafe.Sizeof(Header{})])), len(resets)+1), resets)
	copy(unsafe.Slice((*Row)(unsafe.Pointer(&image[head])), len(b.rows)), b.rows)
	copy(image[dataAt:], b.data)
	for i, r := range b.refs {
		at := dataAt + r.word
		if r.row != inData {
			at = head + rowSize*r.row + 8*(1+r.word) // the words after Number: Args[0..5], From
		}
		*(*uintptr)(unsafe.Pointer(&image[at])) = b.offset(r.target, head, rowSize, dataAt)
		*(*uint32)(unsafe.Pointer(&image[dataAt+len(b.data)+4*i])) = uint32(at)
	}
	return image
}

// resetRows set every signal's action to the default, for a clone without CLONE_CLEAR_SIGHAND. They lie before the
// first row, so that a walk can begin with them.
func (b *Builder) resetRows() []Row {
	const last = 64
	action := b.Words(0, 0, 0, 0) // struct sigaction of the kernel: SIG_DFL, no flags, no mask
	rows := make([]Row, last)
	for i := range rows {
		rows[i] = Row{Number: syscall.SYS_RT_SIGACTION, Args: [6]uintptr{uintptr(i + 1), 0, 0, 8}, Flags: Ignore, Result: Pending}
		b.refs = append(b.refs, ref{row: i - last, word: 1, target: action})
	}
	return rows
}

func (b *Builder) offset(p Pointer, head, rowSize, dataAt int) uintptr {
	switch {
	case p.row != 0:
		return uintptr(head+rowSize*(p.row-1)) + unsafe.Offsetof(Row{}.Result)
	case p.offset == holdMark:
		return unsafe.Offsetof(Header{}.TID)
	case p.offset == forkedMark:
		return unsafe.Offsetof(Header{}.Forked)
	}
	return uintptr(dataAt + p.offset)
}
