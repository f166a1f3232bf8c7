package transcripts

import (
	"strings"
	"testing"
)

// mistake is something that a learner has done in a lab's shell, and what `lab check` should then say.
type mistake struct {
	number   string
	exercise string
	did      string // "" for nothing yet
	want     string // a piece of the hint in English, or of the praise
}

const praise = "All of it is right"

// The hint depends on what is wrong, and other ways than the solution's are right too. Package course
// tests more of those of 3.1 and 3.5, without a real container.
func TestHints(t *testing.T) {
	for _, m := range mistakes() {
		name := m.number + "/" + m.exercise + "/" + m.want
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shell := world(t, everybody()[0])("--lang=en", "lab", "shell", m.number)
			shell.Env = append(shell.Env, "SHELL=/bin/sh")
			// What the learner did must not be what checking prints.
			shell.Stdin = strings.NewReader("{\n" + m.did + "\n:\n} >/tmp/did 2>&1 </dev/null\nsandbox lab check " + m.number + " " + m.exercise + "\ncat /tmp/did >&2\n")
			var said, did strings.Builder
			shell.Stdout, shell.Stderr = &said, &did
			if err := shell.Run(); err != nil {
				t.Fatalf("%v\n%s%s", err, said.String(), did.String())
			}
			// A hint may be broken into lines at any space.
			if text := strings.Join(strings.Fields(strings.ReplaceAll(said.String(), "│", "")), " "); !strings.Contains(text, m.want) {
				t.Errorf("after\n%s\nthis is missing: %s\n%s\nwhat the commands printed:\n%s", m.did, m.want, said.String(), did.String())
			}
		})
	}
}

// mistakes is a table, in the order of the course.
func mistakes() []mistake {
	const shop, rewrite = "cat > /tmp/shop/Dockerfile <<'END'\nFROM base\n", "\nEND"
	const retold = "printf 'FROM base\\nRUN mkdir /opt/probe && echo there is water > /opt/probe/report && rm /etc/protocols\\n"
	return append(mistakesInLayers(), []mistake{
		{"2.4", "1", "", "There is no image `greeter:1` yet"},
		{"2.4", "1", "sandbox tag base greeter", "under the tag `latest`"},
		{"2.4", "1", "sandbox tag hello greeter:1", "Its layers are not those of `base`"},
		{"2.4", "1", "sandbox tag base greeter:1", "with `commit` you can hand over such an instruction with `-c`"},
		{"2.4", "1", "printf 'FROM base\\nCMD echo good evening' | sandbox build -t greeter:1 -", "It says something else"},
		{"2.4", "1", "sandbox create --name talker base && sandbox commit -c 'CMD [\"echo\", \"good morning\"]' talker greeter:1", praise},
		{"2.4", "2", "", "Which file must be there *before* the `RUN`"},
		{"2.4", "2", "echo nonsense >> /tmp/shop/Dockerfile", "cannot be built"},
		{"2.4", "2", shop + "COPY packages /shop/\nRUN mkdir /opt/installed && touch /opt/installed/nginx" + rewrite, "The page does not get into the image"},
		{"2.4", "2", shop + "RUN mkdir /opt/installed && date +%N | tee /opt/installed/nginx /opt/installed/redis\nCOPY page /shop/\nCMD cat /shop/page" + rewrite,
			"What is installed must depend on the file"},
		{"2.4", "2", shop + "RUN --mount=type=bind,source=packages,target=/p mkdir /opt/installed && for p in $(cat /p); do date +%N > /opt/installed/$p; done\n" +
			"COPY page /shop/\nCMD cat /shop/page" + rewrite, praise},
		{"2.4", "3", "", "Begin by comparing"},
		{"2.4", "3", "sandbox rmi mystery", "brings it back"},
		{"2.4", "3", "sandbox tag mystery retold", "is not what the successor needs"},
		{"2.4", "3", retold + "' | sandbox build -t retold -", "a list of names does not show that"},
		{"2.4", "3", retold + "RUN echo \"rover\t4711/tcp\" >>/etc/services' | sandbox build -t retold -", "What else does an image have?"},
		{"3.1", "1", "", "There is no container `clock` yet"},
		{"3.1", "1", "sandbox run -d --name clock base sh -c 'while :; do date; sleep 2; done'", praise},
	}...)
}
