package resolver

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// askAgain is after how long a packet without an answer is sent once more.
const askAgain = 2 * time.Second

// exchange asks one server, over what the client came over: an answer that is too long for a packet is cut short for us, and
// so for the client, who then comes over TCP. The question goes on as it is, all but the number: a client that could choose
// it could also have others guess it.
func exchange(ctx context.Context, server netip.AddrPort, q *query) heard {
	network := "udp"
	if q.stream {
		network = "tcp"
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, server.String())
	if err != nil {
		return heard{server: server, err: err}
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	asked := bytes.Clone(q.raw)
	binary.BigEndian.PutUint16(asked, uint16(rand.Uint32()))
	var reply []byte
	if q.stream {
		reply, err = overStream(conn, asked)
	} else {
		reply, err = overPackets(conn, asked, q.size)
	}
	if err != nil {
		return heard{server: server, err: err}
	}
	binary.BigEndian.PutUint16(reply, q.header.ID)
	return heard{server: server, reply: reply}
}

// overPackets sends the question, and again if there is no answer, until the connection is closed. What is no reply to it is
// passed over: it may come from somebody who would like to be believed.
func overPackets(conn net.Conn, asked []byte, size int) ([]byte, error) {
	buffer := make([]byte, size)
	for {
		if _, err := conn.Write(asked); err != nil {
			return nil, err
		}
		conn.SetReadDeadline(time.Now().Add(askAgain))
		for {
			n, err := conn.Read(buffer)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return nil, err
			}
			if reply := buffer[:n]; answers(reply, asked) {
				return reply, nil
			}
		}
	}
}

func overStream(conn net.Conn, asked []byte) ([]byte, error) {
	if err := writeFrame(conn, asked); err != nil {
		return nil, err
	}
	reply, err := readFrame(conn, nil)
	if err == nil && !answers(reply, asked) {
		err = errors.New("what came is no answer")
	}
	return reply, err
}

// answers tells whether a message is a reply to the question. A server that writes the name in other letters is forgiven,
// and corrected: the client may look at them.
func answers(reply, asked []byte) bool {
	if len(reply) < headerLength || !bytes.Equal(reply[:2], asked[:2]) || reply[2]&0x80 == 0 {
		return false
	}
	if binary.BigEndian.Uint16(reply[4:]) == 0 { // an error's question may be left out
		return couldNot(reply)
	}
	length := questionLength(asked)
	if length == 0 || len(reply) < headerLength+length {
		return false
	}
	theirs, ours := reply[headerLength:headerLength+length], asked[headerLength:headerLength+length]
	name := length - 4 // then come type and class
	if !bytes.EqualFold(theirs[:name], ours[:name]) || !bytes.Equal(theirs[name:], ours[name:]) {
		return false
	}
	copy(theirs, ours)
	return true
}

// questionLength is that of the only question: a name, its type and its class.
func questionLength(message []byte) int {
	var parser dnsmessage.Parser
	if _, err := parser.Start(message); err != nil || parser.SkipQuestion() != nil {
		return 0
	}
	at := headerLength
	for at < len(message) && message[at] != 0 && message[at] < 0xc0 {
		at += 1 + int(message[at])
	}
	if at < len(message) && message[at] >= 0xc0 { // a pointer has two bytes, and nothing comes after it
		at++
	}
	return at + 1 + 4 - headerLength
}
