package chapter3

import (
	"strings"
	"testing"
)

// TestBars: the lengths are in the proportion of what is used, to an eighth of a column; nobody uses anything, no bar.
func TestBars(t *testing.T) {
	var out strings.Builder
	if err := printBars(&out, []*statsRow{
		{Name: "big", CPUPerc: "66.00%", cpu: 0.66}, {Name: "small", CPUPerc: "33.00%", cpu: 0.33}, {Name: "idle", CPUPerc: "0.00%"},
		{Name: "bit", CPUPerc: "1.03%", cpu: 0.66 / 64},
	}); err != nil {
		t.Fatal(err)
	}
	want := "big     66.00% " + strings.Repeat("█", 40) + "\nsmall   33.00% " + strings.Repeat("█", 20) + "\nidle     0.00%\nbit      1.03% ▋\n"
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
	if got := bar(0, 0); got != "" {
		t.Errorf("a bar where nobody uses anything: %q", got)
	}
}
