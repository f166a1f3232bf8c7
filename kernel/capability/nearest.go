package capability

import "strings"

// tolerated is how many slips of the keys a name may have and still be recognised.
const tolerated = 3

// nearest is the capability that was probably meant by upper, which is none's name: one that it is a part of (PTRACE), or
// one that it differs from in a few letters (NETADMIN). "" if there is neither.
func nearest(upper string) string {
	typed := strings.TrimPrefix(upper, "CAP_")
	best, least := "", tolerated+1
	for _, name := range names {
		name = name[len("CAP_"):]
		if len(typed) > tolerated && strings.Contains(name, typed) {
			return name
		}
		if d := distance(typed, name); d < least && d < len(typed) {
			best, least = name, d
		}
	}
	return best
}

// distance is how many letters have to be added, removed or replaced to make a into b (Levenshtein's).
func distance(a, b string) int {
	row := make([]int, len(b)+1) // the distances of what was read of a to each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
