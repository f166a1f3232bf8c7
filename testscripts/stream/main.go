// Command stream measures how much a TCP connection carries:
//
//	stream serve PORT         reads whatever comes
//	stream send ADDRESS 2s    sends for so long and prints bytes a second
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "serve":
		return serve(args[1])
	case len(args) == 3 && args[0] == "send":
		d, err := time.ParseDuration(args[2])
		if err != nil {
			return err
		}
		return send(args[1], d)
	}
	return fmt.Errorf("stream serve PORT | send ADDRESS TIME")
}

func serve(port string) error {
	l, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, make([]byte, 1<<20))
		}()
	}
}

func send(address string, d time.Duration) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	block, sent, start := make([]byte, 1<<20), 0, time.Now()
	for time.Since(start) < d {
		n, err := conn.Write(block)
		if err != nil {
			return err
		}
		sent += n
	}
	fmt.Printf("%.0f\n", float64(sent)/time.Since(start).Seconds())
	return nil
}
