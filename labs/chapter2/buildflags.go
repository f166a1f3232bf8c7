package chapter2

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"sandbox/image"
	"sandbox/image/archive"
	"sandbox/image/build"
	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
	"sandbox/labs/limits"
)

// buildOptions are the flags of `sandbox build`, under Docker's names.
type buildOptions struct {
	tags, args, labels, secrets, outputs, contexts, hosts, ssh, cacheFrom []string
	file, target, network, platform, progress, iidfile, metadata          string
	ulimits                                                               []string
	shmSize                                                               string
	limits                                                                limits.Options
	quiet, noCache, pull, push, squash, load, rm, forceRm                 bool
}

func (o *buildOptions) addFlags(f *pflag.FlagSet) {
	f.StringArrayVarP(&o.tags, "tag", "t", nil, "a name for the image: name[:tag]; may be repeated")
	f.StringVarP(&o.file, "file", "f", "", "the Dockerfile, or - for standard input (default DIRECTORY/Dockerfile)")
	f.StringArrayVar(&o.args, "build-arg", nil, "the value of an ARG: NAME=VALUE, or NAME for that of this environment")
	f.StringVar(&o.target, "target", "", "the stage to build (default: the last one)")
	f.BoolVar(&o.noCache, "no-cache", false, "build every step anew")
	f.BoolVar(&o.pull, "pull", false, "ask the registry for newer base images")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print only the image's ID")
	f.StringArrayVar(&o.labels, "label", nil, "metadata for the image: NAME=VALUE")
	f.StringArrayVar(&o.secrets, "secret", nil, "a secret for RUN --mount=type=secret: id=NAME,src=FILE or id=NAME,env=VARIABLE")
	f.StringArrayVarP(&o.outputs, "output", "o", nil, "where the result goes: DIR, type=tar,dest=FILE, type=oci,dest=FILE (default: the store)")
	f.StringArrayVar(&o.contexts, "build-context", nil, "a further context: NAME=DIR, or NAME=docker-image://IMAGE")
	f.StringVar(&o.network, "network", "", "network of RUN: default, none or host")
	o.limits.AddBuild(f)
	f.StringVar(&o.shmSize, "shm-size", "64m", "size of /dev/shm in RUN")
	f.StringArrayVar(&o.ulimits, "ulimit", nil, "a resource limit of RUN: nofile=1024:2048")
	f.StringVar(&o.platform, "platform", "", "what machines to build for: linux/arm64 (default: this machine's kind)")
	f.StringVar(&o.iidfile, "iidfile", "", "write the image's ID to this file")
	f.StringVar(&o.metadata, "metadata-file", "", "write the image's digests to this file, as JSON")
	f.StringVar(&o.progress, "progress", "auto", "auto or plain: the output is the same")
	f.StringArrayVar(&o.cacheFrom, "cache-from", nil, "has no effect: what the store has is used in any case")
	f.StringArrayVar(&o.hosts, "add-host", nil, "not supported")
	f.StringArrayVar(&o.ssh, "ssh", nil, "not supported")
	f.BoolVar(&o.push, "push", false, "not supported")
	f.BoolVar(&o.squash, "squash", false, "not supported")
	f.BoolVar(&o.load, "load", true, "has no effect: the image is always put into the store")
	f.BoolVar(&o.rm, "rm", true, "has no effect: intermediate containers are always removed")
	f.BoolVar(&o.forceRm, "force-rm", true, "has no effect")
	for _, name := range []string{"add-host", "ssh", "push", "squash", "load", "rm", "force-rm"} {
		_ = f.MarkHidden(name) // there is a flag of that name
	}
}

// unsupported refuses what would silently not be done.
func (o *buildOptions) unsupported() error {
	switch {
	case len(o.hosts) > 0:
		return kernel.Advise(errors.New("--add-host is not supported"), "in the Dockerfile: RUN echo ADDRESS NAME >> /etc/hosts && …, in the same RUN")
	case len(o.ssh) > 0:
		return kernel.Advise(errors.New("--ssh is not supported"), "give the key as a secret: --secret id=key,src=FILE")
	case o.push:
		return kernel.Advise(errors.New("--push is not supported"), "sandbox push NAME, when it is built")
	case o.squash:
		return kernel.Advise(errors.New("--squash is not supported"), "a second stage: FROM scratch, then COPY --from=build / /")
	case o.progress != "auto" && o.progress != "plain" && o.progress != "tty":
		return kernel.Advise(fmt.Errorf("invalid --progress %q", o.progress), "auto or plain")
	case o.network != "" && o.network != "default" && o.network != "none" && o.network != "host":
		return kernel.Advise(fmt.Errorf("invalid --network %q", o.network), "default, none or host")
	}
	return nil
}

// request turns the flags into a build.
func (o *buildOptions) request(env *command.Env) (build.Options, []build.Output, error) {
	r := build.Options{
		Store: env.Engine().Images, Dockerfile: o.file, Target: o.target, Network: o.network, Platform: o.platform,
		NoCache: o.noCache, Pull: o.pull, CacheDir: buildDir(env), Out: env.Out, Labels: pairs(o.labels), Args: map[string]string{}, Contexts: map[string]string{},
	}
	r.Resolve = resolveBase(env, env.Err)
	if env.Explain != "" {
		r.Note = env.Note
	}
	if err := o.unsupported(); err != nil {
		return r, nil, err
	}
	limited, err := o.hostConfig(env)
	if err != nil {
		return r, nil, err
	}
	r.Runner = newRunner(env, limited)
	if r.Tags, err = newNames(o.tags); err != nil {
		return r, nil, err
	}
	for _, arg := range o.args {
		name, value, given := strings.Cut(arg, "=")
		if !given {
			value, given = os.LookupEnv(name)
		}
		if given {
			r.Args[name] = value
		}
	}
	for _, c := range o.contexts {
		name, target, found := strings.Cut(c, "=")
		if !found {
			return r, nil, kernel.Advise(fmt.Errorf("invalid --build-context %q", c), "--build-context NAME=DIR")
		}
		r.Contexts[strings.ToLower(name)] = target
	}
	for _, option := range o.secrets {
		secret, err := build.ParseSecret(option)
		if err != nil {
			return r, nil, err
		}
		r.Secrets = append(r.Secrets, secret)
	}
	if err := setEpoch(&r); err != nil {
		return r, nil, err
	}
	outputs, err := o.parseOutputs(&r)
	return r, outputs, err
}

// hostConfig is what the containers of RUN may use. What cannot be had is refused before the first step.
func (o *buildOptions) hostConfig(env *command.Env) (container.HostConfig, error) {
	var hc container.HostConfig
	err := o.limits.Apply(&hc.Resources)
	if err == nil {
		hc.ShmSize, err = limits.ParseShmSize(o.shmSize)
	}
	if err == nil {
		hc.Ulimits, err = limits.ParseUlimits(o.ulimits)
	}
	if err == nil {
		err = env.Engine().CheckLimits(&hc, func(text string) { fmt.Fprintln(env.Err, "WARNING: "+text) })
	}
	if err != nil {
		return hc, &kernel.Advice{Cause: err, Cure: kernel.CureOf(err), Code: command.Failed}
	}
	return hc, nil
}

// setEpoch takes SOURCE_DATE_EPOCH from --build-arg, or else from the environment: then it is a --build-arg, too, as Docker's
// clients make it one.
func setEpoch(r *build.Options) error {
	text, set := r.Args["SOURCE_DATE_EPOCH"]
	if !set {
		text = os.Getenv("SOURCE_DATE_EPOCH")
	}
	if text == "" {
		return nil
	}
	r.Args["SOURCE_DATE_EPOCH"] = text
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return kernel.Advise(fmt.Errorf("invalid SOURCE_DATE_EPOCH %q", text), "seconds since 1970")
	}
	epoch := time.Unix(seconds, 0)
	r.Epoch = &epoch
	return nil
}

// parseOutputs reads --output. An image that is written elsewhere gets its names all the same.
func (o *buildOptions) parseOutputs(r *build.Options) ([]build.Output, error) {
	var outputs []build.Output
	for _, option := range o.outputs {
		output, err := build.ParseOutput(option)
		if err != nil {
			return nil, err
		}
		for name := range strings.FieldsFuncSeq(output.Name, func(c rune) bool { return c == ',' }) {
			parsed, err := newName(name)
			if err != nil {
				return nil, err
			}
			r.Tags = append(r.Tags, parsed)
		}
		outputs = append(outputs, output)
	}
	return outputs, nil
}

// pairs reads NAME=VALUE.
func pairs(list []string) map[string]string {
	values := map[string]string{}
	for _, entry := range list {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	return values
}

// writeFiles writes what scripts want to know of the image.
func (o *buildOptions) writeFiles(img *image.Image) error {
	if o.iidfile != "" {
		err := archive.WriteFile(o.iidfile, func(w io.Writer) error { _, err := io.WriteString(w, img.ID); return err })
		if err != nil {
			return fmt.Errorf("--iidfile: %w", err)
		}
	}
	if o.metadata == "" {
		return nil
	}
	return archive.WriteFile(o.metadata, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(map[string]string{
			"containerimage.config.digest": img.ID, "containerimage.digest": img.Digest, "image.name": strings.Join(img.Names, ","),
		})
	})
}
