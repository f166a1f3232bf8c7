package doctor

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
	"path"
	"strings"
)

// evidence is what the kernel's own lists say about a part of it.
type evidence int

const (
	unknown evidence = iota // there are no lists
	present
	absent
)

// has looks for a part of the kernel by its configuration option (CONFIG_VETH) and its module's name (veth): among
// the modules that are there, then in the configuration, then in the list of modules that could be loaded.
func (m Machine) has(option, module string) evidence {
	if m.exists("/sys/module/" + module) {
		return present
	}
	if found := m.configured(option); found != unknown {
		return found
	}
	modules := "/lib/modules/" + m.Release
	if !m.exists(modules + "/modules.dep") {
		return unknown
	}
	for _, list := range []string{"/modules.builtin", "/modules.dep"} {
		if strings.Contains(m.read(modules+list), "/"+module+".ko") {
			return present
		}
	}
	return absent
}

// configured looks an option up in the configuration that the kernel was built with.
func (m Machine) configured(option string) evidence {
	file, err := os.Open(path.Join(m.Root, "/proc/config.gz"))
	var config io.Reader = file
	if err == nil {
		defer file.Close()
		config, err = gzip.NewReader(file)
	}
	if err != nil {
		plain, err := os.Open(path.Join(m.Root, "/boot/config-"+m.Release))
		if err != nil {
			return unknown
		}
		defer plain.Close()
		config = plain
	}
	for lines := bufio.NewScanner(config); lines.Scan(); {
		if line := lines.Text(); line == option+"=y" || line == option+"=m" {
			return present
		}
	}
	return absent
}
