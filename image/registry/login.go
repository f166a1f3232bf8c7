package registry

import (
	"context"
	"fmt"
	"net/http"

	"sandbox/kernel"
)

var whyLogin = kernel.Why{EN: "does the registry know this account?", ZH: "Registry 认识这个账号吗？"}

// Login asks a registry whether it accepts an account. It returns what to keep of it: some registries give an identity
// token, which is better kept than a password.
func (c *Client) Login(ctx context.Context, registry string, account Credential) (Credential, error) {
	e, err := c.connect(ctx, registry)
	if err != nil {
		return account, err
	}
	e.pass.mu.Lock()
	e.pass.credential, e.pass.looked, e.pass.tokens = account, true, nil
	bearer := e.pass.asked.scheme == "bearer"
	e.pass.mu.Unlock()
	if bearer && account.IdentityToken == "" {
		answer, err := e.askToken(ctx, account, nil, true)
		if err != nil {
			return account, err
		}
		e.pass.mu.Lock()
		e.pass.tokens = map[string]token{"": answer.token()}
		e.pass.mu.Unlock()
		if answer.RefreshToken != "" {
			account.Password, account.IdentityToken = "", answer.RefreshToken
		}
	}
	resp, err := e.admitted(ctx, &request{method: http.MethodGet, path: "/v2/", why: whyLogin})
	if err != nil {
		return account, err
	}
	if resp.StatusCode == http.StatusUnauthorized {
		return account, e.loginRefused(resp, account)
	}
	if resp.StatusCode != http.StatusOK {
		return account, e.failed(resp)
	}
	drain(resp)
	return account, nil
}

// loginRefused says that an account, or the lack of one, was not accepted.
func (e *endpoint) loginRefused(resp *http.Response, account Credential) error {
	err := readProblem(resp)
	switch {
	case resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusBadRequest:
		return e.adviseStatus(err)
	case account == (Credential{}):
		return kernel.Advise(fmt.Errorf("%s wants a login: %w", e.pass.account, err), "sandbox login %s", e.loginArgument())
	}
	return kernel.Advise(fmt.Errorf("%s does not accept the name or password of %q: %w", e.pass.account, account.Username, err),
		"sandbox login %s   (a wrong name, a slip in the password, or an access token that has expired)", e.loginArgument())
}

// loginArgument is what `sandbox login` wants to be told.
func (e *endpoint) loginArgument() string {
	if e.pass.account == Hub {
		return ""
	}
	return e.pass.account
}
