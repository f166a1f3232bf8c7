package chapter2

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"sandbox/image/registry"
	"sandbox/kernel"
	"sandbox/labs/command"
)

type loginOptions struct {
	username, password string
	passwordStdin      bool
}

// NewLogin makes `sandbox login`.
func NewLogin(env *command.Env) *cobra.Command {
	var opts loginOptions
	cmd := &cobra.Command{
		Use:   "login [flags] [REGISTRY]",
		Short: "Log in to a registry",
		Long: `Log in to a registry; without one: to Docker Hub.

The account is kept where Docker keeps it, in ~/.docker/config.json ($DOCKER_CONFIG), or with the credential helper
that this file names.`,
		Example: "  sandbox login -u worden525\n  sandbox login localhost:5000\n  sandbox login -u worden525 --password-stdin localhost:5000 < password.txt",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, done := interruptible(cmd.Context())
			defer done()
			return ended(runLogin(ctx, env, opts, args))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&opts.username, "username", "u", "", "the account's name")
	f.StringVarP(&opts.password, "password", "p", "", "the password; everybody on the machine can see it meanwhile")
	f.BoolVar(&opts.passwordStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

func runLogin(ctx context.Context, env *command.Env, opts loginOptions, args []string) error {
	host, err := registryHost(args)
	if err != nil {
		return err
	}
	client := registryClient(env)
	if opts.username == "" && !opts.passwordStdin {
		if done, err := loginAsBefore(ctx, env, client, host); done || err != nil {
			return err
		}
	}
	account, err := askAccount(ctx, env, opts, host)
	if err != nil {
		return err
	}
	keep, err := client.Login(ctx, host, account)
	if err != nil {
		return err
	}
	helper, err := client.SaveCredential(ctx, host, keep)
	if err != nil {
		return fmt.Errorf("the login is right, but it cannot be kept: %w", err)
	}
	if helper == "" && keep.Password != "" {
		fmt.Fprintf(env.Err, "WARNING! Your password will be stored unencrypted in %s.\nConfigure a credential helper (\"credsStore\") to remove this warning.\n\n", client.ConfigFile())
	}
	fmt.Fprintln(env.Out, "Login Succeeded")
	return nil
}

// loginAsBefore tries the account that is known already.
func loginAsBefore(ctx context.Context, env *command.Env, client *registry.Client, host string) (bool, error) {
	known, err := client.Credential(ctx, host)
	if err != nil || known == (registry.Credential{}) {
		return false, err
	}
	fmt.Fprintln(env.Err, "Authenticating with existing credentials...")
	if _, err := client.Login(ctx, host, known); err != nil {
		fmt.Fprintf(env.Err, "They are not accepted any more: %v\n", err)
		return false, nil
	}
	fmt.Fprintln(env.Out, "Login Succeeded")
	return true, nil
}

// registryHost is the registry that login and logout mean, as names have it.
func registryHost(args []string) (string, error) {
	if len(args) == 0 {
		return registry.Hub, nil
	}
	host := args[0]
	if _, rest, found := strings.Cut(host, "://"); found {
		host = rest
	}
	host, _, _ = strings.Cut(host, "/")
	switch host {
	case "":
		return "", kernel.Advise(fmt.Errorf("invalid registry %q", args[0]), "a host, and a port if it has one: localhost:5000")
	case "index.docker.io", "registry-1.docker.io", "hub.docker.com":
		return registry.Hub, nil
	}
	return host, nil
}

// askAccount gets together a name and a password: from flags, or from the person.
func askAccount(ctx context.Context, env *command.Env, opts loginOptions, host string) (registry.Credential, error) {
	account := registry.Credential{Username: opts.username, Password: opts.password}
	switch {
	case opts.passwordStdin && opts.password != "":
		return account, kernel.Advise(errors.New("--password and --password-stdin exclude each other"), "leave --password out")
	case opts.passwordStdin && opts.username == "":
		return account, kernel.Advise(errors.New("--password-stdin needs --username"), "sandbox login -u NAME --password-stdin %s", host)
	case opts.passwordStdin:
		data, err := io.ReadAll(io.LimitReader(env.In, 1<<20))
		account.Password = strings.TrimRight(string(data), "\r\n")
		if err == nil && account.Password == "" {
			err = kernel.Advise(errors.New("standard input has no password"), "echo PASSWORD | sandbox login -u NAME --password-stdin %s", host)
		}
		return account, err
	case opts.password != "":
		fmt.Fprintln(env.Err, "WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
	}
	return account, askRest(ctx, env, &account, host)
}

// askRest asks the person at the terminal for what is still missing; the password is not shown.
func askRest(ctx context.Context, env *command.Env, account *registry.Credential, host string) (err error) {
	if account.Username != "" && account.Password != "" {
		return nil
	}
	if !term.IsTerminal(int(env.In.Fd())) {
		return kernel.Advise(errors.New("cannot ask for the name and password: standard input is no terminal"), "sandbox login -u NAME --password-stdin %s", host)
	}
	if account.Username == "" {
		fmt.Fprint(env.Out, "Username: ")
		if account.Username, err = readLine(ctx, env); err != nil {
			return err
		}
	}
	if account.Password == "" {
		fmt.Fprint(env.Out, "Password: ")
		if account.Password, err = readSecret(ctx, env); err != nil {
			return err
		}
	}
	if account.Username == "" || account.Password == "" {
		return errors.New("a name and a password are needed")
	}
	return nil
}

// readSecret reads a line from the terminal, which does not show what is typed meanwhile: only the end of the line.
func readSecret(ctx context.Context, env *command.Env) (string, error) {
	fd := int(env.In.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return "", err
	}
	silent := *before
	silent.Lflag = silent.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG | unix.ECHONL
	door := env.Engine().Door
	step := kernel.Step{Effect: kernel.TerminalMode{FD: fd, Mode: silent}, Section: "2.6", Why: kernel.Why{EN: "what you type is not shown", ZH: "输入的内容不显示"}}
	if err := door.Do(step); err != nil {
		return "", err
	}
	step.Effect, step.Why = kernel.TerminalMode{FD: fd, Mode: *before}, kernel.Why{EN: "your terminal is as it was", ZH: "你的终端恢复原样"}
	defer door.Do(step)
	return readLine(ctx, env)
}

// readLine reads a line from the terminal, unless Ctrl-C comes first.
func readLine(ctx context.Context, env *command.Env) (string, error) {
	type answer struct {
		line string
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(env.In).ReadString('\n') // a terminal gives a line at a time, never more
		read <- answer{strings.TrimRight(line, "\r\n"), err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(env.Out)
		return "", context.Canceled
	case a := <-read:
		return a.line, a.err
	}
}
