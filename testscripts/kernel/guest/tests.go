package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	kernel "sandbox/testscripts/kernel"
)

const groupsRoot = "/sys/fs/cgroup"

// makeGroups makes the groups of a logged-in user as systemd does: controllers are switched on down to the user manager's
// group, and that group, with what its owner needs to make others, is the user's (systemd.resource-control(5), Delegate=).
func makeGroups() error {
	const controllers = "+cpuset +cpu +io +memory +pids"
	dir := groupsRoot
	for _, name := range strings.Split(kernel.UserManager, "/") {
		if err := os.WriteFile(dir+"/cgroup.subtree_control", []byte(controllers), 0); err != nil {
			return err
		}
		dir += "/" + name
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	for _, group := range []string{kernel.Session, path.Dir(kernel.UserScope), kernel.UserScope} {
		if err := os.MkdirAll(path.Join(groupsRoot, group), 0o755); err != nil {
			return err
		}
	}
	for _, group := range []string{kernel.UserManager, path.Dir(kernel.UserScope), kernel.UserScope} {
		for _, file := range []string{"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"} {
			if err := os.Chown(path.Join(groupsRoot, group, file), kernel.UserID, kernel.UserID); err != nil {
				return err
			}
		}
	}
	return nil
}

// runTests runs one suite after the other. The lines that begin and end each are for the host.
func runTests() error {
	port, err := os.OpenFile(kernel.Results, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	if _, err := term.MakeRaw(int(port.Fd())); err != nil { // newlines stay what they are
		return err
	}
	data, err := os.ReadFile(kernel.SuiteList)
	if err != nil {
		return err
	}
	var suites []kernel.Suite
	if err := json.Unmarshal(data, &suites); err != nil {
		return err
	}
	for _, suite := range suites {
		fmt.Fprintf(port, "%s%s\n", kernel.Begin, suite.Name)
		before := filesOf(suite)
		end := result(run(suite, port))
		fmt.Fprintf(port, "%s%s %v\n", kernel.End, suite.Name, end)
		for name, data := range filesOf(suite) {
			if before[name] != data {
				fmt.Fprintf(port, "%s%s %d\n%s\n", kernel.File, name, len(data), data)
			}
		}
		say("suite %s: %s", suite.Name, end)
	}
	return port.Close()
}

func result(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}

// filesOf are the texts that a suite may write: transcripts.
func filesOf(suite kernel.Suite) map[string]string {
	files := map[string]string{}
	names, _ := filepath.Glob(path.Join(kernel.Payload, suite.Package, "*.txt"))
	for _, name := range names {
		if data, err := os.ReadFile(name); err == nil {
			files[path.Base(name)] = string(data)
		}
	}
	return files
}

// built is where the tests find the program, and keep their store: it takes longest of all to make one, so the suites share it.
const built = "/tmp/built"

// handOver makes the program, and the store, a user's own.
func handOver(uid int) error {
	if err := os.Mkdir(built, 0o755); err == nil {
		data, err := os.ReadFile(kernel.Payload + "/sandbox")
		if err != nil {
			return err
		}
		if err := os.WriteFile(built+"/sandbox", data, 0o755); err != nil {
			return err
		}
	}
	return filepath.WalkDir(built, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, uid, uid)
	})
}

// run runs a suite's test binary.
func run(suite kernel.Suite, output *os.File) error {
	dir := path.Join(kernel.Payload, suite.Package)
	cmd := exec.Command(path.Join(dir, kernel.TestBinary), append([]string{"-test.v=test2json",
		"-test.run=^" + suite.Test + "$/^(" + suite.Scripts + ")$", "-test.parallel=4", "-test.timeout=20m"}, suite.Args...)...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = output, output
	uid, home := 0, "/root"
	if suite.User {
		uid, home = kernel.UserID, "/home/user"
	}
	if err := handOver(uid); err != nil {
		return err
	}
	cmd.Env = []string{"SANDBOX_BUILT=" + built, "PATH=" + built, "TZ=UTC", "HOME=" + home}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if suite.User {
		cmd.Env = append(cmd.Env, fmt.Sprintf("XDG_RUNTIME_DIR=/run/user/%d", uid))
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: kernel.UserID, Gid: kernel.UserID}
	}
	group, err := unix.Open(path.Join(groupsRoot, suite.Group), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(group)
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, group
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%v", exit)
	}
	return err
}
