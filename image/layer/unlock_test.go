package layer

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestUnlocked: what its owner, who is not root, may not read is packed all the same, and keeps its mode, also mode 0.
func TestUnlocked(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("needs an ordinary user [user]")
	}
	dir := t.TempDir()
	file, sub := filepath.Join(dir, "file"), filepath.Join(dir, "sub")
	if err := os.WriteFile(file, []byte("secret"), 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(sub, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(sub, 0o700) })
	if err := Pack(io.Discard, dir, PackOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, sub} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0 {
			t.Errorf("%s has mode %v now (%v)", path, info.Mode(), err)
		}
	}
}
