package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"sandbox/kernel"
)

// A credential helper is a program docker-credential-NAME that keeps accounts in a keyring. It is started with one word
// and reads standard input (docker/docker-credential-helpers):
//
//	get     ← the registry     → {"ServerURL", "Username", "Secret"}
//	store   ← {"ServerURL", "Username", "Secret"}
//	erase   ← the registry
//
// The user name <token> says that the secret is an identity token.
const (
	helperPrefix  = "docker-credential-"
	tokenUsername = "<token>"
)

type helperAccount struct{ ServerURL, Username, Secret string }

func runHelper(ctx context.Context, helper, action, input string) ([]byte, error) {
	if strings.ContainsAny(helper, "/\x00") {
		return nil, fmt.Errorf("credential helper %q: a name, not a path, belongs into the configuration file", helper)
	}
	cmd := exec.CommandContext(ctx, helperPrefix+helper, action)
	cmd.Stdin = strings.NewReader(input)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	output, err := cmd.Output()
	if err != nil {
		if said := strings.TrimSpace(string(output) + complaints.String()); said != "" { // they complain on standard output
			err = fmt.Errorf("%w: %s", err, said)
		}
		return output, kernel.Advise(fmt.Errorf("credential helper %s%s %s: %w", helperPrefix, helper, action, err),
			"install it, or take it out of credsStore and credHelpers in Docker's config.json")
	}
	return output, nil
}

// askHelper returns the zero value if the helper has no such account.
func askHelper(ctx context.Context, helper, key string) (Credential, error) {
	output, err := runHelper(ctx, helper, "get", key)
	if err != nil {
		if said := strings.ToLower(string(output)); strings.Contains(said, "not found") {
			return Credential{}, nil // "credentials not found in native keychain"
		}
		return Credential{}, err
	}
	var a helperAccount
	if err := json.Unmarshal(output, &a); err != nil {
		return Credential{}, fmt.Errorf("credential helper %s%s: unreadable answer: %w", helperPrefix, helper, err)
	}
	if a.Username == tokenUsername {
		return Credential{IdentityToken: a.Secret}, nil
	}
	return Credential{Username: a.Username, Password: a.Secret}, nil
}

func tellHelper(ctx context.Context, helper, key string, credential Credential) error {
	a := helperAccount{ServerURL: key, Username: credential.Username, Secret: credential.Password}
	if credential.IdentityToken != "" {
		a.Username, a.Secret = tokenUsername, credential.IdentityToken
	}
	input, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = runHelper(ctx, helper, "store", string(input))
	return err
}

func eraseFromHelper(ctx context.Context, helper, key string) error {
	_, err := runHelper(ctx, helper, "erase", key)
	return err
}
