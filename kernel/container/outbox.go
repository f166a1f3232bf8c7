package container

import (
	"encoding/binary"
	"io"
	"sync"
	"time"
)

// outbox is the monitor's end of the frames to a client: a queue that one goroutine writes to the socket.
//
// A client that does not read (stopped with Ctrl-Z, or behind a pager) slows the container's output down, as a full pipe
// does, and does no more than that: the monitor still notices the container's end, records it and lets go of its
// lock. So output waits for room in the queue only while the container runs (see release); what else is said never does.
// And where others watch, too, it waits for stallTime at most: then the client misses output, and is told how much.
type outbox struct {
	to      io.Writer
	crowded func() bool // there are others who must not wait for this client for ever
	stall   time.Duration

	mu      sync.Mutex
	changed sync.Cond
	queue   []byte
	writing bool   // the goroutine has taken frames that are not in the queue any more
	moved   int    // counts what it has written
	free    bool   // the container has ended: no more than what its pipes still hold can come
	behind  bool   // output goes past the client until it has read what is queued
	missed  uint64 // bytes of output that did
	err     error
}

// outboxRoom is how many bytes may wait for the client before output has to, and outboxPiece how many are written at once.
const (
	outboxRoom  = 1 << 20
	outboxPiece = 64 << 10
)

// stallTime is how long a client that reads nothing holds output up for others.
const stallTime = 10 * time.Second

func newOutbox(to io.Writer, crowded func() bool) *outbox {
	o := &outbox{to: to, crowded: crowded, stall: stallTime}
	o.changed.L = &o.mu
	go o.deliver()
	return o
}

// deliver writes what is queued, until the client is gone.
func (o *outbox) deliver() {
	var batch []byte
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil {
		if len(o.queue) == 0 {
			o.changed.Wait()
			continue
		}
		batch, o.queue = o.queue, batch[:0]
		o.changed.Broadcast() // the queue has room
		o.writing = true
		for rest := batch; len(rest) > 0 && o.err == nil; o.moved++ {
			piece := rest[:min(len(rest), outboxPiece)]
			rest = rest[len(piece):]
			o.mu.Unlock()
			_, err := o.to.Write(piece)
			o.mu.Lock()
			if o.err == nil {
				o.err = err
			}
		}
		o.writing = false
		o.changed.Broadcast()
	}
}

// say queues a frame at once.
func (o *outbox) say(kind byte, content []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tellMissed()
	o.append(kind, content)
}

// output queues a frame when there is room for it; false if the client is gone.
func (o *outbox) output(kind byte, content []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.full() && !o.behind {
		o.waitForRoom()
	}
	if o.behind && !o.free && (o.writing || len(o.queue) > 0) && o.err == nil {
		o.missed += uint64(len(content))
		return true
	}
	o.behind = false
	o.tellMissed()
	o.append(kind, content)
	return o.err == nil
}

func (o *outbox) full() bool { return len(o.queue) > outboxRoom && !o.free && o.err == nil }

// waitForRoom waits until there is room, or the client has taken nothing for so long that it is behind.
func (o *outbox) waitForRoom() {
	seen, over := o.moved, false
	var late *time.Timer
	late = time.AfterFunc(o.stall, func() {
		crowded := o.crowded()
		o.mu.Lock()
		defer o.mu.Unlock()
		switch {
		case over:
		case crowded && o.moved == seen:
			o.behind = true
			o.changed.Broadcast()
		default:
			seen = o.moved
			late.Reset(o.stall)
		}
	})
	defer func() {
		over = true
		late.Stop()
	}()
	for o.full() && !o.behind {
		o.changed.Wait()
	}
}

// tellMissed says how much output has gone past the client.
func (o *outbox) tellMissed() {
	if o.missed > 0 {
		missed := o.missed
		o.missed = 0
		o.append(frameMissed, binary.BigEndian.AppendUint64(nil, missed))
	}
}

func (o *outbox) append(kind byte, content []byte) {
	if o.err != nil {
		return
	}
	o.queue = append(o.queue, kind)
	o.queue = binary.BigEndian.AppendUint32(o.queue, uint32(len(content)))
	o.queue = append(o.queue, content...)
	o.changed.Broadcast()
}

// release lets output in without waiting, from the container's end on.
func (o *outbox) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.free = true
	o.changed.Broadcast()
}

// abandon is for a client that is gone.
func (o *outbox) abandon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = io.ErrClosedPipe
	}
	o.changed.Broadcast()
}

// flush waits until the client has everything, or is gone.
func (o *outbox) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && (o.writing || len(o.queue) > 0) {
		o.changed.Wait()
	}
}
