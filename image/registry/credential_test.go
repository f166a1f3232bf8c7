package registry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func configured(t *testing.T, content string) *Client {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "docker")
	c := New(Options{ConfigDir: dir})
	if content != "" {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.ConfigFile(), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestCredentials(t *testing.T) {
	const file = `{"auths": {
		"https://index.docker.io/v1/": {"auth": "aHViOnNlY3JldDp4"},
		"https://old.example/v1/": {"auth": "b2xkOnB3"},
		"localhost:5000": {"username": "u", "password": "p"},
		"token.example": {"identitytoken": "t", "auth": "dTo="},
		"pass.example": {"registrytoken": "r"},
		"empty.example": {},
		"broken.example": {"auth": "***"}}}`
	c := configured(t, file)
	for registry, wanted := range map[string]Credential{
		"docker.io":      {Username: "hub", Password: "secret:x"},
		"old.example":    {Username: "old", Password: "pw"},
		"localhost:5000": {Username: "u", Password: "p"},
		"token.example":  {Username: "u", IdentityToken: "t"},
		"pass.example":   {RegistryToken: "r"},
		"empty.example":  {}, "localhost:5001": {}, "example": {},
	} {
		if got, err := c.Credential(t.Context(), registry); err != nil || got != wanted {
			t.Errorf("%s: %+v %v", registry, got, err)
		}
	}
	_, err := c.Credential(t.Context(), "broken.example")
	wantError(t, err, "damaged", "sandbox login broken.example")
	_, err = configured(t, `{"auths":`).Credential(t.Context(), "x.example")
	wantError(t, err, "cannot read the accounts", "log in again")
	if got, err := New(Options{}).Credential(t.Context(), "x.example"); err != nil || got != (Credential{}) {
		t.Errorf("without a home there is no account: %v %v", got, err)
	}
}

// TestTheFileStays: what is not ours in Docker's file is left alone, in its order.
func TestTheFileStays(t *testing.T) {
	c := configured(t, `{"zeta": {"b": 1, "a": [1, 2]}, "auths": {"z.example": {"auth": "dTpw", "extra": 1}}, "HttpHeaders": {"X": "y"}, "alpha": 1.50}`)
	if helper, err := c.SaveCredential(t.Context(), "a.example", Credential{Username: "u", Password: "p"}); err != nil || helper != "" {
		t.Fatal(helper, err)
	}
	data, err := os.ReadFile(c.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	const wanted = `{"zeta":{"b":1,"a":[1,2]},"auths":{"z.example":{"auth":"dTpw","extra":1},"a.example":{"auth":"dTpw"}},"HttpHeaders":{"X":"y"},"alpha":1.50}`
	if got := strings.Join(strings.Fields(string(data)), ""); got != wanted {
		t.Errorf("%s", data)
	}
	if info, err := os.Stat(c.ConfigFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if found, err := c.EraseCredential(t.Context(), "z.example"); !found || err != nil {
		t.Error(found, err)
	}
	if found, err := c.EraseCredential(t.Context(), "z.example"); found || err != nil {
		t.Error(found, err)
	}
	data, err = os.ReadFile(c.ConfigFile())
	if err != nil || strings.Contains(string(data), "z.example") || !strings.Contains(string(data), "a.example") {
		t.Errorf("%s %v", data, err)
	}
	if left, err := os.ReadDir(filepath.Dir(c.ConfigFile())); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
}

// TestLinkedConfig: a configuration that is kept elsewhere and linked to.
func TestLinkedConfig(t *testing.T) {
	c := configured(t, `{}`)
	target := filepath.Join(t.TempDir(), "kept.json")
	if err := os.Rename(c.ConfigFile(), target); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, c.ConfigFile()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SaveCredential(t.Context(), "docker.io", Credential{Username: "u", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(target)
	if err != nil || !strings.Contains(string(data), HubAccount) {
		t.Errorf("%s %v", data, err)
	}
	if info, err := os.Lstat(c.ConfigFile()); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v %v", info, err)
	}
}

// TestHelper: a program keeps the accounts, and nothing of them stands in the file.
func TestHelper(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "docker-credential-shelf")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv(childTask, "helper")
	for config, registry := range map[string]string{`{"credsStore":"shelf"}`: "docker.io", `{"credHelpers":{"a.example:5000":"shelf"}}`: "a.example:5000"} {
		c := configured(t, config)
		for _, account := range []Credential{{Username: "u", Password: "p w"}, {IdentityToken: "t"}} {
			if got, err := c.Credential(t.Context(), registry); err != nil || got != (Credential{}) {
				t.Errorf("before: %+v %v", got, err)
			}
			if helper, err := c.SaveCredential(t.Context(), registry, account); err != nil || helper != "shelf" {
				t.Fatal(helper, err)
			}
			data, err := os.ReadFile(c.ConfigFile())
			if err != nil || !strings.Contains(string(data), accountKey(registry)) || strings.Contains(string(data), `"auth"`) {
				t.Errorf("%s %v", data, err)
			}
			if got, err := c.Credential(t.Context(), registry); err != nil || got != account {
				t.Errorf("%+v %v", got, err)
			}
			if found, err := c.EraseCredential(t.Context(), registry); err != nil || !found {
				t.Error(found, err)
			}
		}
	}
	_, err = configured(t, `{"credsStore":"missing"}`).Credential(t.Context(), "docker.io")
	wantError(t, err, "docker-credential-missing", "install it")
	if _, err = configured(t, `{"credsStore":"../shelf"}`).Credential(t.Context(), "docker.io"); err == nil {
		t.Error("a helper is a name, not a path")
	}
}
