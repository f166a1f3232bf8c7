package container

import (
	"encoding/binary"
	"io"
	"sync"
)

// outbox is the monitor's end of the frames to its client: a queue that one goroutine writes to the socket.
//
// A client that does not read (stopped with Ctrl-Z, or behind a pager) must slow the container's output down, as
// a full pipe does, and must do no more than that: the monitor still has to notice the container's end, record it and let go of its
// lock. So output waits for room in the queue only while the container runs (see release); what else is said never does.
type outbox struct {
	mu      sync.Mutex
	changed sync.Cond
	to      io.Writer
	queue   []byte
	writing bool // the goroutine has taken frames that are not in the queue any more
	free    bool // the container has ended: no more than what its pipes still hold can come
	err     error
}

// outboxRoom is how many bytes may wait for the client before output has to.
const outboxRoom = 1 << 20

func newOutbox(to io.Writer) *outbox {
	o := &outbox{to: to}
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
		o.writing = true
		o.mu.Unlock()
		_, err := o.to.Write(batch)
		o.mu.Lock()
		o.writing, o.err = false, err
		o.changed.Broadcast()
	}
}

// say queues a frame at once.
func (o *outbox) say(kind byte, content []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.append(kind, content)
}

// output queues a frame when there is room for it; false if the client is gone.
func (o *outbox) output(kind byte, content []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) > outboxRoom && !o.free && o.err == nil {
		o.changed.Wait()
	}
	o.append(kind, content)
	return o.err == nil
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

// hold lets output wait for room again: the container has come again.
func (o *outbox) hold() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.free = false
}

// flush waits until the client has everything, or is gone.
func (o *outbox) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && (o.writing || len(o.queue) > 0) {
		o.changed.Wait()
	}
}
