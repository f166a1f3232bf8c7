package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"sandbox/kernel"
)

// storeWith is a store with one network, of which the kernel knows nothing.
func storeWith(t *testing.T, pools ...Pool) (*Store, *Network) {
	t.Helper()
	s := &Store{Dir: t.TempDir(), Door: &kernel.Door{Process: "test"}}
	n := &Network{Name: "net", ID: newID(), Driver: Bridge, IPAM: IPAM{Config: pools}, Chosen: true}
	if err := s.save(n); err != nil {
		t.Fatal(err)
	}
	return s, n
}

func pool(subnet, gateway string) Pool {
	return Pool{Subnet: netip.MustParsePrefix(subnet), Gateway: netip.MustParseAddr(gateway)}
}

// leaseNext gives a container the next address; "" if there is none.
func leaseNext(t *testing.T, s *Store, n *Network, container string) string {
	t.Helper()
	a, err := s.lease(n, n.IPAM.Config[0], container, netip.Addr{}, netip.Addr{})
	if err != nil {
		if !strings.Contains(err.Error(), "no available addresses in network net") {
			t.Fatal(err)
		}
		return ""
	}
	return a.String()
}

func release(t *testing.T, s *Store, n *Network, address string) {
	t.Helper()
	if err := s.release(s.addresses(n.ID) + "/" + netip.MustParsePrefix(address).Addr().String()); err != nil {
		t.Fatal(err)
	}
}

func TestLeasesGoRound(t *testing.T) {
	s, n := storeWith(t, pool("10.0.0.0/29", "10.0.0.1"))
	var got []string
	for i := range 3 {
		got = append(got, leaseNext(t, s, n, fmt.Sprint("c", i)))
	}
	release(t, s, n, got[0])
	for i := range 4 { // what has just become free comes last
		got = append(got, leaseNext(t, s, n, fmt.Sprint("d", i)))
	}
	want := []string{"10.0.0.2/29", "10.0.0.3/29", "10.0.0.4/29", "10.0.0.5/29", "10.0.0.6/29", "10.0.0.2/29", ""}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestLeaseOfARange(t *testing.T) {
	p := pool("10.0.0.0/24", "10.0.0.1")
	p.IPRange = netip.MustParsePrefix("10.0.0.8/30")
	p.Auxiliary = map[string]netip.Addr{"printer": netip.MustParseAddr("10.0.0.9")}
	s, n := storeWith(t, p)
	var got []string
	for i := range 4 {
		got = append(got, leaseNext(t, s, n, fmt.Sprint("c", i)))
	}
	if want := []string{"10.0.0.8/24", "10.0.0.10/24", "10.0.0.11/24", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLeaseOfIPv6(t *testing.T) {
	s, n := storeWith(t, pool("fd00::/64", "fd00::1"))
	if a, b := leaseNext(t, s, n, "a"), leaseNext(t, s, n, "b"); a != "fd00::2/64" || b != "fd00::3/64" {
		t.Errorf("got %s and %s", a, b)
	}
}

func TestWantedAddress(t *testing.T) {
	p := pool("10.0.0.0/24", "10.0.0.1")
	p.Auxiliary = map[string]netip.Addr{"printer": netip.MustParseAddr("10.0.0.9")}
	s, n := storeWith(t, p)
	for _, c := range []struct{ address, problem string }{
		{"10.0.0.7", ""}, {"10.0.0.7", "address already in use: container aaaaaaaaaaaa has 10.0.0.7"},
		{"10.0.0.1", "10.0.0.1 is the gateway"}, {"10.0.0.9", "10.0.0.9 is the auxiliary address printer"},
		{"10.0.0.0", "it is the address of the subnet 10.0.0.0/24 itself"}, {"10.0.0.255", "it is the broadcast address of the subnet"}, {"10.0.1.1", "does not belong to the subnet"},
		{"10.0.0.254", ""},
	} {
		_, err := s.lease(n, p, "aaaaaaaaaaaabbbb", netip.MustParseAddr(c.address), netip.Addr{})
		if (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: %v, want %q", c.address, err, c.problem)
		}
	}
}

// A container gets the address again that it had, unless somebody else has it by now.
func TestAddressOfBefore(t *testing.T) {
	s, n := storeWith(t, pool("10.0.0.0/24", "10.0.0.1"))
	before := netip.MustParseAddr("10.0.0.77")
	for i, want := range []string{"10.0.0.77/24", "10.0.0.2/24"} {
		if got, err := s.lease(n, n.IPAM.Config[0], fmt.Sprint("c", i), netip.Addr{}, before); err != nil || got.String() != want {
			t.Errorf("got %v, %v; want %s", got, err, want)
		}
	}
}

// Addresses of containers that are gone without a word are given out again when there are no others.
func TestLeasesOfTheDead(t *testing.T) {
	s, n := storeWith(t, pool("10.0.0.0/30", "10.0.0.1"))
	alive := map[string]bool{"old": true}
	s.Alive = func(container string) bool { return alive[container] }
	if got := leaseNext(t, s, n, "old"); got != "10.0.0.2/30" {
		t.Fatal(got)
	}
	if got := leaseNext(t, s, n, "new"); got != "" {
		t.Fatalf("%s was given out twice", got)
	}
	delete(alive, "old")
	if got := leaseNext(t, s, n, "new"); got != "10.0.0.2/30" {
		t.Errorf("got %q", got)
	}
}

// Whoever leaves takes only its own lease away: the address may be somebody else's by now.
func TestLeaveTakesNothingFromOthers(t *testing.T) {
	s, n := storeWith(t, pool("10.0.0.0/24", "10.0.0.1"))
	address := leaseNext(t, s, n, "other")
	s.Leave(n.ID, Endpoint{Container: "gone", IPv4: netip.MustParsePrefix(address)})
	if owner, err := os.ReadFile(s.addresses(n.ID) + "/10.0.0.2"); err != nil || string(owner) != "other" {
		t.Errorf("%q, %v", owner, err)
	}
	s.Leave(n.ID, Endpoint{Container: "other", IPv4: netip.MustParsePrefix(address)})
	if _, err := os.Stat(s.addresses(n.ID) + "/10.0.0.2"); !os.IsNotExist(err) {
		t.Errorf("the lease is still there: %v", err)
	}
}

// Forget finds what a container has, in whichever network, and touches nothing else.
func TestForget(t *testing.T) {
	s, n := storeWith(t, pool("10.0.0.0/24", "10.0.0.1"))
	leaseNext(t, s, n, "one")
	leaseNext(t, s, n, "two")
	s.Forget("one")
	entries, _ := os.ReadDir(s.addresses(n.ID))
	if len(entries) != 1 || entries[0].Name() != "10.0.0.3" {
		t.Errorf("left: %v", entries)
	}
}

func TestConcurrentLeases(t *testing.T) {
	s, n := storeWith(t, pool("10.0.0.0/24", "10.0.0.1"))
	const containers = 300 // more than the 253 that there is room for
	var all sync.Mutex
	var group sync.WaitGroup
	given, refused := map[string]string{}, 0
	for i := range containers {
		group.Go(func() {
			container := fmt.Sprint("c", i)
			a, err := s.lease(n, n.IPAM.Config[0], container, netip.Addr{}, netip.Addr{})
			all.Lock()
			defer all.Unlock()
			switch other, twice := given[a.String()]; {
			case err != nil:
				refused++
			case twice:
				t.Errorf("%s was given to %s and to %s", a, other, container)
			default:
				given[a.String()] = container
			}
		})
	}
	group.Wait()
	if len(given) != 253 || refused != containers-253 {
		t.Errorf("%d addresses were given out, %d containers refused", len(given), refused)
	}
}

// One address, wanted by many at once, is one container's.
func TestConcurrentWish(t *testing.T) {
	s, n := storeWith(t, pool("10.0.0.0/24", "10.0.0.1"))
	var group sync.WaitGroup
	got := make(chan error, 50)
	for i := range cap(got) {
		group.Go(func() {
			_, err := s.lease(n, n.IPAM.Config[0], fmt.Sprintf("container-%04d", i), netip.MustParseAddr("10.0.0.50"), netip.Addr{})
			got <- err
		})
	}
	group.Wait()
	close(got)
	lucky := 0
	for err := range got {
		var advice *kernel.Advice
		switch {
		case err == nil:
			lucky++
		case !errors.As(err, &advice):
			t.Errorf("without a cure: %v", err)
		}
	}
	if lucky != 1 {
		t.Errorf("%d have it", lucky)
	}
}
