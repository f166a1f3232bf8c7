package testscripts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// benchDockerfile has five steps on the same base image for all: two of files, three that run something.
const benchDockerfile = `FROM %s
COPY src /src
RUN mkdir -p /out && cp -r /src /out
RUN cat /src/* >/out/all
COPY last /out/
RUN ls -lR /out >/out/list
`

// BenchmarkBuildCached: a build of which every step is in the cache.
func BenchmarkBuildCached(b *testing.B) { raceBuilds(b) }

// BenchmarkBuild: the same with nothing in the cache.
func BenchmarkBuild(b *testing.B) { raceBuilds(b, "--no-cache") }

// raceBuilds lets the same build run by us, by Docker's two builders and by buildah. The commands of RUN have the host's network everywhere.
func raceBuilds(b *testing.B, flags ...string) {
	run, _ := bench(b)
	dir := benchContext(b)
	request := func(dockerfile string, more ...string) []string {
		return append(append(append([]string{}, more...), flags...), "-t", "bench", "-f", filepath.Join(dir, dockerfile), dir)
	}
	list := []*contender{{name: "sandbox", make: func() *exec.Cmd { return run(request("Dockerfile", "build", "--network", "host")...) }}}
	if docker := startDocker(b, []string{"--net", "--mount"}); docker != nil {
		fill(b, run("save", "base"), docker("load"))
		classic := func() *exec.Cmd { return docker(request("Dockerfile", "build", "--network", "host")...) }
		buildKit := func() *exec.Cmd {
			cmd := classic()
			cmd.Env = append(cmd.Env, "DOCKER_BUILDKIT=1")
			return cmd
		}
		list = append(list, &contender{name: "docker", make: classic})
		if out, err := buildKit().CombinedOutput(); err == nil {
			list = append(list, &contender{name: "buildkit", make: buildKit})
		} else {
			b.Logf("not compared with BuildKit: %s", last(out, 300))
		}
	}
	if buildah := buildah(b); buildah != nil {
		archive := filepath.Join(dir, "..", "base.tar")
		if out, err := run("save", "-o", archive, "base").CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		if out, err := buildah("pull", "docker-archive:"+archive).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		list = append(list, &contender{name: "buildah", make: func() *exec.Cmd {
			return buildah(request("Dockerfile.buildah", "bud", "--layers", "--network", "host")...)
		}})
	}
	race(b, list)
}

// benchContext makes a directory with 200 files to copy.
func benchContext(b *testing.B) string {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "context")
	files := map[string]string{
		"Dockerfile": fmt.Sprintf(benchDockerfile, "base"), "Dockerfile.buildah": fmt.Sprintf(benchDockerfile, "localhost/base"), "last": "last\n",
	}
	for i := range 200 {
		files[fmt.Sprintf("src/%03d", i)] = fmt.Sprintf("file %d\n", i)
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}
