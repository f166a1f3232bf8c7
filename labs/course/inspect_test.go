package course

import (
	"testing"
)

// unfinished are lessons that are still on their way to the rules; what is wrong in them is only logged.
var unfinished = map[string]bool{
	"1.1": true, "1.2": true, "2.1": true, "2.2": true, "2.3": true, "2.4": true, "2.5": true, "2.6": true,
	"3.1": true, "3.2": true, "3.3": true,
}

// The built-in lessons keep the rules that other authors' are held to.
func TestLessonsKeepTheRules(t *testing.T) {
	for _, number := range written(t) {
		found, err := Inspect(Lessons(), number)
		if err != nil {
			t.Error(err)
		}
		for _, f := range found {
			if unfinished[number] {
				t.Log(f)
				continue
			}
			t.Error(f)
		}
	}
}
