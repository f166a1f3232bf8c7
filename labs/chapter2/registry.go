package chapter2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sandbox/image/registry/server"
	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// NewRegistry makes `sandbox registry` (tutorial 2.6.2).
func NewRegistry(env *command.Env) *cobra.Command {
	group := &cobra.Command{
		Use:     "registry",
		Short:   "A registry of one's own: push to it, pull from it",
		Example: "  sandbox registry serve &\n  sandbox tag base localhost:5000/base:v1 && sandbox push localhost:5000/base:v1",
	}
	group.AddCommand(newRegistryServe(env), newRegistryCollect(env), newRegistryPasswd(env))
	return group
}

// registryDir is --dir, or a directory beside the images.
func registryDir(env *command.Env, given string) string {
	if given != "" {
		return given
	}
	return filepath.Join(container.DefaultPaths(env.Root).State, "registry")
}

const registryDirHelp = "where images are kept, in the layout of Docker's registry (by default the directory registry beside the images)"

type serveOptions struct {
	addr, dir, htpasswd, certificate, key string
	noDelete                              bool
}

func newRegistryServe(env *command.Env) *cobra.Command {
	var opts serveOptions
	cmd := &cobra.Command{
		Use:   "serve [flags]",
		Short: "Be a registry, until Ctrl-C",
		Long: `Serve is a registry (OCI distribution 1.1) over a directory. It says on standard output where it listens, and on standard
error what it is asked for. The directory has the layout of Docker's own registry, which can serve it too.`,
		Example: "  sandbox registry serve\n  sandbox registry serve --addr 127.0.0.1:5001 --dir /srv/registry --htpasswd accounts",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runRegistryServe(env, opts) },
	}
	f := cmd.Flags()
	f.StringVar(&opts.addr, "addr", "127.0.0.1:5000", "address and port to listen on; port 0: any that is free")
	f.StringVar(&opts.dir, "dir", "", registryDirHelp)
	f.StringVar(&opts.htpasswd, "htpasswd", "", "a file with accounts: who has none stays out (see sandbox registry passwd)")
	f.BoolVar(&opts.noDelete, "no-delete", false, "refuse to delete images")
	f.StringVar(&opts.certificate, "tls-cert", "", "HTTPS, with the certificate in this file")
	f.StringVar(&opts.key, "tls-key", "", "and its key in this one")
	return cmd
}

func runRegistryServe(env *command.Env, opts serveOptions) error {
	if (opts.certificate == "") != (opts.key == "") {
		return kernel.Advise(errors.New("a certificate without a key, or a key without a certificate"), "give both --tls-cert and --tls-key")
	}
	o := server.Options{NoDelete: opts.noDelete, Log: env.Err}
	if opts.htpasswd != "" {
		accounts, err := server.OpenAccounts(opts.htpasswd)
		if err != nil {
			return kernel.Advise(fmt.Errorf("cannot read the accounts: %w", err), "sandbox registry passwd %s USER   makes the file", opts.htpasswd)
		}
		o.Accounts = accounts
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return server.New(registryDir(env, opts.dir), o).Serve(ctx, server.Listening{
		Addr: opts.addr, Certificate: opts.certificate, Key: opts.key,
		Ready: func(addr net.Addr) { fmt.Fprintf(env.Out, "listening on %s\n", addr) },
	})
}

type collectOptions struct {
	dir              string
	dryRun, untagged bool
}

func newRegistryCollect(env *command.Env) *cobra.Command {
	var opts collectOptions
	cmd := &cobra.Command{
		Use:   "garbage-collect [flags]",
		Short: "Give back the space of what no image refers to any more",
		Long: `Garbage-collect removes blobs that no manifest refers to, and unfinished uploads of last week. It may run beside the server: pushes wait
for it, and what was pushed or asked for within the last hour stays.`,
		Example: "  sandbox registry garbage-collect --dry-run\n  sandbox registry garbage-collect --dir /srv/registry --delete-untagged",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := server.Collect(registryDir(env, opts.dir), server.CollectOptions{DryRun: opts.dryRun, Untagged: opts.untagged})
			if errors.Is(err, os.ErrNotExist) {
				return kernel.Advise(err, "--dir DIR, the directory that the registry serves")
			}
			report.Print(env.Out, opts.dryRun)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.dir, "dir", "", registryDirHelp)
	f.BoolVarP(&opts.dryRun, "dry-run", "d", false, "only say what would be removed")
	f.BoolVarP(&opts.untagged, "delete-untagged", "m", false, "also images without a tag")
	return cmd
}

func newRegistryPasswd(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "passwd FILE USER",
		Short: "Make an account for a registry, or give it another password",
		Long: `Passwd asks for a password, or reads one line of standard input, and writes the account into FILE as 'htpasswd -B' does. A
server that uses the file notices at once.`,
		Example: "  sandbox registry passwd accounts worden525\n  echo secret | sandbox registry passwd accounts worden525",
		Args:    cobra.ExactArgs(2),
		RunE:    func(cmd *cobra.Command, args []string) error { return runRegistryPasswd(env, args[0], args[1]) },
	}
}

func runRegistryPasswd(env *command.Env, file, user string) error {
	password, err := readNewPassword(env)
	if err != nil {
		return fmt.Errorf("cannot read the password: %w", err)
	}
	if password == "" {
		return kernel.Advise(errors.New("an empty password"), "type one, or: echo PASSWORD | sandbox registry passwd %s %s", file, user)
	}
	return server.SetPassword(file, user, password)
}

// readNewPassword reads without an echo from a terminal, else a line.
func readNewPassword(env *command.Env) (string, error) {
	if term.IsTerminal(int(env.In.Fd())) {
		fmt.Fprint(env.Err, "Password: ")
		password, err := term.ReadPassword(int(env.In.Fd()))
		fmt.Fprintln(env.Err)
		return string(password), err
	}
	content, err := io.ReadAll(io.LimitReader(env.In, 4096))
	line, _, _ := strings.Cut(string(content), "\n")
	return strings.TrimSuffix(line, "\r"), err
}
