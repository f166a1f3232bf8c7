// Package rlimit remembers the limit on open files that this program was started with.
//
// Go raises its own soft limit to the hard one when package syscall is initialised, and tells nobody what it was. What a
// container gets must be what its starter had; so this package asks before: it imports nothing and its path is smaller
// than "syscall", and of the packages that are ready Go initialises the one with the smallest path first (package early
// tells more). TestAsksBeforeGoRaisesIt notices when that stops working.
package rlimit

// Limit is struct rlimit of getrlimit(2).
type Limit struct{ Soft, Hard uint64 }

// OpenFiles is RLIMIT_NOFILE as it was when the program started.
var OpenFiles Limit

// getOpenFiles is prlimit64(0, RLIMIT_NOFILE, NULL, limit).
//
//go:noescape
func getOpenFiles(limit *Limit)

func init() { getOpenFiles(&OpenFiles) }
