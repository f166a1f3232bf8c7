package kernel

import (
	"bytes"
	"debug/elf"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/therootcompany/xz"
)

// wanted are the modules to load, by what for. Those that they depend on come by themselves; what a kernel has built in
// has no module and needs none.
var wanted = []string{
	"virtio_pci", "virtio_blk", "bfq", // the disks, and the scheduler with which groups have weights
	"crc32c_generic", "ext4", // a store on a disk
	"overlay",                             // containers' roots
	"bridge", "veth", "macvlan", "ipvlan", // networks
	"nf_tables", "nft_compat", "nft_chain_nat", "nft_ct", "nft_nat", "nft_masq", "xt_conntrack", "xt_addrtype", "xt_MASQUERADE", "xt_nat", "xt_comment", "br_netfilter",
}

// loadOrder gives the wanted modules' contents and those of all they need, each after what it needs. The package has no
// modules.dep (its installation makes one): each module names what it needs in its section .modinfo.
func loadOrder(t *testing.T, dir string) (names []string, contents map[string][]byte) {
	t.Helper()
	files, builtin := moduleFiles(t, dir), builtinModules(t, dir)
	contents = map[string][]byte{}
	var add func(name string)
	add = func(name string) {
		file, there := files[name]
		if _, done := contents[name]; done || builtin[name] {
			return
		}
		if !there {
			t.Fatalf("the kernel package has no module %s, nor is it built in", name)
		}
		contents[name] = readModule(t, file)
		for _, needed := range dependencies(t, name, contents[name]) {
			add(needed)
		}
		names = append(names, name)
	}
	for _, name := range wanted {
		add(name)
	}
	return names, contents
}

// moduleFiles finds all modules by name; in names a minus is an underscore.
func moduleFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if name, _, module := strings.Cut(filepath.Base(path), ".ko"); module && err == nil {
			files[strings.ReplaceAll(name, "-", "_")] = path
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no modules in %s: %v", dir, err)
	}
	return files
}

// builtinModules are the names of those that are part of the kernel itself; the file modules.builtin lists their paths.
func builtinModules(t *testing.T, dir string) map[string]bool {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "lib/modules/*/modules.builtin"))
	names := map[string]bool{}
	for _, file := range found {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range strings.Fields(string(data)) {
			name, _, _ := strings.Cut(filepath.Base(path), ".ko")
			names[strings.ReplaceAll(name, "-", "_")] = true
		}
	}
	return names
}

// readModule reads a module, which newer Debian packages have compressed.
func readModule(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil && strings.HasSuffix(file, ".xz") {
		var r *xz.Reader
		if r, err = xz.NewReader(bytes.NewReader(data), 0); err == nil {
			data, err = io.ReadAll(r)
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return data
}

// dependencies are the names after "depends=" in the section .modinfo, which is a list of strings that end with a NUL.
func dependencies(t *testing.T, name string, module []byte) []string {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		t.Fatalf("module %s: %v", name, err)
	}
	section := file.Section(".modinfo")
	if section == nil {
		t.Fatalf("module %s has no section .modinfo", name)
	}
	info, err := section.Data()
	if err != nil {
		t.Fatalf("module %s: %v", name, err)
	}
	for _, field := range strings.Split(string(info), "\x00") {
		if list, ok := strings.CutPrefix(field, "depends="); ok && list != "" {
			return strings.Split(strings.ReplaceAll(list, "-", "_"), ",")
		}
	}
	return nil
}
