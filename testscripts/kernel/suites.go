// Package kernel runs tests on another kernel than this machine's: Debian's, in a virtual machine (qemu, which needs no
// privilege and no KVM), with control groups of version 2, swap, and a disk under the BFQ
// scheduler. The same as an ordinary user, with a part of the groups' tree delegated as systemd does it.
//
//	go test ./testscripts/kernel -v                                   all (some minutes)
//	go test ./testscripts/kernel -v -suites root -scripts 'pause|run'    some of it
//
// The test builds the program, the tests' binaries and the guest's first process (guest/), packs them with the modules
// that the kernel needs into an initramfs, boots it, and reads from a serial port what `go test` says in there.
//
//	this test ── qemu ── kernel ── guest (PID 1): mounts, modules, swap ── scripts.test ── sandbox …
//	    ▲                                                                     │
//	    └───────────────── second serial port: the tests' output ◄────────────┘
package kernel

// Suite is one run of a test binary in the guest.
type Suite struct {
	Name    string
	User    bool     // run as an ordinary user, not as root
	Group   string   // the control group to run in, "" for the root of all
	Package string   // whose tests: a directory of the module, and with its files one of Payload
	Test    string   // which of its top-level tests
	Scripts string   // which of that test's parts: a regular expression
	Args    []string // more for the test binary
	ByHand  bool     // only if -suites asks for it
}

// Where the guest finds what the host packed for it.
const (
	Payload    = "/t"
	SuiteList  = Payload + "/suites.json" // those to run
	TestBinary = "test"                   // in each package's directory
	Modules    = "/modules"
	Results    = "/dev/ttyS1" // the serial port for the tests' output; the first one is the kernel's console
)

// The lines around a suite's output: Begin and its name, End, its name and "ok" or an error. After a File with its name and
// length come that many bytes: one that the suite has written.
const (
	Begin = "### begin "
	End   = "### end "
	File  = "### file "
)

// An ordinary user of the guest, and the groups that systemd would have made for one who is logged in. UserManager is
// handed over to the user, with all that is below; a Session is not.
const (
	UserID      = 1000
	UserManager = "user.slice/user-1000.slice/user@1000.service"
	UserScope   = UserManager + "/app.slice/run-1.scope"
	Session     = "user.slice/user-1000.slice/session-1.scope"
)

// Suites are what runs in the guest, in this order. The scripts are those in which the kernel matters: version 2 of
// control groups, an older overlayfs, modules; v2-* are for such a kernel only. What reads and writes images, formats and
// flags is the same on every kernel. Neither are there those that kill and begin anew again and again (crash, loss,
// restart, lifecycle): without KVM they take minutes. Nor update and limits, which let one process of several be killed at 30 MB:
// this kernel gives each of Go's processes some huge pages, so together they have so much before the greedy one has begun.
//
// The lessons are compared with transcripts of this very machine (.v2, .swap, .weights): plain ones only, since what is
// explained changes often, and they are written anew by -suites '^lessons$' -update. Rates and shares are masked: in a
// machine without KVM that does not have its processors for itself no measurement comes out to the percent.
var Suites = []Suite{
	{Name: "root", Package: "testscripts", Test: "TestScripts", Scripts: "v2-(cpu|disk|memory|modules)|run|macvlan|confine|doctor|pause|why"},
	{Name: "lessons", Package: "transcripts", Test: "TestTranscripts", Scripts: `3\.[45]\.en\.plain`, Args: []string{"-who=root"}},
	{Name: "labs", Package: "testscripts", Test: "TestScripts", Scripts: "labs"},
	{Name: "zh-lessons", Package: "transcripts", Test: "TestTranscripts", Scripts: `3\.[45]\.zh\.plain`, Args: []string{"-who=root"}, ByHand: true}, // the same commands: two minutes more
	{Name: "user-lessons", Package: "transcripts", Test: "TestTranscripts", Scripts: `3\.[45]\..*`, User: true, Group: UserScope, ByHand: true},
	{Name: "delegated", Package: "testscripts", Test: "TestScripts", Scripts: "v2-.*|exec", User: true, Group: UserScope},
	{Name: "undelegated", Package: "testscripts", Test: "TestScripts", Scripts: "run|pause", User: true, Group: Session},
}
