package container

import (
	"os"
	"strings"

	"sandbox/kernel"
)

// etcFiles are made for each container, in its directory on the host, and mounted over the image's.
var etcFiles = []string{"hostname", "hosts", "resolv.conf"}

// etcDir is where a container's own files of /etc are. Containers that share a network share them: they are one machine in it.
func (e *Engine) etcDir(r *Record) string {
	if id := joinedID(r.HostConfig.NetworkMode); id != "" {
		return e.Paths.dir(id)
	}
	return e.Paths.dir(r.ID)
}

// writeEtc makes them for a start.
func (e *Engine) writeEtc(r *Record) error {
	if joinedID(r.HostConfig.NetworkMode) != "" {
		return nil
	}
	var steps []kernel.Step
	for _, file := range etcFiles {
		steps = append(steps, kernel.Because(kernel.ReplaceFile{Path: e.etcDir(r) + "/" + file, Data: []byte(e.etcContent(r, file)), Mode: 0o644}, "", ""))
	}
	steps[0].Why = kernel.Why{EN: "files of this container's own in /etc: its name, the names that it knows, and whom it asks for others", ZH: "这个容器自己的几个 /etc 文件：主机名、认识的名字，以及去问谁"}
	return e.Door.Do(kernel.In("3.6", steps...)...)
}

func (e *Engine) etcContent(r *Record, file string) string {
	name := r.Config.Hostname
	switch {
	case file == "hostname":
		return name + "\n"
	case r.HostConfig.NetworkMode == "host":
		data, _ := os.ReadFile("/etc/" + file)
		return string(data)
	case file == "hosts":
		return r.hosts()
	}
	return r.resolvConf()
}

// hosts is /etc/hosts.
func (r *Record) hosts() string {
	var b strings.Builder
	own := " " + r.Config.Hostname
	for _, a := range r.Networks {
		if a.Endpoint != nil {
			own = ""
		}
	}
	b.WriteString("127.0.0.1\tlocalhost" + own + "\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n")
	for _, a := range r.Networks {
		if a.Endpoint == nil {
			continue
		}
		if a.Endpoint.IPv4.IsValid() {
			b.WriteString(a.Endpoint.IPv4.Addr().String() + "\t" + r.Config.Hostname + "\n")
		}
		if a.Endpoint.IPv6.IsValid() {
			b.WriteString(a.Endpoint.IPv6.Addr().String() + "\t" + r.Config.Hostname + "\n")
		}
	}
	return b.String()
}

// resolvConf is /etc/resolv.conf.
func (r *Record) resolvConf() string {
	if len(r.Networks) == 0 {
		return "# no network: nobody to ask for names\n"
	}
	data, _ := os.ReadFile("/etc/resolv.conf")
	return string(data)
}
