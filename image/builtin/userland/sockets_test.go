package userland

import (
	"bufio"
	"strings"
	"testing"
)

// A listening socket on 127.0.0.1:8080, as a little-endian machine prints it.
const listening = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 4242 1 0000000000000000 100 0 0 10 0\n"

func TestParseSocket(t *testing.T) {
	s, err := parseSocket("tcp", listening)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "port", s.local.Port(), 8080)
	check(t, "remote", oldEndpoint(s.remote), "0.0.0.0:*")
	check(t, "state", s.stateName()+" "+s.shortState(), "LISTEN LISTEN")
	check(t, "waiting, inode", s.waiting*100000+s.inode, 304242)
	check(t, "server", s.isServer(), true)
	if _, err := parseSocket("tcp", "0: nonsense\n"); err == nil {
		t.Error("half a line was accepted")
	}
}

func TestSocketStates(t *testing.T) {
	check(t, "UDP, not connected", (&netSocket{proto: "udp", state: tcpClose}).shortState(), "UNCONN")
	check(t, "UDP in netstat", (&netSocket{proto: "udp", state: tcpClose}).stateName(), "")
	check(t, "dashes", (&netSocket{proto: "tcp", state: 6}).shortState()+" "+(&netSocket{proto: "tcp", state: 4}).shortState(), "TIME-WAIT FIN-WAIT-1")
}

func TestSsColumns(t *testing.T) {
	var out strings.Builder
	w := bufio.NewWriter(&out)
	printSsRows(w, []ssRow{
		{[]string{"State", "Recv-Q", "Send-Q"}, "Local Address", "Port", "Peer Address", "Port", "Process"},
		{[]string{"LISTEN", "0", "128"}, "0.0.0.0", "2024", "0.0.0.0", "*", ` users:(("sshd",pid=1,fd=3))`},
	})
	w.Flush()
	check(t, "ss -ltnp", out.String(), ""+
		"State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess                     \n"+
		"LISTEN 0      128          0.0.0.0:2024      0.0.0.0:*    users:((\"sshd\",pid=1,fd=3))\n")
}
