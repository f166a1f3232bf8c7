package builtin

import (
	"slices"
	"strings"

	"sandbox/image/builtin/httpd"
	"sandbox/image/builtin/httpd/port"
	"sandbox/image/builtin/userland"
)

// helloFiles is an image with nothing in it but one program.
func helloFiles() ([]tarFile, error) { return programFiles("hello") }

// baseFiles is a small system: a shell, the usual commands, and the files that programs expect.
func baseFiles() ([]tarFile, error) {
	program, err := programFiles("bin/userland")
	if err != nil {
		return nil, err
	}
	files := append(baseDirectories(), program...)
	names := append(userland.Names(), "bash", "sh")
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		files = append(files, symlink("bin/"+name, "userland"))
	}
	return append(files, baseEtc()...), nil
}

// registryFiles is base with one more program: the registry of tutorial 2.6.2.
func registryFiles() ([]tarFile, error) {
	files, err := baseFiles()
	return append(files, symlink("bin/registry", "userland"), directory("var/lib/registry", 0o755)), err
}

// httpdFiles is what httpd has over base: the web server, and its one page, where the classic image has it. Tutorial 3.6.3
// asks it for that.
func httpdFiles() ([]tarFile, error) {
	return []tarFile{
		symlink("bin/"+port.Name, "userland"), symlink("bin/"+port.Foreground, "userland"),
		directory("usr/local/apache2", 0o755), directory(strings.TrimPrefix(httpd.Documents, "/"), 0o755),
		textFile(strings.TrimPrefix(httpd.Documents, "/")+"/index.html", httpd.Page),
	}, nil
}

// stressFiles is what stress has over base: one more program, which limits are tried on in tutorial 3.4.
func stressFiles() ([]tarFile, error) { return []tarFile{symlink("bin/stress", "userland")}, nil }

func baseDirectories() []tarFile {
	files := []tarFile{directory(".", 0o755)}
	for _, name := range []string{
		"bin", "dev", "etc", "home", "lib", "mnt", "opt", "proc", "run", "srv", "sys",
		"usr", "usr/lib", "usr/local", "usr/local/bin", "usr/local/sbin", "usr/share",
		"var", "var/cache", "var/lib", "var/log", "var/spool",
	} {
		files = append(files, directory(name, 0o755))
	}
	return append(files,
		directory("root", 0o700),
		directory("tmp", 0o1777),
		directory("var/tmp", 0o1777),
		symlink("sbin", "bin"),
		symlink("usr/bin", "../bin"), // scripts begin with #!/usr/bin/env
		symlink("usr/sbin", "../bin"),
		symlink("var/run", "../run"),
	)
}

func baseEtc() []tarFile {
	return []tarFile{
		textFile("etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"),
		textFile("etc/hostname", "base\n"), // a container mounts its own over this and the next two
		textFile("etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"),
		textFile("etc/resolv.conf", ""),
		textFile("etc/os-release", "NAME=\"sandbox base\"\nPRETTY_NAME=\"sandbox base\"\nID=sandbox-base\n"),
		textFile("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
		textFile("etc/profile", "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"),
		textFile("etc/protocols", "icmp\t1\tICMP\ntcp\t6\tTCP\nudp\t17\tUDP\nipv6-icmp\t58\tIPv6-ICMP\n"),
		textFile("etc/services", "ssh\t22/tcp\ndomain\t53/tcp\ndomain\t53/udp\nhttp\t80/tcp\nntp\t123/udp\nhttps\t443/tcp\niperf\t5001/tcp\n"),
	}
}
