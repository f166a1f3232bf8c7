package userland

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestWget(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			io.WriteString(w, "It works!\n")
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/silent":
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	t.Chdir(t.TempDir())
	host := strings.TrimPrefix(server.URL, "http://")
	connecting := fmt.Sprintf("Connecting to %s (%s)\n", host, host)
	bar := "index.html           100% |********************************|    10  0:00:00 ETA\n"
	_, stderr, code := call(t, "", "wget", server.URL+"/")
	check(t, "exit code", code, 0)
	check(t, "progress", stderr, connecting+"saving to 'index.html'\n"+bar+"'index.html' saved\n")
	text, _ := os.ReadFile("index.html")
	check(t, "file", string(text), "It works!\n")
	mustRefuse(t, connecting+"wget: can't open 'index.html': File exists\n", 1, "wget", server.URL+"/")
	mustPrint(t, "It works!\n", "wget", "-q", "-O", "-", server.URL+"/moved")
	mustRefuse(t, connecting+"wget: server returned error: HTTP/1.1 404 Not Found\n", 1, "wget", server.URL+"/nonsense")
	mustRefuse(t, "wget: download timed out\n", 1, "wget", "-q", "-T", "0.1", "-O", "-", server.URL+"/silent")
	mustPrint(t, "", "wget", "-q", "-P", "sub/..", "-O", filepath.Join(".", "named"), server.URL+"/")
	server.Close()
	address, _, _ := net.SplitHostPort(host)
	mustRefuse(t, connecting+"wget: can't connect to remote host ("+address+"): Connection refused\n", 1, "wget", server.URL+"/")
}

// TestWgetIsImpatient: -T is how long nothing may come, not how long all of it may take.
func TestWgetIsImpatient(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 8 {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(500 * time.Millisecond)
		}
		if r.URL.Path == "/stuck" {
			<-r.Context().Done()
		}
	}))
	defer slow.Close()
	mustPrint(t, "xxxxxxxx", "wget", "-q", "-T", "3", "-O", "-", slow.URL+"/")
	stdout, stderr, code := call(t, "", "wget", "-q", "-T", "3", "-O", "-", slow.URL+"/stuck")
	check(t, "stuck", fmt.Sprint(stdout, stderr, code), "xxxxxxxxwget: download timed out\n1")
}

func TestProgressBar(t *testing.T) {
	b := &progressBar{name: "a-name-that-is-far-too-long", done: 50 << 20, total: 100 << 20}
	check(t, "half way", b.line(10*time.Second), "a-name-that-is-far-t  50% |****************                | 51200k  0:00:10 ETA")
	check(t, "a small number", byteCount(99999), "99999")
	check(t, "a large one", byteCount(5<<30), "5120M")
}

func TestNcBothWays(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		text, _ := io.ReadAll(conn) // ends when nc passes on the end of its stdin
		conn.Write(bytes.ToUpper(text))
		conn.Close()
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	stdout, stderr, code := call(t, "hello\n", "nc", "127.0.0.1", port)
	check(t, "answer", fmt.Sprint(stdout, stderr, code), "HELLO\n0")
}

// answerDNS serves one zone with one name.
func answerDNS(t *testing.T) (server string) {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	go func() {
		buffer := make([]byte, 512)
		for {
			n, from, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil {
				continue
			}
			m.Response = true
			question := m.Questions[0]
			header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 1}
			switch {
			case question.Name.String() == "web1." && question.Type == dnsmessage.TypeA:
				m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: [4]byte{172, 18, 0, 2}}}}
			case question.Name.String() == "2.0.18.172.in-addr.arpa.":
				m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName("web1.")}}}
			case question.Name.String() == "broken.":
				m.RCode = dnsmessage.RCodeServerFailure
				m.Additionals[0].Body = &dnsmessage.OPTResource{Options: []dnsmessage.Option{{Code: 15, Data: []byte("\x00\x16nobody to ask")}}}
			case question.Name.String() != "web1.":
				m.RCode = dnsmessage.RCodeNameError
			}
			if packet, err := m.Pack(); err == nil {
				socket.WriteTo(packet, from)
			}
		}
	}()
	return socket.LocalAddr().String()
}

func TestNslookup(t *testing.T) {
	server := answerDNS(t)
	heading := "Server:\t\t127.0.0.1\nAddress:\t" + server + "\n\n"
	mustPrint(t, heading+"Non-authoritative answer:\nName:\tweb1\nAddress: 172.18.0.2\n\n", "nslookup", "web1", server)
	mustPrint(t, heading+"Non-authoritative answer:\n2.0.18.172.in-addr.arpa\tname = web1.\n\n", "nslookup", "172.18.0.2", server)
	stdout, _, code := call(t, "", "nslookup", "nonesuch", server)
	check(t, "unknown name", stdout, heading+"** server can't find nonesuch: NXDOMAIN\n\n")
	check(t, "exit code", code, 1)
	stdout, _, _ = call(t, "", "nslookup", "broken", server)
	check(t, "a failure", stdout, heading+"** server can't find broken: SERVFAIL\n\n;; nobody to ask\n\n")
	check(t, "IPv6", reverseName(netip.MustParseAddr("fd00::1")), "1."+strings.Repeat("0.", 29)+"d.f.ip6.arpa.")
}
