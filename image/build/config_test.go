package build

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/kernel"
)

// TestConfiguration holds what instructions make of a configuration against what the Dockerfile reference says.
func TestConfiguration(t *testing.T) {
	for _, c := range []struct{ name, dockerfile, field, want string }{
		{"CMD exec", `CMD ["a","b c"]`, "Cmd", `["a","b c"]`},
		{"CMD shell", `CMD a b`, "Cmd", `["/bin/sh","-c","a b"]`},
		{"the last CMD counts", "CMD a\nCMD b", "Cmd", `["/bin/sh","-c","b"]`},
		{"bad JSON is for the shell", `CMD ['a']`, "Cmd", `["/bin/sh","-c","['a']"]`},
		{"SHELL", "SHELL [\"/bin/ash\",\"-c\"]\nCMD a", "Cmd", `["/bin/ash","-c","a"]`},
		{"ENTRYPOINT takes the base's CMD away", `ENTRYPOINT ["x"]`, "Cmd", `null`},
		{"ENTRYPOINT leaves a CMD of the same stage", "CMD [\"y\"]\nENTRYPOINT [\"x\"]", "Cmd", `["y"]`},
		{"ENTRYPOINT exec", `ENTRYPOINT ["x","y"]`, "Entrypoint", `["x","y"]`},
		{"ENTRYPOINT shell", `ENTRYPOINT x`, "Entrypoint", `["/bin/sh","-c","x"]`},
		{"ENTRYPOINT none", "ENTRYPOINT x\nENTRYPOINT []", "Entrypoint", `null`},
		{"ENV old form", "ENV A b c", "Env", `["PATH=/bin","A=b c"]`},
		{"ENV several", `ENV A=1 B="2 3" C=4\ 5`, "Env", `["PATH=/bin","A=1","B=2 3","C=4 5"]`},
		{"ENV again", "ENV A=1 B=2\nENV A=3", "Env", `["PATH=/bin","A=3","B=2"]`},
		{"ENV uses the values before the line", "ENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc", "Env", `["PATH=/bin","abc=bye","def=hello","ghi=bye"]`},
		{"ENV default", "ENV A=${NO:-x} B=${PATH:+y}", "Env", `["PATH=/bin","A=x","B=y"]`},
		{"ENV escaped", `ENV A=\$PATH B='$PATH'`, "Env", `["PATH=/bin","A=$PATH","B=$PATH"]`},
		{"ENV pattern", "ENV A=a.tar.gz\nENV B=${A%.gz} C=${A#a.} D=${A/tar/zip}", "Env", `["PATH=/bin","A=a.tar.gz","B=a.tar","C=tar.gz","D=a.zip.gz"]`},
		{"LABEL", "LABEL a=b \"c d\"=\"e\\\nf\"", "Labels", `{"a":"b","c d":"ef"}`},
		{"EXPOSE", "EXPOSE 80 53/UDP 8000-8002", "ExposedPorts", `{"53/udp":{},"80/tcp":{},"8000/tcp":{},"8001/tcp":{},"8002/tcp":{}}`},
		{"EXPOSE variable", "ENV P=\"1 2\"\nEXPOSE $P", "ExposedPorts", `{"1/tcp":{},"2/tcp":{}}`},
		{"VOLUME", "VOLUME /a /b\nVOLUME [\"/c d\"]", "Volumes", `{"/a":{},"/b":{},"/c d":{}}`},
		{"USER", "ENV U=app\nUSER $U:50", "User", `"app:50"`},
		{"WORKDIR is relative to the one before", "WORKDIR /a\nWORKDIR b/../c", "WorkingDir", `"/a/c"`},
		{"WORKDIR variable", "ENV D=/x\nWORKDIR $D/y", "WorkingDir", `"/x/y"`},
		{"STOPSIGNAL", "STOPSIGNAL SIGUSR1", "StopSignal", `"SIGUSR1"`},
		{"STOPSIGNAL number", "STOPSIGNAL 9", "StopSignal", `"9"`},
		{"SHELL kept", `SHELL ["a","b"]`, "Shell", `["a","b"]`},
		{"HEALTHCHECK", "HEALTHCHECK --interval=5s --retries=2 CMD a b", "Healthcheck", `{"Test":["CMD-SHELL","a b"],"Interval":5000000000,"Retries":2}`},
		{"HEALTHCHECK exec", `HEALTHCHECK CMD ["a"]`, "Healthcheck", `{"Test":["CMD","a"]}`},
		{"HEALTHCHECK NONE", "HEALTHCHECK NONE", "Healthcheck", `{"Test":["NONE"]}`},
		{"ONBUILD", "ONBUILD RUN a $B\nONBUILD COPY . /x", "OnBuild", `["RUN a $B","COPY . /x"]`},
		{"lower case", "env A=1", "Env", `["PATH=/bin","A=1"]`},
		{"escape", "", "Env", `["PATH=/bin"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			img := w.build("FROM base\nUSER root\n" + c.dockerfile + "\n")
			got, err := json.Marshal(reflect.ValueOf(img.Config).FieldByName(c.field).Interface())
			if err != nil || string(got) != c.want {
				t.Errorf("%s: %s, want %s (%v)", c.field, got, c.want, err)
			}
		})
	}
}

func TestEscapeDirective(t *testing.T) {
	w := newWorld(t)
	img := w.build("# escape=`\n# a comment\nFROM base\nENV A=c:\\dir `\n  B=`$x\n")
	if got := strings.Join(img.Config.Env, " "); got != `PATH=/bin A=c:\dir B=$x` {
		t.Errorf("Env: %s", got)
	}
}

func TestChange(t *testing.T) {
	config := v1.Config{Env: []string{"A=1"}, Cmd: []string{"old"}}
	err := Change(&config, []string{`CMD ["sh"]`, "env B=$A", "LABEL x=y", "EXPOSE 80", "VOLUME /v", "USER u", "WORKDIR /w", "STOPSIGNAL INT",
		"ONBUILD RUN x", "HEALTHCHECK NONE", `ENTRYPOINT ["e"]`})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(config)
	want := `{"Cmd":["sh"],"Healthcheck":{"Test":["NONE"]},"Entrypoint":["e"],"Env":["A=1","B=1"],"Labels":{"x":"y"},"OnBuild":["RUN x"],` +
		`"User":"u","Volumes":{"/v":{}},"WorkingDir":"/w","ExposedPorts":{"80/tcp":{}},"StopSignal":"INT"}`
	if string(got) != want {
		t.Errorf("configuration:\n%s\nwant:\n%s", got, want)
	}
	for change, word := range map[string]string{
		"RUN x": "possible are", "COPY a b": "possible are", "FROM x": "FROM", "CMDD x": "unknown instruction", "EXPOSE x": "invalid port",
		"ENV A": "ENV", "": "invalid change", "ENV A=2\nENV B=3": "one instruction", "STOPSIGNAL X": "no signal",
	} {
		before := fmt.Sprint(config)
		err := Change(&config, []string{"ENV NEW=1", change})
		if err == nil || !strings.Contains(err.Error()+kernel.CureOf(err), word) {
			t.Errorf("%q: %v", change, err)
		}
		if fmt.Sprint(config) != before {
			t.Errorf("%q has changed something", change)
		}
	}
}
