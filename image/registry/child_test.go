package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbox/image"
)

// childTask has this test binary do something else: be killed in the middle of a pull, or be a credential helper.
const childTask = "SANDBOX_REGISTRY_TEST_CHILD"

func runChild(task string) int {
	var err error
	switch task {
	case "pull":
		var name image.Name
		if name, err = image.ParseName(os.Args[2]); err == nil {
			_, _, err = New(Options{}).Pull(context.Background(), &image.Store{Dir: os.Args[1]}, PullOptions{Name: name})
		}
	case "push":
		store := &image.Store{Dir: os.Args[1]}
		var img *image.Image
		if img, err = store.Find(os.Args[2]); err == nil {
			var name image.Name
			if name, err = image.ParseName(os.Args[3]); err == nil {
				_, err = New(Options{}).Push(context.Background(), store, img, PushOptions{Name: name})
			}
		}
	case "helper":
		err = helper(os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func startChild(t *testing.T, task string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), childTask+"="+task)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &complaints
}

// TestKilledPull kills a process that pulls, while a layer is coming. Nothing is seen of it, and the next one gets all.
func TestKilledPull(t *testing.T) {
	w := newWorld(t, nil)
	here, there := newStore(t), newStore(t)
	img := makeImage(t, here, noise(1<<20), noise(2<<20))
	w.mustPush(here, img, "demo:1")
	middle, release := make(chan bool, 10), make(chan bool)
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if !isBlob(r) {
			return out
		}
		return &cutter{out, 300 << 10, func() { middle <- true; <-release }}
	})
	cmd, complaints := startChild(t, "pull", there.Dir, w.host+"/demo:1")
	select {
	case <-middle:
	case <-time.After(30 * time.Second):
		t.Error("the child never came to a layer")
	}
	cmd.Process.Kill()
	cmd.Wait()
	close(release)
	w.set(nil)
	if complaints.Len() > 0 {
		t.Errorf("the child complained: %s", complaints)
	}
	if images, err := there.List(); err != nil || len(images) > 0 {
		t.Errorf("half an image is seen: %v %v", images, err)
	}
	if got := w.mustPull(there, "demo:1"); got.ID != img.ID {
		t.Errorf("%+v", got)
	}
	if left, _ := filepath.Glob(there.Dir + "/staging/*/*.blob"); len(left) > 0 {
		t.Errorf("the next pull should have swept out %v", left)
	}
}

// TestKilledPush kills a process that pushes, while a layer is on its way. The registry has no tag then, the store is whole,
// and the next push gets through.
func TestKilledPush(t *testing.T) {
	w := newWorld(t, nil)
	here := newStore(t)
	img := makeImage(t, here, noise(1<<20), noise(2<<20))
	middle, release := make(chan bool, 10), make(chan bool)
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if r.Method == http.MethodPatch {
			middle <- true
			<-release
		}
		return out
	})
	cmd, complaints := startChild(t, "push", here.Dir, img.ID, w.host+"/demo:1")
	select {
	case <-middle:
	case <-time.After(30 * time.Second):
		t.Error("the child never came to a layer")
	}
	cmd.Process.Kill()
	cmd.Wait()
	close(release)
	w.set(nil)
	if complaints.Len() > 0 {
		t.Errorf("the child complained: %s", complaints)
	}
	_, _, err := w.pull(newStore(t), "demo:1")
	wantError(t, err, "demo", "check the name")
	if found, err := here.Find(img.ID); err != nil || len(found.Digests) > 0 {
		t.Errorf("%+v %v", found, err)
	}
	w.mustPush(here, img, "demo:1")
	if got := w.mustPull(newStore(t), "demo:1"); got.ID != img.ID {
		t.Errorf("%+v", got)
	}
}

// helper is a credential helper that keeps accounts in files beside itself.
func helper(action string) error {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	path := func(key string) string {
		return filepath.Join(filepath.Dir(os.Args[0]), strings.ReplaceAll(key, "/", "_"))
	}
	switch action {
	case "get":
		data, err := os.ReadFile(path(string(input)))
		if err != nil {
			fmt.Println("credentials not found in native keychain")
			os.Exit(1)
		}
		os.Stdout.Write(data)
	case "store":
		var a helperAccount
		if err := json.Unmarshal(input, &a); err != nil {
			return err
		}
		return os.WriteFile(path(a.ServerURL), input, 0o600)
	case "erase":
		return os.Remove(path(string(input)))
	}
	return nil
}
