package pocket

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A lab that is started while another one brings the built-in images about does not take their half-written files along.
func TestStoreWithoutUnfinishedFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"index.json", "index.json.new", "oci-layout"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := namesIn(dir), []string{"index.json", "oci-layout"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
