package userland

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const mountinfo = `21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
22 21 0:20 / /proc rw,nosuid,relatime shared:2 - proc proc rw
30 21 0:30 /a\040b /mnt/with\040space ro - tmpfs none rw,size=1024k
31 30 0:31 / /mnt/with\040space/in rw master:7 - tmpfs none rw
`

func TestMountinfo(t *testing.T) {
	mounts, err := parseMountinfo(mountinfo)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "options, each once", mounts[0].allOptions(), "rw,relatime,discard")
	check(t, "the mount is read-only, the file system is not", mounts[2].allOptions(), "ro,size=1024k")
	check(t, "target", mounts[2].target, "/mnt/with space")
	check(t, "root", mounts[2].root, "/a b")
	check(t, "propagation", mounts[0].propagation()+" "+mounts[2].propagation()+" "+mounts[3].propagation(), "shared private slave")
	var tree []string
	var all []drawnMount
	for _, m := range mounts {
		all = append(all, drawnMount{mountPoint: m})
	}
	for _, m := range mountTree(all) {
		tree = append(tree, m.branch+m.target)
	}
	check(t, "tree", strings.Join(tree, "\n"), "/\n├─/proc\n└─/mnt/with space\n  └─/mnt/with space/in")
	if _, err := parseMountinfo("21 1 254:0 / /\n"); err == nil {
		t.Error("half a line was accepted")
	}
}

func TestMountOptions(t *testing.T) {
	r := parseMountOptions([]string{"ro,nosuid,size=1m", "mode=700,suid,rprivate"})
	check(t, "flags", r.flags, uintptr(unix.MS_RDONLY))
	check(t, "cleared", r.cleared, uintptr(unix.MS_NOSUID))
	check(t, "propagation", r.propagation, uintptr(unix.MS_PRIVATE|unix.MS_REC))
	check(t, "for the file system", strings.Join(r.data, ","), "size=1m,mode=700")
}

func TestMountpointOfPlainDirectory(t *testing.T) {
	dir := t.TempDir()
	stdout, _, code := call(t, "", "mountpoint", dir)
	check(t, "output", stdout, dir+" is not a mountpoint\n")
	check(t, "exit code", code, mountFailed)
}

func TestMountRemountUmount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making a mount namespace needs root")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		t.Skipf("no mount namespaces here: %v", err)
	}
	if err := unix.Mount("none", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mustPrint(t, "", "mount", "-t", "tmpfs", "-o", "size=1m", "none", dir)
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mustPrint(t, "", "mount", "-o", "remount,ro", dir)
	if err := os.WriteFile(filepath.Join(dir, "y"), nil, 0o600); err == nil {
		t.Error("one can still write after remount,ro")
	}
	mustPrint(t, "", "umount", dir)
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("the file is still there after umount")
	}
	mustRefuse(t, "umount: "+dir+": not mounted.\n", mountFailed, "umount", dir)
	mustRefuse(t, "mount: "+dir+": unknown filesystem type 'nonsense'.\n", mountFailed, "mount", "-t", "nonsense", "none", dir)
}

func TestUnshareRemainder(t *testing.T) {
	r, err := (&Process{Args: []string{"unshare", "-Urpf", "--mount-proc", "--propagation", "slave", "sh", "-c", "x"}}).parseUnshare()
	if err != nil {
		t.Fatal(err)
	}
	check(t, "flags", r.flags, unix.CLONE_NEWUSER|unix.CLONE_NEWPID|unix.CLONE_NEWNS)
	check(t, "left to do inside", strings.Join(r.remainder(), " "), "unshare --mount --propagation=slave --mount-proc=/proc -- sh -c x")
}

func TestNsenterOrder(t *testing.T) {
	r, err := (&Process{Args: []string{"nsenter", "-t", "5", "-mn", "--uts=/run/u", "-U", "ls", "-l"}}).parseNsenter()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, kind := range r.kinds {
		names = append(names, kind.name)
	}
	check(t, "order", strings.Join(names, " "), "user uts net mnt")
	check(t, "left to do inside", strings.Join(r.remainder(), " "), "-t 5 --uts=/run/u --net --mount -- ls -l")
}
