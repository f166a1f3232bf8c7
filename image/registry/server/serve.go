package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"sandbox/kernel"
)

// Listening says where a registry is to be had.
type Listening struct {
	Addr             string // "127.0.0.1:5000"
	Certificate, Key string // PEM files; both empty: plain HTTP
	Ready            func(net.Addr)
}

// farewell is how long requests may go on after the end was asked for. An upload that is cut off then can be resumed.
const farewell = 5 * time.Second

// Serve answers requests until ctx is done, and then ends in order. Old uploads are removed at the start and every hour.
func (s *Server) Serve(ctx context.Context, l Listening) error {
	// No limit on a whole request, a layer may take hours, but one on its headers: idle connections are not free.
	web := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute, IdleTimeout: 3 * time.Minute}
	secure := l.Certificate != "" || l.Key != ""
	if secure {
		pair, err := tls.LoadX509KeyPair(l.Certificate, l.Key)
		if err != nil {
			return kernel.Advise(fmt.Errorf("cannot read the certificate and its key: %w", err), "give two PEM files that belong together")
		}
		web.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	listener, err := net.Listen("tcp", l.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("cannot listen on %s: another program does already", l.Addr)
		return kernel.Advise(err, "choose another port, or end that program (`ss -ltnp` shows it)")
	}
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	if l.Ready != nil {
		l.Ready(listener.Addr())
	}
	return s.serve(ctx, web, listener, secure)
}

func (s *Server) serve(ctx context.Context, web *http.Server, listener net.Listener, secure bool) error {
	done := make(chan error, 1)
	go func() {
		if secure {
			done <- web.ServeTLS(listener, "", "")
		} else {
			done <- web.Serve(listener)
		}
	}()
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		if _, err := s.store.purge(time.Now().Add(-keepUploads), false); err != nil {
			s.printf("old uploads: %v\n", err)
		}
		select {
		case <-hourly.C:
		case err := <-done:
			return err
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.Background(), farewell)
			defer cancel()
			if web.Shutdown(last) != nil {
				return web.Close()
			}
			return nil
		}
	}
}

// Main is the program of the image `registry`. It listens to Docker's variables for its own image registry:2.
//
//	registry [serve]                                          REGISTRY_… as below
//	registry garbage-collect [--dry-run] [--delete-untagged]
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	dir := setting("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/var/lib/registry")
	verb := "serve"
	if len(args) > 1 {
		verb, args = args[1], args[2:]
	} else {
		args = nil
	}
	var err error
	switch verb {
	case "serve":
		err = mainServe(ctx, dir, args)
	case "garbage-collect":
		err = mainCollect(dir, args, os.Stdout)
	default:
		err = kernel.Advise(fmt.Errorf("unknown command %q", verb), "registry serve, or registry garbage-collect [--dry-run] [--delete-untagged]")
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "registry: %v\n", err)
	if cure := kernel.CureOf(err); cure != "" {
		fmt.Fprintf(os.Stderr, "  → %s\n", cure)
	}
	return 1
}

func setting(name, usual string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return usual
}

func mainServe(ctx context.Context, dir string, args []string) error {
	if len(args) > 0 {
		fmt.Fprintf(os.Stderr, "registry: %s is not read: settings come from REGISTRY_… in the environment\n", args[0])
	}
	deletes, err := strconv.ParseBool(setting("REGISTRY_STORAGE_DELETE_ENABLED", "false"))
	if err != nil {
		return fmt.Errorf("REGISTRY_STORAGE_DELETE_ENABLED: true or false is expected")
	}
	o := Options{NoDelete: !deletes, Realm: os.Getenv("REGISTRY_AUTH_HTPASSWD_REALM"), Log: os.Stderr}
	if path := os.Getenv("REGISTRY_AUTH_HTPASSWD_PATH"); path != "" {
		if o.Accounts, err = OpenAccounts(path); err != nil {
			return err
		}
	}
	return New(dir, o).Serve(ctx, Listening{
		Addr:        setting("REGISTRY_HTTP_ADDR", ":5000"),
		Certificate: os.Getenv("REGISTRY_HTTP_TLS_CERTIFICATE"), Key: os.Getenv("REGISTRY_HTTP_TLS_KEY"),
		Ready: func(addr net.Addr) { fmt.Printf("listening on %s\n", addr) },
	})
}

func mainCollect(dir string, args []string, out io.Writer) error {
	var o CollectOptions
	for _, arg := range args {
		switch arg {
		case "-d", "--dry-run":
			o.DryRun = true
		case "-m", "--delete-untagged", "--delete-untagged=true":
			o.Untagged = true
		default:
			fmt.Fprintf(os.Stderr, "registry: %s is not read: settings come from REGISTRY_… in the environment\n", arg)
		}
	}
	report, err := Collect(dir, o)
	report.Print(out, o.DryRun)
	return err
}

// Print tells what was taken away, a line each and a sum.
func (r Report) Print(w io.Writer, dryRun bool) {
	for _, list := range []struct {
		what  string
		names []string
	}{{"manifest", r.Manifests}, {"link", r.Layers}, {"blob", r.Blobs}, {"upload", r.Uploads}, {"damaged, left alone:", r.Damaged}} {
		for _, name := range list.names {
			fmt.Fprintf(w, "%s %s\n", list.what, name)
		}
	}
	verb := "removed"
	if dryRun {
		verb = "to remove:"
	}
	fmt.Fprintf(w, "%s %d manifests, %d links, %d blobs (%d bytes), %d uploads\n", verb,
		len(r.Manifests), len(r.Layers), len(r.Blobs), r.Bytes, len(r.Uploads))
}
