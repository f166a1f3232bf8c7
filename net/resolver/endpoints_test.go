package resolver

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	network "sandbox/net"
)

// world is a directory of networks.
type world struct {
	*testing.T
	dir string
}

func (w world) put(path string, content any) {
	w.Helper()
	data, err := json.Marshal(content)
	if err != nil {
		w.Fatal(err)
	}
	path = filepath.Join(w.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		w.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		w.Fatal(err)
	}
}

func (w world) network(id, name string, options map[string]string) {
	w.Helper()
	w.put(id+"/network.json", network.Network{Name: name, ID: id, Driver: network.Bridge, Options: options})
	if err := os.MkdirAll(filepath.Join(w.dir, id, "endpoints"), 0o755); err != nil {
		w.Fatal(err)
	}
}

// id is a whole ID that begins with the letters.
func id(start string) string { return start + strings.Repeat("0", 64-len(start)) }

func (w world) join(net, container, name, v4, v6 string, aliases ...string) {
	w.Helper()
	e := network.Endpoint{Container: id(container), Name: name, Names: append([]string{name}, aliases...)}
	if v4 != "" {
		e.IPv4 = netip.MustParsePrefix(v4)
	}
	if v6 != "" {
		e.IPv6 = netip.MustParsePrefix(v6)
	}
	w.put(net+"/endpoints/"+e.Container+".json", e)
}

func (w world) leave(net, container string) {
	w.Helper()
	if err := os.Remove(filepath.Join(w.dir, net, "endpoints", id(container)+".json")); err != nil {
		w.Fatal(err)
	}
}

// see waits until a name has these addresses; "unknown" if it is not known.
func (w world) see(e *Endpoints, name, want string) {
	w.Helper()
	var got string
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(time.Millisecond) {
		addresses, known := e.Lookup(name)
		sorted := slices.SortedFunc(slices.Values(addresses), netip.Addr.Compare)
		got = strings.Trim(fmt.Sprint(sorted), "[]")
		if !known {
			got = "unknown"
		}
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	w := world{t, filepath.Join(t.TempDir(), "networks")}
	e := NewEndpoints(w.dir, id("c1"))
	w.see(e, "web1", "unknown") // there is nothing yet

	w.network("n1", "my_net", nil)
	w.network("n2", "other", nil)
	w.network("n0", "bridge", map[string]string{"com.docker.network.bridge.default_bridge": "true"})
	w.join("n1", "c2", "web1", "172.18.0.2/16", "", "www")
	w.see(e, "web1", "unknown") // the container itself is in no network
	w.join("n1", "c1", "me", "172.18.0.3/16", "", "")
	w.see(e, "web1", "172.18.0.2")
	w.see(e, "me", "172.18.0.3")
	w.see(e, "www", "172.18.0.2")
	w.see(e, "www.my_net", "172.18.0.2")
	w.see(e, "c20000000000", "172.18.0.2")
	w.see(e, "www.other", "unknown")
	if got := e.Reverse(netip.MustParseAddr("172.18.0.2")); len(got) != 1 || got[0] != "web1.my_net" {
		t.Errorf("reverse: %v", got)
	}

	// Others come, with the same alias, and go.
	w.join("n1", "c3", "Web2", "172.18.0.4/16", "fd00::4/64", "www")
	w.see(e, "www", "172.18.0.2 172.18.0.4 fd00::4")
	w.see(e, "web2", "172.18.0.4 fd00::4")
	w.leave("n1", "c2")
	w.see(e, "www", "172.18.0.4 fd00::4")
	w.see(e, "web1", "unknown")
	w.see(e, "web2.my_net", "172.18.0.4 fd00::4")

	// The default bridge has no names; a network that is joined has its own, and the first network with a name gives it.
	w.join("n0", "c1", "me", "172.17.0.2/16", "")
	w.join("n0", "c4", "plain", "172.17.0.3/16", "")
	w.join("n2", "c5", "db", "10.9.0.5/24", "fd09::5/64", "web2")
	w.see(e, "db", "unknown")
	w.join("n2", "c1", "me", "10.9.0.6/24", "")
	w.see(e, "db", "10.9.0.5 fd09::5")
	w.see(e, "plain", "unknown")
	w.see(e, "web2", "172.18.0.4 fd00::4")
	w.see(e, "web2.other", "10.9.0.5 fd09::5")

	// It is renamed; it leaves; a network goes as a whole.
	w.join("n2", "c5", "database", "10.9.0.5/24", "fd09::5/64")
	w.see(e, "db", "unknown")
	w.see(e, "database", "10.9.0.5 fd09::5")
	w.leave("n1", "c1")
	w.see(e, "web2", "unknown")
	if err := os.RemoveAll(filepath.Join(w.dir, "n2")); err != nil {
		t.Fatal(err)
	}
	w.see(e, "database", "unknown")
	w.see(e, "me", "unknown")
}

func TestInternal(t *testing.T) {
	w := world{t, filepath.Join(t.TempDir(), "networks")}
	w.put("n1/network.json", network.Network{Name: "inner", ID: "n1", Internal: true})
	w.network("n2", "outer", nil)
	w.join("n1", "c2", "other", "172.18.0.2/16", "")
	w.join("n2", "c2", "other", "10.9.0.2/16", "")
	e := NewEndpoints(w.dir, id("c1"))
	up := startFake(t, func(dnsmessage.Question) []string { return []string{"203.0.113.1"} })
	server := start(t, &Server{Names: e, Internal: e.Internal, Upstream: func() []netip.AddrPort { return []netip.AddrPort{up} }})
	outside := func() string {
		reply := exchangeOnce(t, "udp", server, withEDNS(ask("example.org.", dnsmessage.TypeA), 1232))
		return told(reply) + reason(reply)
	}
	const refused = "ServerFailurethe container's networks are internal: nobody outside is asked"
	w.join("n1", "c1", "me", "172.18.0.3/16", "")
	until(t, "only the internal one", func() bool { return outside() == refused })
	w.see(e, "other", "172.18.0.2")
	w.join("n2", "c1", "me", "10.9.0.3/16", "")
	until(t, "another one, too", func() bool { return outside() == "Success example.org.=203.0.113.1/5" })
	w.leave("n2", "c1")
	until(t, "only the internal one again", func() bool { return outside() == refused })
}

// TestQuickChanges: changes that fall into one tick of the kernel's clock leave the directory's time as it was.
func TestQuickChanges(t *testing.T) {
	w := world{t, filepath.Join(t.TempDir(), "networks")}
	w.network("n1", "my_net", nil)
	w.join("n1", "c1", "me", "172.18.0.200/16", "")
	e := NewEndpoints(w.dir, id("c1"))
	for i := range 100 {
		w.join("n1", "c2", "web1", fmt.Sprintf("172.18.0.%d/16", i+2), "")
		if i%2 == 0 {
			e.nextLook = time.Time{}
			e.Lookup("web1") // what is read now is over a moment later
		}
		w.join("n1", "c2", "web1", fmt.Sprintf("172.18.1.%d/16", i+2), "")
		w.see(e, "web1", fmt.Sprintf("172.18.1.%d", i+2))
	}
}

func TestUnreadableFiles(t *testing.T) {
	w := world{t, filepath.Join(t.TempDir(), "networks")}
	w.network("n1", "my_net", nil)
	w.join("n1", "c1", "me", "172.18.0.3/16", "")
	w.put("n1/endpoints/"+id("c2")+".json", "not an endpoint")
	w.put("n2/network.json", "not a network")
	w.put("n2/endpoints/"+id("c1")+".json", network.Endpoint{Container: id("c1"), Name: "me"})
	os.WriteFile(filepath.Join(w.dir, "file"), nil, 0o644)
	e := NewEndpoints(w.dir, id("c1"))
	w.see(e, "me", "172.18.0.3")
	w.network("n2", "second", nil)
	w.join("n2", "c3", "late", "10.9.0.5/24", "")
	w.see(e, "late", "10.9.0.5")
}

func TestHostsServers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	servers := AskLikeHost(file)
	if got := servers(); len(got) != 0 {
		t.Errorf("without a file: %v", got)
	}
	for _, text := range []string{"192.0.2.1", "192.0.2.2"} {
		if err := os.WriteFile(file, []byte("search example.org\nnameserver "+text+"\nnameserver 127.0.0.53\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(servers()); got != "["+text+":53 127.0.0.53:53]" {
			t.Errorf("%s: %v", text, got)
		}
	}
	if got := fmt.Sprint(Ask(addresses("192.0.2.3", "fd00::53"))()); got != "[192.0.2.3:53 [fd00::53]:53]" {
		t.Error(got)
	}
}
