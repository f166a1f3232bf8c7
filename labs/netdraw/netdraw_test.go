package netdraw

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/columns"
	network "sandbox/net"
)

var update = flag.Bool("update", false, "rewrite testdata")

func bridge(name, link string, index int, gateway string) container.NetworkSide {
	g := netip.MustParsePrefix(gateway)
	return container.NetworkSide{
		Network: &network.Network{Name: name, ID: strings.Repeat("ab", 32), Driver: network.Bridge, IPAM: network.IPAM{Config: []network.Pool{{Subnet: g.Masked(), Gateway: g.Addr()}}}},
		Link: &kernel.Interface{
			Link:      kernel.Link{Name: link, Index: index, Kind: "bridge", Up: true, MTU: 1500, MAC: "02:42:7d:ce:88:" + fmt.Sprintf("%02x", index)},
			Addresses: []netip.Prefix{g},
		},
	}
}

// world collects what the engine would have seen.
type world struct {
	*container.NetworkView
	next int // number of an interface on the host
}

func newWorld() *world {
	eth0 := kernel.Interface{Link: kernel.Link{Name: "eth0", Index: 2, Kind: "device", Up: true, MTU: 1500}, Addresses: []netip.Prefix{netip.MustParsePrefix("192.168.1.241/24")}}
	return &world{&container.NetworkView{Host: container.HostView{
		Name: "vm", Interfaces: []kernel.Interface{eth0}, Routes: []kernel.Route{{Interface: 2, Via: netip.MustParseAddr("192.168.1.1")}}, Forwards: true,
	}}, 10}
}

func (w *world) space(name string) int {
	lo := kernel.Interface{Link: kernel.Link{Name: "lo", Index: 1, Kind: "device", Up: true, MTU: 65536}, Addresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}}
	w.Spaces = append(w.Spaces, container.NetworkSpace{ID: name, Name: name, Interfaces: []kernel.Interface{lo}})
	return len(w.Spaces) - 1
}

// plug connects a container to the n-th network.
func (w *world) plug(n, space int, addresses ...string) *container.Cable {
	s := &w.Spaces[space]
	inside := kernel.Interface{Link: kernel.Link{Name: fmt.Sprintf("eth%d", len(s.Interfaces)-1), Index: len(s.Interfaces) + 1, Kind: "veth", Up: true, MTU: 1500, Peer: w.next}}
	for _, a := range addresses {
		inside.Addresses = append(inside.Addresses, netip.MustParsePrefix(a))
	}
	ip := inside.Addresses[0].Addr().As4()
	inside.MAC = fmt.Sprintf("02:42:%02x:%02x:%02x:%02x", ip[0], ip[1], ip[2], ip[3])
	host := kernel.Interface{Link: kernel.Link{Name: fmt.Sprintf("veth4f3a2%02d", w.next), Index: w.next, Kind: "veth", Up: true, Peer: inside.Index}}
	w.next++
	s.Interfaces = append(s.Interfaces, inside)
	c := &w.Networks[n].Cables
	*c = append(*c, container.Cable{Space: space, Inside: len(s.Interfaces) - 1, Host: &host, Name: inside.Name, Veth: host.Name})
	return &(*c)[len(*c)-1]
}

// worlds are what is drawn.
func worlds() map[string]*container.NetworkView {
	empty := newWorld()
	empty.Networks = []container.NetworkSide{bridge("bridge", "sandbox0", 3, "172.17.0.1/16")}
	empty.Networks[0].Link = nil

	one := newWorld()
	one.Networks = []container.NetworkSide{bridge("bridge", "sandbox0", 3, "172.17.0.1/16")}
	web := one.space("web1")
	one.plug(0, web, "172.17.0.2/16", "fd00:17::2/64")
	one.Spaces[web].Ports = []network.Publish{{Protocol: "tcp", HostIP: netip.IPv4Unspecified(), HostPort: 8080, Port: 80}}
	one.Spaces[web].Joined = []string{"tool"}

	three := newWorld()
	three.Host.Containers = []string{"mon"}
	three.Networks = []container.NetworkSide{
		bridge("bridge", "sandbox0", 3, "172.17.0.1/16"), bridge("my_net", "br-e7c6e0b50213", 4, "172.18.0.1/16"), bridge("my_net2", "br-e3947fe7f93b", 5, "172.22.1.1/24"),
		{Network: &network.Network{Name: "wire", Driver: network.Macvlan, Options: map[string]string{"parent": "eth0"}}, Link: &three.Host.Interfaces[0]},
	}
	a, b, c, d, e, calc := three.space("web1"), three.space("busybox_1"), three.space("busybox_2"), three.space("在中间"), three.space("far"), three.space("calc")
	three.plug(0, a, "172.17.0.2/16")
	three.plug(0, d, "172.17.0.3/16")
	three.plug(1, b, "172.18.0.2/16")
	three.plug(1, d, "172.18.0.3/16")
	three.plug(2, c, "172.22.1.34/24")
	three.plug(2, b, "172.22.1.2/24")
	three.plug(2, d, "172.22.1.3/24").Loose = true
	three.plug(3, e, "192.168.1.50/24").Host = nil
	gone := three.plug(0, calc, "172.17.0.9/16")
	gone.Host, gone.Inside = nil, -1
	three.Spaces[calc].Interfaces = three.Spaces[calc].Interfaces[:1]
	three.space("alone")
	three.Stopped = []container.StoppedView{{Name: "old", Networks: []string{"my_net"}}, {Name: "older", Networks: []string{"none"}}}

	eight := newWorld()
	eight.Networks = []container.NetworkSide{bridge("bridge", "sandbox0", 3, "172.17.0.1/16")}
	for i := range 8 {
		eight.plug(0, eight.space(fmt.Sprintf("worker-%d", i+1)), fmt.Sprintf("172.17.0.%d/16", i+2))
	}
	return map[string]*container.NetworkView{"empty": empty.NetworkView, "one": one.NetworkView, "three": three.NetworkView, "eight": eight.NetworkView}
}

// TestText compares drawings with those that somebody has looked at.
func TestText(t *testing.T) {
	for name, view := range worlds() {
		for _, language := range []string{"en", "zh"} {
			for _, width := range []int{60, 80, 120} {
				got := Make(view, language).Text(width, language)
				for line := range strings.Lines(got) {
					if w := columns.Of(strings.TrimSuffix(line, "\n")); w > width {
						t.Errorf("%s %s: %d columns where there are %d: %s", name, language, w, width, line)
					}
				}
				if width == 60 {
					continue
				}
				golden := filepath.Join("testdata", fmt.Sprintf("%s.%s.%d.txt", name, language, width))
				if *update {
					os.WriteFile(golden, []byte(got), 0o644)
				}
				want, err := os.ReadFile(golden)
				if err != nil || string(want) != got {
					t.Errorf("%s (%v); now it is\n%s", golden, err, got)
				}
			}
		}
	}
}

// TestSVG: the picture is well-formed, needs nothing from elsewhere, has everything that the text has, and nothing lies outside it.
func TestSVG(t *testing.T) {
	for name, view := range worlds() {
		picture := Make(view, "zh")
		got := picture.SVG("zh")
		for _, outside := range []string{"href", "url(", "@import", "<script", "<image"} {
			if strings.Contains(got, outside) {
				t.Errorf("%s: %s", name, outside)
			}
		}
		texts, width, height := parse(t, got)
		for _, s := range texts {
			if s.x < 0 || s.x > width || s.y < 0 || s.y > height || s.x+float64(columns.Of(s.text))*6 > width && s.anchor == "" {
				t.Errorf("%s: outside of %v × %v: %+v", name, width, height, s)
			}
		}
		for _, b := range append(picture.Containers, picture.Alone...) {
			want := append([]string{b.Title}, b.lines()...)
			for _, p := range b.Ports {
				want = append(want, p.Name)
				want = append(want, p.Addresses...)
			}
			for _, s := range want {
				if !strings.Contains(got, ">"+escaped(s)) && !strings.Contains(got, "  "+escaped(s)) {
					t.Errorf("%s: %q is not in the picture", name, s)
				}
			}
		}
		for _, n := range picture.Networks {
			for _, c := range n.Cables {
				if strings.Count(got, ">"+escaped(c.There)+"<") == 0 || strings.Count(got, ">"+escaped(c.Here)+"<") == 0 {
					t.Errorf("%s: an end of %+v is not in the picture", name, c)
				}
			}
		}
	}
}

type textAt struct {
	x, y         float64
	anchor, text string
}

func parse(t *testing.T, svg string) (texts []textAt, width, height float64) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(svg))
	number := func(e xml.StartElement, name string) float64 {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				v, err := strconv.ParseFloat(a.Value, 64)
				if err != nil {
					t.Error(err)
				}
				return v
			}
		}
		return 0
	}
	var current *textAt
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts, width, height
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "svg":
				width, height = number(e, "width"), number(e, "height")
			case "text":
				texts = append(texts, textAt{x: number(e, "x"), y: number(e, "y")})
				current = &texts[len(texts)-1]
				for _, a := range e.Attr {
					if a.Name.Local == "text-anchor" {
						current.anchor = a.Value
					}
				}
			}
		case xml.CharData:
			if current != nil {
				current.text += string(e)
			}
		case xml.EndElement:
			current = nil
		}
	}
}
