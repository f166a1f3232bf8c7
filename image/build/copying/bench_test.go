package copying

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
)

// BenchmarkDigest and BenchmarkWrite: a project of 4000 files in 200 directories, 64 MB.
func BenchmarkDigest(b *testing.B) {
	tree := contextOf(b, project(b), "**/*.log\n")
	b.SetBytes(64 << 20)
	for b.Loop() {
		c := copyOf(tree, ".", "/app/")
		_, err := c.Digest(context.Background())
		must(b, err)
	}
}

func BenchmarkWrite(b *testing.B) {
	tree := contextOf(b, project(b), "**/*.log\n")
	b.SetBytes(64 << 20)
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		b.StartTimer()
		c := copyOf(tree, ".", "/app/")
		must(b, c.Write(context.Background(), dir, nil))
	}
}

func project(b *testing.B) string {
	dir := b.TempDir()
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	for i := range 200 {
		sub := fmt.Sprintf("%s/%d/%d", dir, i%20, i)
		must(b, os.MkdirAll(sub, 0o755))
		for j := range 20 {
			must(b, os.WriteFile(fmt.Sprintf("%s/%d", sub, j), content, 0o644))
		}
	}
	return dir
}
