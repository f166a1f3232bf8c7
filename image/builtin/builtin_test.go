package builtin

import (
	"testing"
	"time"

	"sandbox/image"
)

func TestQuick(t *testing.T) {
	s := &image.Store{Dir: t.TempDir()}
	for range 3 {
		for _, name := range Names() {
			start := time.Now()
			ok, err := Ensure(s, name)
			t.Log(name, ok, err, time.Since(start))
		}
	}
	start := time.Now()
	img, err := s.Find("base")
	t.Logf("%+v %v %v", img, err, time.Since(start))
}
