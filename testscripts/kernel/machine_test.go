package kernel

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// bootOptions: the kernel's log only says what is wrong, and a panic ends the machine. Without KVM each defence against
// another processor's secrets costs much, and there is nobody to defend against.
const bootOptions = "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off audit=0 apparmor=0 init_on_alloc=0 cryptomgr.notests"

// machine is a virtual machine that runs or has run.
type machine struct {
	console string // the file that the kernel's console goes to
	results io.ReadCloser
	cmd     *exec.Cmd
}

// boot starts it. It has no network, two processors, and two disks, which the guest finds by their serial numbers: swap,
// and one with an empty file system. When ctx ends it is killed.
func boot(t *testing.T, ctx context.Context, image, initramfs string) *machine {
	t.Helper()
	dir := t.TempDir()
	m := &machine{console: filepath.Join(dir, "console")}
	args := []string{
		"-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm", "-smp", "2", "-m", "2048", "-nodefaults", "-display", "none", "-no-reboot", "-nic", "none",
		"-kernel", image, "-initrd", initramfs, "-append", bootOptions,
		"-serial", "file:" + m.console, "-serial", "stdio",
	}
	for _, disk := range []string{"swap", "disk"} {
		file := filepath.Join(dir, disk)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, 1<<30); err != nil { // a hole: takes no room until it is written
			t.Fatal(err)
		}
		if disk == "disk" {
			if out, err := exec.Command("mkfs.ext4", "-q", "-F", file).CombinedOutput(); err != nil {
				t.Fatalf("mkfs.ext4: %v: %s", err, out)
			}
		}
		args = append(args, "-drive", "if=none,format=raw,cache=unsafe,id="+disk+",file="+file, "-device", "virtio-blk-pci,drive="+disk+",serial="+disk)
	}
	m.cmd = exec.CommandContext(ctx, "qemu-system-x86_64", args...)
	m.cmd.Stderr = os.Stderr
	var err error
	if m.results, err = m.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return m
}

// output is what one suite has printed, how its test binary ended ("ok", an error, or "" if it never did), and what files it has written.
type output struct {
	suite, text, end string
	files            map[string]string // contents by name
}

// read reads the results until the machine switches itself off, or is killed.
func (m *machine) read() (list []output) {
	var text strings.Builder
	current := func() *output {
		if len(list) == 0 {
			return &output{files: map[string]string{}}
		}
		return &list[len(list)-1]
	}
	lines := bufio.NewReader(m.results)
	for {
		line, err := lines.ReadString('\n')
		if suite, ok := strings.CutPrefix(line, Begin); ok {
			list = append(list, output{suite: strings.TrimSpace(suite), files: map[string]string{}})
			text.Reset()
		} else if end, ok := strings.CutPrefix(line, End); ok {
			_, end, _ = strings.Cut(strings.TrimSpace(end), " ")
			current().end = end
		} else if file, ok := strings.CutPrefix(line, File); ok {
			var name string
			var size int
			fmt.Sscan(file, &name, &size)
			data := make([]byte, size)
			io.ReadFull(lines, data)
			current().files[name] = string(data)
		} else {
			text.WriteString(line)
			current().text = text.String()
		}
		if err != nil {
			m.cmd.Wait()
			return list
		}
	}
}

// times are the lines in which the guest's first process says what it has come to the end of, and when.
func (m *machine) times() string {
	data, _ := os.ReadFile(m.console)
	return strings.Join(regexp.MustCompile(`(?m)^guest: +\d.*$`).FindAllString(string(data), -1), "\n")
}

// tail is the end of what the kernel, and the guest's first process, have said.
func (m *machine) tail() string {
	data, err := os.ReadFile(m.console)
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-4000):])
}
