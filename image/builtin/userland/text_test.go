package userland

import (
	"os"
	"testing"
)

const poem = "one two\nthree four five\n\nsix\nseven  eight\n"

// Text commands read standard input and write standard output. What they are held to was compared with GNU's.
func TestTextCommands(t *testing.T) {
	for _, c := range []struct {
		want string
		code int
		args []string
	}{
		{poem, 0, []string{"cat"}},
		{"     1\tone two\n     2\tthree four five\n     3\t\n     4\tsix\n     5\tseven  eight\n", 0, []string{"cat", "-n"}},
		{"one two$\nthree four five$\n$\nsix$\nseven  eight$\n", 0, []string{"cat", "-A"}},
		{"one two\n", 0, []string{"head", "-1"}},
		{"one", 0, []string{"head", "-c3"}},
		{"one two\nthree four five\n\n", 0, []string{"head", "-n", "-2"}},
		{"six\nseven  eight\n", 0, []string{"tail", "-n2"}},
		{"\nsix\nseven  eight\n", 0, []string{"tail", "-n", "+3"}},
		{"ght\n", 0, []string{"tail", "-c", "4"}},
		{"      5       8      42\n", 0, []string{"wc"}},
		{"5\n", 0, []string{"wc", "-l"}},
		{"seven  eight\nsix\n\nthree four five\none two\n", 0, []string{"tac"}},
		{"owt eno\nevif ruof eerht\n\nxis\nthgie  neves\n", 0, []string{"rev"}},
		{"\none two\nseven  eight\nsix\nthree four five\n", 0, []string{"sort"}},
		{"two\nfour\n\nsix\n\n", 0, []string{"cut", "-d", " ", "-f2"}},
		{"on\nth\n\nsi\nse\n", 0, []string{"cut", "-c1-2"}},
		{"ONE TWO\nTHREE FOUR FIVE\n\nSIX\nSEVEN  EIGHT\n", 0, []string{"tr", "a-z", "A-Z"}},
		{"n tw\nthr fr fv\n\nsx\nsvn  ght\n", 0, []string{"tr", "-d", "aeiou"}},
		{"one two\nthree four five\n\nsix\nseven eight\n", 0, []string{"tr", "-s", " "}},
		{"three four five\nsix\nseven  eight\n", 0, []string{"grep", "-E", "i[vxg]"}},
		{"1:one two\n", 0, []string{"grep", "-n", `\bt.o`}},
		{"", 1, []string{"grep", "nothing"}},
		{"3\n", 0, []string{"grep", "-c", "e"}},
		{"one two\n\nsix\n", 0, []string{"grep", "-v", "ee\\|ve"}},
		{"two\n", 0, []string{"grep", "-o", "t[[:alpha:]]o"}},
		{"\nsix\nseven  eight\n", 0, []string{"grep", "-C1", "six"}},
		{"OnE two\nthrEe four five\n\nsix\nsEven  eight\n", 0, []string{"sed", "s/e/E/;1s/o/O/"}},
		{"two one\nfour three five\n\nsix\neight  seven\n", 0, []string{"sed", "-E", `s/([a-z]+)( +)([a-z]+)/\3\2\1/`}},
		{"three four five\n", 0, []string{"sed", "-n", "/three/p"}},
		{"six\nseven  eight\n", 0, []string{"sed", "1,/^$/d"}},
		{"one two,three four five,,six,seven  eight\n", 0, []string{"sed", `:a;N;$!ba;s/\n/,/g`}},
		{"one two\nnew\n", 0, []string{"sed", "1a new\n1q"}},
		{"8\n", 0, []string{"awk", "{ n += NF } END { print n }"}},
		{"two\n", 0, []string{"awk", "NR == 1 { print $2 }"}},
		{"one\n tw\no\n", 0, []string{"fold", "-w3"}},
		{"b25lIHR3bwo=\n", 0, []string{"base64"}},
		{"acbd18db4cc2f85cedef654fccc4a4d8  -\n", 0, []string{"md5sum"}},
	} {
		stdin := poem
		switch c.args[0] {
		case "fold", "base64":
			stdin = "one two\n"
		case "md5sum":
			stdin = "foo"
		}
		stdout, stderr, code := call(t, stdin, c.args...)
		if stdout != c.want || code != c.code {
			t.Errorf("%q: code %d, %q and stderr %q; want code %d, %q", c.args, code, stdout, stderr, c.code, c.want)
		}
	}
}

func TestNumbersAreSorted(t *testing.T) {
	const numbers = "10 b\n9 a\n100 c\n9 a\n1K x\n"
	for _, c := range []struct {
		want string
		args []string
	}{
		{"1K x\n9 a\n9 a\n10 b\n100 c\n", []string{"sort", "-n"}},
		{"9 a\n9 a\n10 b\n100 c\n1K x\n", []string{"sort", "-h"}},
		{"100 c\n10 b\n9 a\n9 a\n1K x\n", []string{"sort", "-rn"}},
		{"10 b\n100 c\n1K x\n9 a\n", []string{"sort", "-u"}},
		{"9 a\n9 a\n10 b\n100 c\n1K x\n", []string{"sort", "-k2,2"}},
	} {
		if stdout, stderr, _ := call(t, numbers, c.args...); stdout != c.want {
			t.Errorf("%q printed %q %q, not %q", c.args, stdout, stderr, c.want)
		}
	}
	stdout, _, _ := call(t, "a\na\nb\n", "uniq", "-c")
	check(t, "uniq -c", stdout, "      2 a\n      1 b\n")
	mustPrint(t, "08\n09\n10\n", "seq", "-w", "8", "10")
	mustPrint(t, "0.5\n1.0\n1.5\n", "seq", "0.5", "0.5", "1.5")
}

func TestDiff(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n")
	write(t, "b", "1\n2\n3\nfour\n5\n6\n7\n8\n9\n10")
	stdout, _, code := call(t, "", "diff", "a", "b")
	check(t, "the code of files that differ", code, 1)
	check(t, "diff", stdout, "4c4\n< 4\n---\n> four\n9a10\n> 10\n\\ No newline at end of file\n")
	stdout, _, _ = call(t, "", "diff", "-U1", "-L", "a", "-L", "b", "a", "b")
	check(t, "diff -U1", stdout, "--- a\n+++ b\n@@ -3,3 +3,3 @@\n 3\n-4\n+four\n 5\n@@ -9 +9,2 @@\n 9\n+10\n\\ No newline at end of file\n")
	_, _, code = call(t, "", "diff", "a", "a")
	check(t, "the code of equal files", code, 0)
	_, _, code = call(t, "", "diff", "a", "nothing")
	check(t, "the code of trouble", code, 2)
}

// Whatever edits are found, they have to turn the one into the other.
func TestEditsLeadThere(t *testing.T) {
	texts := [][]string{{}, {"a"}, {"a", "b", "c"}, {"b", "c", "d"}, {"c", "b", "a"}, {"a", "x", "b", "y", "c"}, {"a", "a", "b", "a"}}
	for _, a := range texts {
		for _, b := range texts {
			var result []string
			at := 0
			for _, e := range findEdits(a, b) {
				result = append(append(result, a[at:e.fromA]...), b[e.fromB:e.toB]...)
				at = e.toA
			}
			result = append(result, a[at:]...)
			check(t, "the edited text", join(result), join(b))
		}
	}
}

func join(lines []string) string {
	text := ""
	for _, line := range lines {
		text += line + "\n"
	}
	return text
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern  string
		extended bool
		text     string
		matches  bool
	}{
		{`a\{2\}b`, false, "aab", true}, {`a{2}b`, false, "aab", false}, {`a{2}b`, true, "aab", true},
		{`\(ab\)*c`, false, "ababc", true}, {`a+`, false, "a+", true}, {`a+`, false, "aa", false}, {`a\+`, false, "aa", true},
		{`*a`, false, "*a", true}, {`a|b`, false, "b", false}, {`a\|b`, false, "b", true}, {`[]a]`, false, "]", true},
		{`[^]a]`, false, "]", false}, {`[\]`, false, `\`, true}, {`[[:upper:]]x`, true, "Ax", true}, {`a^b$c`, false, "a^b$c", true},
		{`\<b`, false, "a b", true}, {`\.`, true, "x", false}, {`x{`, true, "x{", true}, {`a**`, false, "aaa", true},
	} {
		re, err := compilePattern(c.pattern, c.extended, false)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
		} else if re.MatchString(c.text) != c.matches {
			t.Errorf("%s (extended %v) and %q: match is not %v", c.pattern, c.extended, c.text, c.matches)
		}
	}
	if _, err := compilePattern(`\(a\)\1`, false, false); err == nil {
		t.Error("a reference back to a group is not refused")
	}
	for pattern, name := range map[string]string{"*.txt": "a.txt", "[a-c]?[!x]": "bzz", `\*`: "*", "a*b*c": "aXbYbc", "[": "["} {
		if !fnmatch(pattern, name) || fnmatch(pattern, name+"x") && pattern != "*.txt" {
			t.Errorf("%s and %s", pattern, name)
		}
	}
}

func TestFlags(t *testing.T) {
	p := &Process{Args: []string{"cmd", "-ab5", "-n", "7", "--lines=8", "x", "-c", "--", "-d"}}
	opts, operands, err := p.options("ab:n:cd", map[string]string{"lines": "n"})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "b", opts.value('b'), "5")
	check(t, "the last n", opts.value('n'), "8")
	check(t, "c after an operand", opts.has('c'), true)
	check(t, "d after --", opts.has('d'), false)
	check(t, "the operands", join(operands), "x\n-d\n")
	for want, args := range map[string][]string{
		"invalid option -- 'z'":                    {"cmd", "-z"},
		"option requires an argument -- 'n'":       {"cmd", "-n"},
		"unrecognized option '--zz'":               {"cmd", "--zz"},
		"option '--all' doesn't allow an argument": {"cmd", "--all=1"},
	} {
		_, _, err := (&Process{Args: args}).options("an:", map[string]string{"all": "a"})
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, not %s", args, err, want)
		}
	}
	_, operands, _ = (&Process{Args: []string{"env", "ls", "-l"}}).options("+i", nil)
	check(t, "the operands of env", join(operands), "ls\n-l\n")
}

func TestValues(t *testing.T) {
	for args, want := range map[string]string{"1 + 2 * 3": "7\n", "( 1 + 2 ) * 3": "9\n", "abc : a.*": "3\n", "length hello": "5\n",
		"7 % 4": "3\n", "b > a": "1\n", "substr hello 2 3": "ell\n", "+ 5": "5\n"} {
		mustPrint(t, want, append([]string{"expr"}, split(args)...)...)
	}
	for args, want := range map[string]int{"a = a": 0, "1 -gt 2": 1, "! -e /nowhere": 0, "-d /": 0, "x -a -z x": 1, "( a = b ) -o c": 0,
		"1 -eq x": 2, "! = !": 0} {
		_, _, code := call(t, "", append([]string{"test"}, split(args)...)...)
		if code != want {
			t.Errorf("test %s: %d, not %d", args, code, want)
		}
	}
	mustPrint(t, "2023-11-14T22:13:20+00:00\n", "date", "-u", "-d", "@1700000000", "-Iseconds")
	mustPrint(t, "2024-03-01\n", "date", "-u", "-d", "2024-02-28 +2 days", "+%F")
	mustPrint(t, "007|ff|a\tb\n", "printf", `%03d|%x|a\tb\n`, "7", "255")
	mustPrint(t, "c\n", "basename", "/a/b/c.txt", ".txt")
	mustPrint(t, "/a/b\n", "dirname", "/a/b/c")
	for bytes, want := range map[int64]string{0: "0", 1023: "1023", 1024: "1.0K", 10240: "10K", 10241: "11K", 1 << 20: "1.0M"} {
		check(t, "a size", humanSize(bytes), want)
	}
}

func split(text string) []string {
	words, _ := quotedWords(text)
	return words
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
