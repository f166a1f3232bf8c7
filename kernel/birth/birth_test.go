package birth

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

const sigchld = 17

// run builds the table, runs it in a child, and reaps the child.
func run(t *testing.T, b *Builder) (*Table, syscall.WaitStatus) {
	t.Helper()
	b.Clone.ExitSignal = sigchld
	b.Clone.Flags |= ClearSighand
	table := Load(b.Image())
	pid, errno := table.Run()
	if errno != 0 {
		t.Fatalf("clone3: %v", errno)
	}
	if table.Held() {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		t.Fatal(err)
	}
	return table, status
}

// addExec adds the unblocking of signals and an execve.
func addExec(b *Builder, flags uintptr, argv ...string) int {
	none := b.Words(0)
	b.Add(syscall.SYS_RT_SIGPROCMASK, 0, sigSetmask, none, 0, 8)
	return b.Add(syscall.SYS_EXECVE, flags, b.String(argv[0]), b.Strings(argv), b.Strings([]string{"TOLD=by the table"}))
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMain makes the test binary the program that tables execute: it exits with 7 if its environment is as told.
func TestMain(m *testing.M) {
	if os.Getenv("TOLD") == "by the table" {
		os.Exit(7)
	}
	os.Exit(m.Run())
}

func TestRunExecutes(t *testing.T) {
	b := NewBuilder()
	exec := addExec(b, 0, self(t))
	table, status := run(t, b)
	if status.ExitStatus() != 7 {
		t.Errorf("the program ended with %v, want exit code 7", status)
	}
	if table.Executed() != exec {
		t.Errorf("Executed() = %d, want %d", table.Executed(), exec)
	}
	if table.Failed() != -1 {
		t.Errorf("Failed() = %d, want -1", table.Failed())
	}
}

func TestFailingRowIsNamed(t *testing.T) {
	b := NewBuilder()
	b.Add(syscall.SYS_GETPID, 0)
	mkdir := b.Add(syscall.SYS_MKDIRAT, 0, ^uintptr(99), b.String("/nowhere/at/all"), 0o755)
	addExec(b, 0, self(t))
	table, status := run(t, b)
	if got := table.Failed(); got != mkdir {
		t.Fatalf("Failed() = %d, want %d", got, mkdir)
	}
	if _, errno, _ := table.Outcome(mkdir); errno != syscall.ENOENT {
		t.Errorf("errno = %v, want ENOENT", errno)
	}
	if status.ExitStatus() != 1 {
		t.Errorf("the child ended with %v, want exit code 1", status)
	}
}

func TestIgnoredFailureGoesOn(t *testing.T) {
	b := NewBuilder()
	ignored := addExec(b, Ignore, "/nowhere/at/all")
	exec := addExec(b, 0, self(t))
	table, status := run(t, b)
	if status.ExitStatus() != 7 || table.Executed() != exec {
		t.Errorf("status %v, executed row %d; want exit code 7, row %d", status, table.Executed(), exec)
	}
	if _, errno, done := table.Outcome(ignored); !done || errno != syscall.ENOENT {
		t.Errorf("ignored row: %v, done %v", errno, done)
	}
}

func TestResultBecomesArgument(t *testing.T) {
	path := t.TempDir() + "/file"
	b := NewBuilder()
	const atFdcwd = ^uintptr(99) // -100
	open := b.Add(syscall.SYS_OPENAT, 0, atFdcwd, b.String(path), os.O_CREATE|os.O_WRONLY, 0o600)
	b.Add(syscall.SYS_WRITE, 0, b.Result(open), b.String("from the child"), len("from the child"))
	b.Add(syscall.SYS_CLOSE, 0, b.Result(open))
	if _, status := run(t, b); status.ExitStatus() != 0 {
		t.Fatalf("the child ended with %v", status)
	}
	data, err := os.ReadFile(path)
	if err != nil || string(data) != "from the child" {
		t.Errorf("the file holds %q (%v)", data, err)
	}
}

// An old kernel is played by a table that is run the old way.
func TestOldWay(t *testing.T) {
	b := NewBuilder()
	exec := addExec(b, 0, self(t))
	b.Clone.ExitSignal = sigchld
	b.Clone.Flags = IntoCgroup<<8 | ClearSighand // a flag that no kernel knows: EINVAL
	table := Load(b.Image())
	table.header.Clone.Flags |= cloneVM | cloneChildCleartd
	if errno := -int(spawn(sysClone3, [5]uintptr{uintptr(unsafe.Pointer(&table.header.Clone)), 88}, &table.rows[0], 1)); syscall.Errno(errno) != syscall.EINVAL {
		t.Fatalf("clone3 with an unknown flag: %v", syscall.Errno(errno))
	}
	table.header.Clone.Flags &^= IntoCgroup << 8
	table.header.Clone.ChildTID = uint64(uintptr(unsafe.Pointer(&table.header.TID)))
	table.header.TID = 1
	runtime.LockOSThread()
	before := blockSignals()
	pid := int(table.spawnOldWay())
	restoreSignals(before)
	runtime.UnlockOSThread()
	if pid < 0 {
		t.Fatal(syscall.Errno(-pid))
	}
	table.wait()
	var status syscall.WaitStatus
	syscall.Wait4(pid, &status, 0, nil)
	if status.ExitStatus() != 7 || table.Executed() != exec {
		t.Errorf("status %v, executed %d; want exit code 7, row %d", status, table.Executed(), exec)
	}
}

func TestForkHandsOverTheRest(t *testing.T) {
	b := NewBuilder()
	fork := b.Add(syscall.SYS_CLONE, Fork, cloneVM|syscall.CLONE_VFORK|syscall.CLONE_PARENT|syscall.CLONE_PARENT_SETTID|sigchld, 0, b.ForkedPID(), 0, 0)
	exec := addExec(b, 0, self(t))
	table, status := run(t, b)
	if status.ExitStatus() != 0 {
		t.Errorf("the first child ended with %v", status)
	}
	if table.Executed() != exec {
		t.Errorf("Executed() = %d, want %d", table.Executed(), exec)
	}
	pid, errno, _ := table.Outcome(fork)
	if errno != 0 || pid == 0 || int(pid) != table.Forked() {
		t.Fatalf("the clone returned %d, %v", pid, errno)
	}
	if _, err := syscall.Wait4(int(pid), &status, 0, nil); err != nil || status.ExitStatus() != 7 {
		t.Errorf("the second child: %v, %v; want exit code 7", status, err)
	}
}

func TestHere(t *testing.T) {
	path := t.TempDir() + "/file"
	b := NewBuilder()
	const atFdcwd = ^uintptr(99)
	open := b.Add(syscall.SYS_OPENAT, 0, atFdcwd, b.String(path), os.O_CREATE|os.O_WRONLY, 0o600)
	b.Add(syscall.SYS_WRITE, 0, b.Result(open), b.String("here"), 4)
	b.Add(syscall.SYS_CLOSE, Cleanup, b.Result(open))
	if errno := Load(b.Image()).Here(); errno != 0 {
		t.Fatal(errno)
	}
	if data, _ := os.ReadFile(path); string(data) != "here" {
		t.Errorf("the file holds %q", data)
	}
}

func TestHeldChildCanBeLookedAt(t *testing.T) {
	b := NewBuilder()
	addExec(b, Ignore, "/nowhere/at/all")
	b.Hold()
	b.Clone.ExitSignal = sigchld
	table := Load(b.Image())
	pid, errno := table.Run()
	if errno != 0 {
		t.Fatal(errno)
	}
	defer func() {
		syscall.Kill(pid, syscall.SIGKILL)
		syscall.Wait4(pid, nil, 0, nil)
	}()
	if !table.Held() || table.Executed() != -1 {
		t.Fatalf("Held() = %v, Executed() = %d", table.Held(), table.Executed())
	}
	stat, err := os.ReadFile("/proc/" + itoa(pid) + "/stat")
	if err != nil || !strings.Contains(string(stat), ") S ") && !strings.Contains(string(stat), ") R ") {
		t.Errorf("the held child is not alive: %s %v", stat, err)
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func TestSharedTableIsSeenByBoth(t *testing.T) {
	b := NewBuilder()
	b.Add(syscall.SYS_GETPID, 0)
	b.Clone.ExitSignal = sigchld
	image := b.Image()
	shared, err := syscall.Mmap(-1, 0, len(image), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(shared)
	copy(shared, image)
	table := Load(shared)
	pid, errno := table.Run()
	if errno != 0 {
		t.Fatal(errno)
	}
	syscall.Wait4(pid, nil, 0, nil)
	if got, _, _ := View(shared).Outcome(0); int(got) != pid {
		t.Errorf("the child's getpid gave %d, the clone %d", got, pid)
	}
}

func TestManyAtOnce(t *testing.T) {
	path := self(t)
	done := make(chan int)
	for range 8 {
		go func() {
			for range 20 {
				b := NewBuilder()
				addExec(b, 0, path)
				b.Clone.ExitSignal = sigchld
				table := Load(b.Image())
				pid, errno := table.Run()
				if errno != 0 {
					done <- -1
					return
				}
				var status syscall.WaitStatus
				syscall.Wait4(pid, &status, 0, nil)
				if status.ExitStatus() != 7 {
					done <- -1
					return
				}
			}
			done <- 0
		}()
	}
	for range 8 {
		if <-done != 0 {
			t.Error("a child did not execute its program")
		}
	}
}

func TestLayout(t *testing.T) {
	if size := unsafe.Sizeof(Row{}); size != 88 {
		t.Errorf("a Row has %d bytes; the assembly counts on 88", size)
	}
	if offset := unsafe.Offsetof(Row{}.Ticks); offset != 80 {
		t.Errorf("Row.Ticks is at %d; the assembly counts on 80", offset)
	}
	if size := unsafe.Sizeof(CloneArgs{}); size != 88 {
		t.Errorf("CloneArgs has %d bytes, struct clone_args 88", size)
	}
}

func BenchmarkExec(b *testing.B) {
	for b.Loop() {
		builder := NewBuilder()
		builder.Add(syscall.SYS_GETPID, 0)
		builder.Clone.ExitSignal = sigchld
		table := Load(builder.Image())
		pid, _ := table.Run()
		syscall.Wait4(pid, nil, 0, nil)
	}
}
