package container

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"sandbox/image/carry"
)

// RunFiles is the main function of the process that reads and writes a container's files for the client; see Files. It
// ends when the client closes the pipe, or is killed.
func RunFiles() int {
	in, out := bufio.NewReaderSize(os.Stdin, 1<<16), bufio.NewWriterSize(os.Stdout, 1<<16)
	to := &frameWriter{w: out}
	for {
		kind, content, _, err := readFrame(in, nil)
		if err != nil || kind != frameRequest {
			return 0
		}
		var request fileRequest
		if json.Unmarshal(content, &request) != nil {
			return 1
		}
		var answer fileAnswer
		if answer.Info, err = serve(request, in, to); err != nil {
			answer.Error = err.Error()
		}
		data, _ := json.Marshal(answer)
		if to.write(frameAnswer, data) != nil || out.Flush() != nil {
			return 1
		}
	}
}

func serve(r fileRequest, in io.Reader, to *frameWriter) (carry.Info, error) {
	switch r.Do {
	case "look":
		return carry.Look(r.Path, r.Follow)
	case "pack":
		return carry.Info{}, carry.Pack(contentWriter{to}, r.Path, r.Name)
	case "unpack":
		content := &contentReader{from: in}
		err := carry.Unpack(content, carry.Whole(r.Path), r.Owners)
		io.Copy(io.Discard, content) // what comes after an error: the client asks when it has sent all
		return carry.Info{}, err
	}
	return carry.Info{}, fmt.Errorf("unknown request %q", r.Do)
}

var errAborted = errors.New("the other end has given up")

// contentReader reads what comes as frames, up to the one that ends it.
type contentReader struct {
	from   io.Reader
	buffer []byte
	rest   []byte
	err    error
}

func (c *contentReader) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		var kind byte
		if kind, c.rest, c.buffer, c.err = readFrame(c.from, c.buffer); c.err != nil {
			return 0, c.err
		}
		switch kind {
		case frameEOF:
			c.err = io.EOF
		case frameAbort:
			c.err = errAborted
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}
