package container

import (
	"net/netip"
	"testing"

	"sandbox/kernel"
	network "sandbox/net"
)

func TestPorts(t *testing.T) {
	publish := func(protocol, ip string, host, port uint16) network.Publish {
		return network.Publish{Protocol: protocol, HostIP: netip.MustParseAddr(ip), HostPort: host, Port: port}
	}
	r := &Record{Config: Config{ExposedPorts: map[string]struct{}{"53/udp": {}, "80/tcp": {}, "443/tcp": {}, "9000/tcp": {}, "9001/tcp": {}}}}
	const exposed = "53/udp, 80/tcp, 443/tcp, 9000-9001/tcp"
	if got := r.Ports().String(); got != exposed {
		t.Errorf("while it is down: %s", got)
	}
	r.Networks = []Attachment{{Endpoint: &network.Endpoint{Ports: []network.Publish{
		publish("tcp", "0.0.0.0", 8080, 80), publish("tcp", "::1", 8443, 443), publish("tcp", "127.0.0.1", 9000, 9000), publish("tcp", "127.0.0.1", 9001, 9001),
		publish("tcp", "0.0.0.0", 9010, 91), publish("tcp", "0.0.0.0", 9011, 92), // Docker joins only ports that keep their numbers
	}}}}
	const want = "53/udp, 0.0.0.0:8080->80/tcp, 0.0.0.0:9010->91/tcp, 0.0.0.0:9011->92/tcp, [::1]:8443->443/tcp, 127.0.0.1:9000-9001->9000-9001/tcp"
	if got := r.Ports().String(); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	for _, s := range []string{"", "0", "x", "80/", "80/icmp", "90-80", "65536", "1-"} {
		if _, err := ParsePorts(s); kernel.CureOf(err) == "" {
			t.Errorf("%q: %v", s, err)
		}
	}
	if list, err := ParsePorts("8000-8002/UDP"); err != nil || len(list) != 3 || list[2].Name() != "8002/udp" {
		t.Errorf("%v %v", list, err)
	}
}

func TestParsePublish(t *testing.T) {
	tests := []struct {
		flag string
		want string // port, address and port of the host; "" for an error
	}{
		{"80", "80/tcp :"},
		{"8080:80", "80/tcp :8080"},
		{"8080:80/udp", "80/udp :8080"},
		{"127.0.0.1:8080:80", "80/tcp 127.0.0.1:8080"},
		{"127.0.0.1::80", "80/tcp 127.0.0.1:"},
		{"127.0.0.1:80", "80/tcp 127.0.0.1:"},
		{"[::1]:8080:80", "80/tcp ::1:8080"},
		{"[::1]::80", "80/tcp ::1:"},
		{"8000-8001:80-81", "80/tcp :8000 81/tcp :8001"},
		{"8000-8009:80", "80/tcp :8000-8009"},
		{"8000-8001:80-82", ""},
		{"0:80", "80/tcp :"},
		{"127.0.0.1:0:80", "80/tcp 127.0.0.1:"},
		{"[::1]:0:80/udp", "80/udp ::1:"},
		{"0:80-82", ""},
		{"0-2:80", ""},
		{"80:0", ""},
		{"published=8200,target=80", "80/tcp :8200"},
		{"target=80", "80/tcp :"},
		{"published=0,target=80", "80/tcp :"},
		{"target=53,published=5353,protocol=udp,mode=host", "53/udp :5353"},
		{"published=8000-8001,target=80-81,protocol=tcp", "80/tcp :8000 81/tcp :8001"},
		{"published=8200", ""},
		{"published=8200,target=0", ""},
		{"published=x,target=80", ""},
		{"published=8200,target=80/udp", ""},
		{"published=8200,target=80,protocol=icmp", ""},
		{"published=8200,target=80,mode=any", ""},
		{"published=8200,target=80,ip=127.0.0.1", ""},
		{"published=8200,target=80,", ""},
		{"70000:80", ""},
		{"80:70000", ""},
		{"x:80", ""},
		{"300.0.0.1:80:80", ""},
		{"8080:80/icmp", ""},
		{"", ""},
		{":", ""},
	}
	for _, test := range tests {
		ports, bindings, err := parsePublish(test.flag)
		got := ""
		for i, p := range ports {
			got += p.Name() + " " + bindings[i].HostIP + ":" + bindings[i].HostPort + " "
		}
		if len(got) > 0 {
			got = got[:len(got)-1]
		}
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%q: %q, %v; want %q", test.flag, got, err, test.want)
		}
	}
}
