package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// quick is an account's line with a hash that takes little time, in the form that `htpasswd -B` writes.
func quick(t testing.TB, user, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return user + ":$2y" + strings.TrimPrefix(string(hash), "$2a") + "\n"
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAccounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "htpasswd")
	write(t, path, "# accounts\n\n"+quick(t, "alice", "secret")+"old:$apr1$abc$xyz\nnonsense\n")
	accounts, err := OpenAccounts(path)
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, Options{Accounts: accounts, Realm: "the realm"})
	challenge := `WWW-Authenticate: Basic realm="the realm", charset="UTF-8"`
	for _, address := range []string{"/v2/", "/v2/_catalog", "/v2/a/tags/list", "/v2/a/blobs/" + sum("").String(), "/v2/BAD/tags/list", "/v2/nothing"} {
		w.ask("GET", address, "").want(t, 401, codeUnauthorized, challenge)
	}
	w.ask("POST", "/v2/a/blobs/uploads/?digest="+sum("x").String(), "x").want(t, 401, codeUnauthorized, challenge)
	for user, status := range map[string]int{"alice:secret": 200, "alice:wrong": 401, "alice:": 401, "bob:secret": 401, ":": 401, "old:": 401, "nonsense:": 401} {
		for range 2 { // the second time from memory
			if got := w.ask("GET", "/v2/", "", "user: "+user); got.StatusCode != status {
				t.Errorf("%s: %d", user, got.StatusCode)
			}
		}
	}
	w.ask("GET", "/v2/", "", "Authorization: Bearer x").want(t, 401, codeUnauthorized)
	w.ask("GET", "/", "").want(t, 200, "") // alive

	// The file changes: a new account is in, an old password is out.
	write(t, path+".new", quick(t, "alice", "other")+quick(t, "bob", "secret"))
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	for user, status := range map[string]int{"alice:secret": 401, "alice:other": 200, "bob:secret": 200} {
		w.ask("GET", "/v2/", "", "user: "+user).want(t, status, map[int]string{401: codeUnauthorized}[status])
	}
	if err := os.Remove(path); err != nil { // nobody can say who may come in: nobody may
		t.Fatal(err)
	}
	w.ask("GET", "/v2/", "", "user: bob:secret").want(t, 401, codeUnauthorized)
	if _, err := OpenAccounts(path); err == nil {
		t.Error("a file that is not there was opened")
	}
}

func TestSetPassword(t *testing.T) {
	path := filepath.Join(t.TempDir(), "htpasswd")
	for _, account := range [][2]string{{"alice", "one"}, {"bob", "two"}, {"alice", "three"}} {
		if err := SetPassword(path, account[0], account[1]); err != nil {
			t.Fatal(err)
		}
	}
	accounts, err := OpenAccounts(path)
	if err != nil {
		t.Fatal(err)
	}
	for account, right := range map[[2]string]bool{{"alice", "one"}: false, {"alice", "three"}: true, {"bob", "two"}: true} {
		if got := accounts.Check(account[0], account[1], t.Logf); got != right {
			t.Errorf("%v: %v", account, got)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	content, _ := os.ReadFile(path)
	if bytes.Count(content, []byte("\n")) != 2 {
		t.Errorf("got %q", content)
	}
	for _, user := range []string{"", "a:b", "a\nb", "#a", strings.Repeat("a", 256)} {
		if SetPassword(path, user, "x") == nil {
			t.Errorf("%q was taken as a name", user)
		}
	}
	for _, password := range []string{"", strings.Repeat("a", 73)} {
		if SetPassword(path, "carol", password) == nil {
			t.Errorf("%q was taken as a password", password)
		}
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, content) {
		t.Error("a refused password has changed the file")
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left over: %v", left)
	}
}

// locked is a log that several requests write to.
type locked struct {
	sync.Mutex
	bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.Write(p)
}

// TestLog: a line a request, whatever the client sends.
func TestLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "htpasswd")
	write(t, path, quick(t, "a\"b", "x"))
	accounts, err := OpenAccounts(path)
	if err != nil {
		t.Fatal(err)
	}
	log := &locked{}
	w := start(t, Options{Accounts: accounts, Log: log})
	w.ask("GET", "/v2/", "", "user: a\"b:x").want(t, 200, "")
	w.ask("HEAD", "/v2/evil%0a127.0.0.1/tags/list?x=%22", "").want(t, 401, "")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, want := range []string{`127.0.0.1 - a\"b [`, `127.0.0.1 - - [`} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %q, want %q in front", lines[i], want)
		}
	}
	for i, want := range []string{`] "GET /v2/ HTTP/1.1" 200 2 `, `] "HEAD /v2/evil%0a127.0.0.1/tags/list?x=%22 HTTP/1.1" 401 `} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %q, want %q in it", lines[i], want)
		}
	}
}
