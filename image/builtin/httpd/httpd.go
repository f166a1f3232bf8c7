// Package httpd is the program of the built-in image httpd: a web server for files, which says in the words of the classic
// one that it works. It stands where that one stands in tutorials: port 80, the directory htdocs, one line a request in
// the Common Log Format on stdout, SIGTERM to end at once and SIGWINCH to end when everybody has been served.
package httpd

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sandbox/image/builtin/httpd/port"
)

// Documents is where the pages are: a volume mounted there replaces them.
const Documents = "/usr/local/apache2/htdocs"

// Page is the index.html of the image.
const Page = "<html><body><h1>It works!</h1></body></html>\n"

// Main is the program; it returns its exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(port.Name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprintf(stderr, "usage: %s [-p [ADDRESS:]PORT] [-h DIRECTORY]\n", port.Name) }
	address := flags.String("p", strconv.Itoa(port.Usual), "")
	directory := flags.String("h", Documents, "")
	flags.Bool("f", true, "") // in the foreground: it never goes elsewhere
	if err := flags.Parse(args[1:]); err != nil || flags.NArg() > 0 {
		if err == nil {
			flags.Usage()
		}
		return 1
	}
	listener, err := listen(*address)
	if err != nil {
		fmt.Fprintf(stderr, "httpd: %v\n", err)
		return 1
	}
	return serve(listener, &pages{root: http.Dir(*directory), log: stdout}, stderr)
}

// listen takes the socket that is open already, or opens one.
func listen(address string) (net.Listener, error) {
	if port.FD >= 0 {
		file := os.NewFile(uintptr(port.FD), "listener")
		defer file.Close() // the listener has its own
		return net.FileListener(file)
	}
	if !strings.Contains(address, ":") {
		address = ":" + address
	}
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		err = fmt.Errorf("cannot listen on %s: another program does already\n  → choose another port with -p, or end that program (`netstat -tlnp` shows it)", address)
	case errors.Is(err, syscall.EACCES):
		err = fmt.Errorf("cannot listen on %s: permission denied\n  → ports below 1024 are root's: choose another one with -p", address)
	}
	return listener, err
}

// serve answers requests until a signal ends it.
func serve(listener net.Listener, handler http.Handler, stderr io.Writer) int {
	web := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, IdleTimeout: time.Minute, ErrorLog: log.New(stderr, "httpd: ", 0)}
	signals := make(chan os.Signal, 4)
	defer signal.Stop(signals)
	if err := notify(signals); err != nil {
		fmt.Fprintf(stderr, "httpd: %v\n", err)
		return 1
	}
	done := make(chan error, 1)
	go func() { done <- web.Serve(listener) }()
	for {
		select {
		case sig := <-signals:
			if sig != syscall.SIGWINCH {
				web.Close()
				return 0
			}
			go func() { done <- web.Shutdown(context.Background()) }()
		case err := <-done:
			if err == nil {
				return 0
			}
			if errors.Is(err, http.ErrServerClosed) {
				continue // Shutdown has begun; it says when it is over
			}
			fmt.Fprintf(stderr, "httpd: %v\n", err)
			return 1
		}
	}
}
