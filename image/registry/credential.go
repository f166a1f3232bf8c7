package registry

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sandbox/kernel"
)

// Credential is an account at a registry. The zero value is nobody's.
type Credential struct {
	Username, Password string
	IdentityToken      string // stands for the password: tokens are had for it
	RegistryToken      string // is itself the pass
}

// ConfigFile is Docker's file of accounts, which Podman's and other programs read too.
func (c *Client) ConfigFile() string {
	if c.o.ConfigDir == "" {
		return ""
	}
	return filepath.Join(c.o.ConfigDir, "config.json")
}

// accounts is the part of Docker's config.json that concerns registries.
type accounts struct {
	Auths   map[string]account `json:"auths"`
	Store   string             `json:"credsStore"`  // docker-credential-STORE keeps all accounts
	Helpers map[string]string  `json:"credHelpers"` // by registry: docker-credential-HELPER keeps this one
}

// account is an entry of "auths".
type account struct {
	Auth          string `json:"auth,omitempty"` // base64 of "user:password"
	Username      string `json:"username,omitempty"`
	Password      string `json:"password,omitempty"`
	IdentityToken string `json:"identitytoken,omitempty"`
	RegistryToken string `json:"registrytoken,omitempty"`
}

// accountKey is what the file calls a registry.
func accountKey(registry string) string {
	if registry == Hub {
		return HubAccount
	}
	return registry
}

// sameAccount compares a key of the file with a registry. Old ones are URLs.
func sameAccount(key, registry string) bool {
	if _, rest, found := strings.Cut(key, "://"); found {
		key = rest
	}
	host, _, _ := strings.Cut(key, "/")
	return host == registry || registry == Hub && (host == "index.docker.io" || host == hubHost)
}

func (c *Client) readAccounts() (*accounts, error) {
	a := &accounts{}
	if c.ConfigFile() == "" {
		return a, nil
	}
	data, err := os.ReadFile(c.ConfigFile())
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err == nil && len(bytes.TrimSpace(data)) > 0 {
		err = json.Unmarshal(data, a)
	}
	if err != nil {
		return nil, kernel.Advise(fmt.Errorf("cannot read the accounts in %s: %w", c.ConfigFile(), err), "correct the file, or move it away and log in again")
	}
	return a, nil
}

// helperFor is the program that keeps a registry's account; "" if the file itself does.
func (a *accounts) helperFor(registry string) string {
	for key, helper := range a.Helpers {
		if sameAccount(key, registry) {
			return helper
		}
	}
	return a.Store
}

// Credential looks up the user's account at a registry; the zero value if there is none.
func (c *Client) Credential(ctx context.Context, registry string) (Credential, error) {
	a, err := c.readAccounts()
	if err != nil {
		return Credential{}, err
	}
	if helper := a.helperFor(registry); helper != "" {
		credential, err := askHelper(ctx, helper, accountKey(registry))
		if err != nil || credential != (Credential{}) {
			return credential, err
		}
	}
	if entry, ok := a.Auths[accountKey(registry)]; ok && entry != (account{}) {
		return entry.decode(registry)
	}
	for key, entry := range a.Auths {
		if sameAccount(key, registry) && entry != (account{}) {
			return entry.decode(registry)
		}
	}
	return Credential{}, nil
}

func (a account) decode(registry string) (Credential, error) {
	c := Credential{Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken}
	if a.Auth != "" {
		data, err := base64.StdEncoding.DecodeString(a.Auth)
		user, password, found := strings.Cut(strings.TrimRight(string(data), "\x00"), ":")
		if err != nil || !found {
			return c, kernel.Advise(fmt.Errorf("the account for %s in the configuration file is damaged", registry), "sandbox login %s", registry)
		}
		c.Username, c.Password = user, password
	}
	return c, nil
}

func (c Credential) encode() account {
	a := account{Auth: base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password)), IdentityToken: c.IdentityToken, RegistryToken: c.RegistryToken}
	return a
}

// SaveCredential keeps an account, where the file says: in the file itself, or with a helper. It returns the helper's
// name, or "" if the password now stands in the file.
func (c *Client) SaveCredential(ctx context.Context, registry string, credential Credential) (helper string, err error) {
	if c.ConfigFile() == "" {
		return "", kernel.Advise(errors.New("there is no place for the account: no home directory is known"), "set $HOME, or $DOCKER_CONFIG")
	}
	a, err := c.readAccounts()
	if err != nil {
		return "", err
	}
	entry := credential.encode()
	if helper = a.helperFor(registry); helper != "" {
		if err := tellHelper(ctx, helper, accountKey(registry), credential); err != nil {
			return helper, err
		}
		entry = account{} // Docker, too, leaves an empty entry: there is an account, but not here
	}
	return helper, c.changeAuths(func(auths *object) error { return auths.set(accountKey(registry), entry) })
}

// EraseCredential forgets an account. It reports whether there was one.
func (c *Client) EraseCredential(ctx context.Context, registry string) (found bool, err error) {
	a, err := c.readAccounts()
	if err != nil {
		return false, err
	}
	for key := range a.Auths {
		found = found || sameAccount(key, registry)
	}
	if helper := a.helperFor(registry); helper != "" {
		if credential, err := askHelper(ctx, helper, accountKey(registry)); err == nil && credential != (Credential{}) {
			found = true
		}
		if err := eraseFromHelper(ctx, helper, accountKey(registry)); err != nil && found {
			return found, err
		}
	}
	if !found {
		return false, nil
	}
	return true, c.changeAuths(func(auths *object) error {
		auths.delete(func(key string) bool { return sameAccount(key, registry) })
		return nil
	})
}
