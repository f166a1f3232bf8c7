package userland

import (
	"bufio"
	"io"
)

func runTac(p *Process) int {
	_, names, err := p.options("", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	return p.eachInput(names, func(_ string, in io.Reader) error {
		data, err := io.ReadAll(in)
		for len(data) > 0 {
			line := lastLines(data, 1)
			out.Write(line)
			data = data[:len(data)-len(line)]
		}
		return err
	})
}
