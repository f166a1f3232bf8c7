package container

import (
	"testing"

	"sandbox/kernel"
)

func TestPorts(t *testing.T) {
	r := &Record{
		Config: Config{ExposedPorts: map[string]struct{}{"80/tcp": {}, "81/tcp": {}, "53/udp": {}, "443/tcp": {}, "9000/tcp": {}, "9001/tcp": {}}},
		HostConfig: HostConfig{PortBindings: map[string][]PortBinding{
			"443/tcp": {{"0.0.0.0", "8443"}, {"::", "8443"}}, "9000/tcp": {{"127.0.0.1", "9000"}}, "9001/tcp": {{"127.0.0.1", "9001"}},
		}},
	}
	const want = "53/udp, 80-81/tcp, 0.0.0.0:8443->443/tcp, [::]:8443->443/tcp, 127.0.0.1:9000-9001->9000-9001/tcp"
	if got := r.Ports().String(); got != want {
		t.Errorf("%s", got)
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
