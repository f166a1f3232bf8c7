package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"sandbox/kernel"
)

// A registry that does not let everybody in answers 401 and says in WWW-Authenticate what it wants (RFC 9110, 11.6.1):
//
//	Basic realm="…"                              a user's name and password with each request
//	Bearer realm="https://…",service="…"         a token, to be had at the realm: a pass for certain repositories and
//	                                             actions (the scopes), for some minutes. Docker Hub gives one to anybody
//	                                             who only wants to read what is public
//
// The second is described with Docker's registry ("token authentication specification"); OCI has not taken it over, but
// all have.

// passport is what a registry wants to see, and what we have to show.
type passport struct {
	account string // the registry's name: under which the user's account is looked up

	mu         sync.Mutex
	asked      challenge
	looked     bool // credential has been looked up
	credential Credential
	tokens     map[string]token // by scopes
}

// challenge is a WWW-Authenticate header. The zero value: everybody is let in.
type challenge struct{ scheme, realm, service, scope string }

type token struct {
	value   string
	expires time.Time
	uses    int
}

// usualLife of a token that does not say how long it lives.
const usualLife = time.Minute

// learn reads what a registry wants.
func (p *passport) learn(resp *http.Response) error {
	asked, err := parseChallenge(resp.Header.Values("WWW-Authenticate"))
	if err != nil {
		return kernel.Advise(fmt.Errorf("%s wants a login, but %w", resp.Request.URL.Host, err), "is that a registry? `sandbox registry serve` is one")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = asked
	return nil
}

// renew takes note of a 401 that a request with these scopes has got: the pass that it had is no good. It reports whether
// another one may do better: the same password will not, nor a token like one that was new.
func (p *passport) renew(resp *http.Response, scopes []string) (bool, error) {
	p.mu.Lock()
	before, key := p.asked, strings.Join(scopes, " ")
	used, had := p.tokens[key]
	delete(p.tokens, key)
	p.mu.Unlock()
	if err := p.learn(resp); err != nil {
		return false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	again := p.asked.scheme != before.scheme || p.asked.scheme == "bearer" && (!had || used.uses > 1)
	return again, nil
}

// parseChallenge picks the way to log in that we know; Bearer goes before Basic.
func parseChallenge(headers []string) (challenge, error) {
	var known []challenge
	for _, header := range headers {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
		c := challenge{scheme: strings.ToLower(scheme)}
		parameters := parseParameters(rest)
		c.realm, c.service, c.scope = parameters["realm"], parameters["service"], parameters["scope"]
		if c.scheme == "basic" || c.scheme == "bearer" && c.realm != "" {
			known = append(known, c)
		}
	}
	if len(known) == 0 {
		return challenge{}, fmt.Errorf("not by a way that sandbox knows (Basic, Bearer): WWW-Authenticate %q", headers)
	}
	return slices.MaxFunc(known, func(a, b challenge) int { return cmp.Compare(a.scheme, b.scheme) }), nil
}

// parseParameters reads key="value",key=value. In quotes a backslash takes the next character as it is.
func parseParameters(s string) map[string]string {
	parameters := map[string]string{}
	for s != "" {
		key, rest, found := strings.Cut(s, "=")
		if !found {
			break
		}
		rest = strings.TrimLeft(rest, " \t")
		var value strings.Builder
		quoted := strings.HasPrefix(rest, `"`)
		i := 0
		if quoted {
			i = 1
		}
		for ; i < len(rest); i++ {
			if quoted && rest[i] == '"' || !quoted && rest[i] == ',' {
				break
			}
			if quoted && rest[i] == '\\' && i+1 < len(rest) {
				i++
			}
			value.WriteByte(rest[i])
		}
		parameters[strings.ToLower(strings.Trim(key, " ,\t"))] = strings.TrimSpace(value.String())
		s = strings.TrimLeft(rest[min(i, len(rest)):], `", `)
	}
	return parameters
}

// authorize shows a request's pass.
func (e *endpoint) authorize(ctx context.Context, req *http.Request, scopes []string) error {
	p := &e.pass
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked.scheme == "" {
		return nil
	}
	credential, err := e.credential(ctx)
	if err != nil {
		return err
	}
	if p.asked.scheme == "basic" {
		if credential.Username != "" {
			req.SetBasicAuth(credential.Username, credential.Password)
		}
		return nil
	}
	if credential.RegistryToken != "" {
		req.Header.Set("Authorization", "Bearer "+credential.RegistryToken)
		return nil
	}
	t, err := e.token(ctx, credential, scopes)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+t)
	return nil
}

// credential is the user's account at this registry, the zero value if there is none. The passport is locked.
func (e *endpoint) credential(ctx context.Context) (Credential, error) {
	p := &e.pass
	if p.looked {
		return p.credential, nil
	}
	credential, err := e.client.Credential(ctx, p.account)
	if err == nil {
		p.credential, p.looked = credential, true
	}
	return credential, err
}

// token returns a pass for some scopes; one is got if there is none that lives. The passport is locked.
func (e *endpoint) token(ctx context.Context, credential Credential, scopes []string) (string, error) {
	p, key := &e.pass, strings.Join(scopes, " ")
	t, ok := p.tokens[key]
	if !ok || time.Now().After(t.expires) {
		answer, err := e.askToken(ctx, credential, scopes, false)
		if err != nil {
			return "", err
		}
		t = answer.token()
	}
	if p.tokens == nil {
		p.tokens = map[string]token{}
	}
	t.uses++
	p.tokens[key] = t
	return t.value, nil
}

// tokenAnswer is what a token server says.
type tokenAnswer struct {
	Token        string `json:"token"`
	AccessToken  string `json:"access_token"`  // the same, as OAuth 2 calls it
	RefreshToken string `json:"refresh_token"` // an identity token: stands for the password from now on
	ExpiresIn    int    `json:"expires_in"`    // seconds
}

func (a tokenAnswer) token() token {
	life := usualLife
	if a.ExpiresIn > 0 {
		life = time.Duration(a.ExpiresIn) * time.Second
	}
	// An upload that begins within a token's life should be let in to its end: use four fifths of it.
	return token{value: cmp.Or(a.Token, a.AccessToken), expires: time.Now().Add(life * 4 / 5)}
}

var (
	whyToken     = kernel.Why{EN: "a pass for exactly this, for some minutes", ZH: "取一张通行证：只允许这一件事，几分钟内有效"}
	whyAnonymous = kernel.Why{EN: "a pass for anybody: to read what is public", ZH: "匿名通行证：只能读公开的内容"}
)

// askToken asks a token server for a pass; to log in, also for an identity token.
func (e *endpoint) askToken(ctx context.Context, credential Credential, scopes []string, login bool) (tokenAnswer, error) {
	req, err := e.tokenRequest(ctx, credential, scopes, login)
	if err != nil {
		return tokenAnswer{}, err
	}
	for attempt := 1; ; attempt++ {
		resp, err := e.http.Do(req)
		if err != nil {
			return tokenAnswer{}, e.unreachable(ctx, err)
		}
		if wait := max(backOff(attempt), retryAfter(resp)); isPassingStatus(resp.StatusCode) && attempt < attempts && wait <= maxPause {
			drain(resp)
			if err := e.client.o.Pause(ctx, wait); err != nil {
				return tokenAnswer{}, err
			}
			if req.GetBody != nil {
				req.Body, _ = req.GetBody()
			}
			continue
		}
		return e.readToken(resp, credential)
	}
}

func (e *endpoint) readToken(resp *http.Response, credential Credential) (tokenAnswer, error) {
	var answer tokenAnswer
	if resp.StatusCode != http.StatusOK {
		return answer, e.loginRefused(resp, credential)
	}
	data, err := readAll(resp, maxManifest)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(data, &answer); err != nil || answer.token().value == "" {
		return answer, errors.Join(fmt.Errorf("%s gave no token", resp.Request.URL.Host), err)
	}
	return answer, nil
}

// tokenRequest is a GET with the password, if there is one; with an identity token it is OAuth 2's POST.
func (e *endpoint) tokenRequest(ctx context.Context, credential Credential, scopes []string, login bool) (*http.Request, error) {
	realm, err := e.at(e.pass.asked.realm) // a password does not go to a realm without encryption if the registry has it
	if err != nil {
		return nil, err
	}
	values := url.Values{"service": {e.pass.asked.service}}
	if len(scopes) == 0 && e.pass.asked.scope != "" && !login {
		scopes = []string{e.pass.asked.scope}
	}
	why := whyToken
	if credential == (Credential{}) {
		why = whyAnonymous
	}
	ctx = withWhy(ctx, why)
	if credential.IdentityToken != "" {
		values.Set("grant_type", "refresh_token")
		values.Set("refresh_token", credential.IdentityToken)
		values.Set("client_id", "sandbox")
		values.Set("scope", strings.Join(scopes, " "))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, realm.String(), strings.NewReader(values.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return req, err
	}
	values["scope"] = scopes
	if credential.Username != "" {
		values.Set("account", credential.Username)
	}
	if login {
		values.Set("offline_token", "true")
		values.Set("client_id", "sandbox")
	}
	query := realm.Query()
	for key, list := range values {
		query[key] = list
	}
	realm.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, realm.String(), nil)
	if err == nil && credential.Username != "" {
		req.SetBasicAuth(credential.Username, credential.Password)
	}
	if err == nil {
		req.Header.Set("User-Agent", userAgent)
	}
	return req, err
}

// scope of a repository, as token servers know it.
func scope(repository, actions string) string { return "repository:" + repository + ":" + actions }
