package resolver

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

// serveStreams takes connections: clients come over TCP when an answer was too long for a packet.
func (s *Server) serveStreams(ctx context.Context, group *sync.WaitGroup) {
	places := make(chan struct{}, streamsAtOnce)
	for {
		conn, err := s.Stream.Accept()
		if err != nil {
			if closed(ctx, err) {
				return
			}
			continue
		}
		select {
		case places <- struct{}{}:
			group.Go(func() {
				defer func() { <-places }()
				s.talk(ctx, conn)
			})
		default:
			conn.Close()
		}
	}
}

// talk answers the questions of one connection, in turn. Each message has its length before it (RFC 1035, 4.2.2).
func (s *Server) talk(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	var buffer []byte
	for {
		conn.SetDeadline(time.Now().Add(idleTime))
		message, err := readFrame(conn, buffer)
		if err != nil {
			return
		}
		buffer = message
		q, reply := s.answer(nil, message, true)
		if reply == nil && q != nil {
			reply = s.forward(ctx, q)
		}
		if reply == nil {
			return
		}
		conn.SetDeadline(time.Now().Add(idleTime))
		if writeFrame(conn, reply) != nil {
			return
		}
	}
}

// readFrame reads one message, into the buffer if there is room.
func readFrame(r io.Reader, buffer []byte) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(length[:]))
	if cap(buffer) < n {
		buffer = make([]byte, n)
	}
	_, err := io.ReadFull(r, buffer[:n])
	return buffer[:n], err
}

func writeFrame(w io.Writer, message []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...))
	return err
}
