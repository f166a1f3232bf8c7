package chapter2

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/image/layer/tartest"
	"sandbox/image/registry/server"
	"sandbox/kernel"
	"sandbox/labs/command"
)

// desk is a person with a store, an account file and a registry.
type desk struct {
	t        *testing.T
	root     string
	registry string
	input    string
	out, err bytes.Buffer
}

func newDesk(t *testing.T, o server.Options) *desk {
	s := httptest.NewServer(server.New(t.TempDir(), o))
	t.Cleanup(s.Close)
	d := &desk{t: t, root: t.TempDir(), registry: strings.TrimPrefix(s.URL, "http://")}
	t.Setenv("DOCKER_CONFIG", filepath.Join(d.root, "docker"))
	t.Setenv("SANDBOX_MIRROR", "")
	return d
}

// run runs a command; REG in the arguments is the registry. It returns what the command printed, with REG, DIGEST, LAYER and
// N for what is another one each time.
func (d *desk) run(make func(*command.Env) *cobra.Command, args string) (string, error) {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), "input")
	if err := os.WriteFile(path, []byte(d.input), 0o600); err != nil {
		d.t.Fatal(err)
	}
	in, err := os.Open(path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer in.Close()
	d.out.Reset()
	d.err.Reset()
	env := &command.Env{In: in, Out: &d.out, Err: &d.err, Root: d.root, Lang: "en"}
	cmd := make(env)
	cmd.SetArgs(strings.Fields(strings.ReplaceAll(args, "REG", d.registry)))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(context.Background())
	text := strings.ReplaceAll(d.out.String(), d.registry, "REG")
	text = regexp.MustCompile(`sha256:[0-9a-f]{64}`).ReplaceAllString(text, "DIGEST")
	text = regexp.MustCompile(`size: \d+`).ReplaceAllString(text, "size: N")
	text = regexp.MustCompile(` {2,}`).ReplaceAllString(text, "  ") // columns are as wide as the registry's port has digits
	return regexp.MustCompile(`(?m)^[0-9a-f]{12}:`).ReplaceAllString(text, "LAYER:"), err
}

func (d *desk) mustRun(make func(*command.Env) *cobra.Command, args, wanted string) {
	d.t.Helper()
	got, err := d.run(make, args)
	if err != nil {
		d.t.Errorf("%s: %v", args, err)
	}
	if got != wanted {
		d.t.Errorf("%s:\n%s\nwanted:\n%s", args, got, wanted)
	}
}

// put puts an image of two layers into the store.
func (d *desk) put(names ...string) {
	d.t.Helper()
	env := &command.Env{Root: d.root}
	draft, err := env.Engine().Images.Begin()
	if err != nil {
		d.t.Fatal(err)
	}
	defer draft.Discard()
	for _, content := range []string{"one", "two"} {
		if _, err := draft.AddLayer(bytes.NewReader(tartest.Archive(d.t, tartest.File(content, content)))); err != nil {
			d.t.Fatal(err)
		}
	}
	var parsed []image.Name
	for _, name := range names {
		n, err := image.ParseName(strings.ReplaceAll(name, "REG", d.registry))
		if err != nil {
			d.t.Fatal(err)
		}
		parsed = append(parsed, n)
	}
	if _, err := draft.Commit(v1.ConfigFile{OS: "linux", Architecture: "amd64"}, parsed...); err != nil {
		d.t.Fatal(err)
	}
}

// TestPushAndPull: the commands print what Docker's do.
func TestPushAndPull(t *testing.T) {
	d := newDesk(t, server.Options{})
	d.put("REG/w/httpd:1.0", "REG/w/httpd:latest", "REG/other/httpd:v1")
	d.mustRun(NewPush, "REG/w/httpd:1.0", "The push refers to repository [REG/w/httpd]\nLAYER: Pushed\nLAYER: Pushed\n1.0: digest: DIGEST size: N\n")
	d.mustRun(NewPush, "REG/w/httpd", "Using default tag: latest\nThe push refers to repository [REG/w/httpd]\nLAYER: Layer already exists\nLAYER: Layer already exists\nlatest: digest: DIGEST size: N\n")
	d.mustRun(NewPush, "REG/other/httpd:v1", "The push refers to repository [REG/other/httpd]\nLAYER: Mounted from w/httpd\nLAYER: Mounted from w/httpd\nv1: digest: DIGEST size: N\n")
	d.mustRun(NewPush, "-q REG/other/httpd:v1", "REG/other/httpd:v1\n")
	if got, err := d.run(NewPush, "-a REG/w/httpd"); err != nil || strings.Count(got, "digest: DIGEST") != 2 || strings.Count(got, "The push") != 1 {
		t.Errorf("%s %v", got, err)
	}
	d.root = t.TempDir()
	const fetched = "LAYER: Pull complete\nLAYER: Pull complete\nDigest: DIGEST\nStatus: Downloaded newer image for "
	d.mustRun(NewPull, "REG/w/httpd:1.0", "1.0: Pulling from w/httpd\n"+fetched+"REG/w/httpd:1.0\nREG/w/httpd:1.0\n")
	d.mustRun(NewPull, "REG/w/httpd:1.0", "1.0: Pulling from w/httpd\nDigest: DIGEST\nStatus: Image is up to date for REG/w/httpd:1.0\nREG/w/httpd:1.0\n")
	d.mustRun(NewPull, "REG/w/httpd", "Using default tag: latest\nlatest: Pulling from w/httpd\nLAYER: Already exists\nLAYER: Already exists\nDigest: DIGEST\nStatus: Downloaded newer image for REG/w/httpd:latest\nREG/w/httpd:latest\n")
	d.mustRun(NewPull, "-q REG/other/httpd:v1", "REG/other/httpd:v1\n")
	d.root = t.TempDir()
	if got, err := d.run(NewPull, "-a REG/w/httpd"); err != nil || strings.Count(got, "Digest: DIGEST") != 2 {
		t.Errorf("%s %v", got, err)
	}
	d.mustRun(NewSearch, "REG/w/", "NAME  DESCRIPTION  STARS  OFFICIAL\nREG/w/httpd  0\n")
	d.mustRun(NewSearch, "--format {{.Name}} REG/httpd", "REG/other/httpd\nREG/w/httpd\n")
}

// TestRefused: what cannot be is said before anybody is asked, with a cure.
func TestRefused(t *testing.T) {
	d := newDesk(t, server.Options{})
	d.put("REG/w/httpd:1.0")
	for _, c := range []struct {
		make              func(*command.Env) *cobra.Command
		args, cause, cure string
	}{
		{NewPull, "base", "built-in image", "docker.io/library/base"},
		{NewPush, "base:latest", "built-in image", "sandbox run base"},
		{NewPull, "Bad/Name", "invalid image name", "as in"},
		{NewPull, "-a REG/w/httpd:1.0", "--all-tags", "pull -a"},
		{NewPush, "-a REG/w/httpd:1.0", "--all-tags", "push -a"},
		{NewPush, "-a REG/nothing", "no image here", "sandbox images"},
		{NewPush, "REG/nothing:1", "no image", "sandbox images"},
		{NewPush, "REG/w/httpd@sha256:" + strings.Repeat("0", 64), "a registry gives the digest", "NAME:TAG"},
		{NewPull, "--platform a/b/c/d REG/w/httpd:1.0", "invalid platform", "--platform linux/arm64"},
		{NewPull, "REG/w/httpd:1.0", "has no REG/w/httpd:1.0", "check the name"},
		{NewSearch, "--limit 0 x", "out of range", "1 to 100"},
		{NewSearch, "-f colour=red x", "no such filter", "stars=N"},
		{NewSearch, "-f stars=many x", "invalid filter", "stars=N"},
		{NewLogin, "REG", "no terminal", "--password-stdin"},
		{NewLogin, "--password-stdin REG", "needs --username", "-u NAME"},
		{NewLogin, "-u a --password-stdin REG", "has no password", "echo PASSWORD"},
		{NewLogin, "-u a -p b --password-stdin REG", "exclude each other", "leave --password out"},
		{NewLogin, "https:///", "invalid registry", "localhost:5000"},
	} {
		_, err := d.run(c.make, c.args)
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), d.registry, "REG"), c.cause) || !strings.Contains(kernel.CureOf(err), c.cure) {
			t.Errorf("%s: %v\n  → %s", c.args, err, kernel.CureOf(err))
		}
	}
}

func TestLoginLogout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts")
	if err := server.SetPassword(path, "worden525", "secret"); err != nil {
		t.Fatal(err)
	}
	known, err := server.OpenAccounts(path)
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, server.Options{Accounts: known})
	d.put("REG/httpd:1")
	if _, err := d.run(NewPush, "REG/httpd:1"); err == nil || !strings.Contains(kernel.CureOf(err), "sandbox login "+d.registry) {
		t.Errorf("%v", err)
	}
	d.input = "wrong\n"
	if _, err := d.run(NewLogin, "-u worden525 --password-stdin REG"); err == nil || !strings.Contains(err.Error(), "does not accept") {
		t.Errorf("%v", err)
	}
	d.input = "secret\n"
	d.mustRun(NewLogin, "-u worden525 --password-stdin http://REG/v1/", "Login Succeeded\n")
	if got := d.err.String(); !strings.Contains(got, "WARNING! Your password will be stored unencrypted in "+os.Getenv("DOCKER_CONFIG")) {
		t.Errorf("%s", got)
	}
	d.mustRun(NewLogin, "REG", "Login Succeeded\n")
	d.mustRun(NewPush, "-q REG/httpd:1", "REG/httpd:1\n")
	d.mustRun(NewLogout, "REG", "Removing login credentials for REG\n")
	d.mustRun(NewLogout, "REG", "Not logged in to REG\n")
	d.mustRun(NewLogout, "", "Not logged in to https://index.docker.io/v1/\n")
}
