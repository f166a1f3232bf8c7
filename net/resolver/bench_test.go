package resolver

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	network "sandbox/net"
)

// benchmarkContainers is how many containers are in the network whose names are asked for.
const benchmarkContainers = 500

// TestMain is also the server of the benchmark: a process of its own, as a monitor is.
func TestMain(m *testing.M) {
	if dir := os.Getenv("RESOLVER_BENCHMARK_NETWORKS"); dir != "" {
		serveAlone(dir)
		return
	}
	os.Exit(m.Run())
}

func serveAlone(dir string) {
	packet, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(packet.LocalAddr())
	s := &Server{Packet: packet, Names: NewEndpoints(dir, id("c001x"))}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		os.Stdin.Read(make([]byte, 1)) // its end is ours
	}()
	s.Serve(ctx)
}

// BenchmarkQuestions asks for one of 500 containers' addresses, from several clients at once: questions a second. With
// RESOLVER_PEER=ADDRESS:PORT another server is asked, which has to know web7, for a comparison:
//
//	ip netns add peer && ip -n peer link set lo up
//	ip netns exec peer dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --port 5353 --address=/web7/172.18.0.7 &
//	RESOLVER_PEER=127.0.0.1:5353 ip netns exec peer go test ./net/resolver -run '^$' -bench Questions
func BenchmarkQuestions(b *testing.B) {
	server := os.Getenv("RESOLVER_PEER")
	if server == "" {
		server = startAlone(b)
	}
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			b.SetParallelism(max(1, clients/2)) // times GOMAXPROCS, which is 2 here
			if clients == 1 {
				askFor(b, server, b.N)
			} else {
				b.RunParallel(func(pb *testing.PB) { askWhile(b, server, pb.Next) })
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "questions/s")
		})
	}
}

// startAlone starts the server as another process, over files on disk.
func startAlone(b *testing.B) string {
	dir := filepath.Join(b.TempDir(), "networks")
	w := world{&testing.T{}, dir}
	w.network("n1", "my_net", nil)
	for i := range benchmarkContainers {
		container := fmt.Sprintf("c%03dx", i)
		e := network.Endpoint{Container: id(container), Name: fmt.Sprintf("web%d", i), Names: []string{fmt.Sprintf("web%d", i)}}
		e.IPv4 = netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 18, byte(i / 250), byte(i%250 + 2)}), 16)
		w.put("n1/endpoints/"+e.Container+".json", e)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RESOLVER_BENCHMARK_NETWORKS="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stdin.Close(); cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func askFor(b *testing.B, server string, count int) {
	askWhile(b, server, func() bool { count--; return count >= 0 })
}

// askWhile asks, waits for the answer, and asks again. A packet that is lost is asked for once more.
func askWhile(b *testing.B, server string, more func() bool) {
	conn, err := net.Dial("udp", server)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	m := ask("web7.", dnsmessage.TypeA)
	packed, err := m.Pack()
	if err != nil {
		b.Error(err)
		return
	}
	buffer := make([]byte, 512)
	for number := uint16(0); more(); number++ {
		binary.BigEndian.PutUint16(packed, number)
		for {
			conn.SetReadDeadline(time.Now().Add(2 * time.Second))
			if _, err := conn.Write(packed); err != nil {
				b.Error(err)
				return
			}
			n, err := conn.Read(buffer)
			if err == nil && n > headerLength && binary.BigEndian.Uint16(buffer) == number && buffer[7] == 1 {
				break
			}
			if !os.IsTimeout(err) {
				b.Errorf("%v: %x", err, buffer[:max(n, 0)])
				return
			}
		}
	}
}

// BenchmarkAnswer is what one answer takes without sockets.
func BenchmarkAnswer(b *testing.B) {
	s := &Server{Names: web}
	m := ask("web1.", dnsmessage.TypeA)
	packed, _ := m.Pack()
	buffer := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		s.answer(buffer, packed, false)
	}
}
