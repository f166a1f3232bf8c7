package build

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sandbox/image"
	"sandbox/kernel"
)

const section243 = "2.4.3" // of the tutorial: the build cache

// cached finds the image that a step has made before, and tells why there is one, or none.
func (b *builder) cached(st *state, r *record) *image.Image {
	var img *image.Image
	var gone string
	if !b.NoCache {
		var err error
		if img, gone, err = b.cache.get(r); err != nil {
			gone = err.Error() // a damaged record is as good as none
		}
	}
	if !b.explain {
		return img
	}
	line := lineOf(r.Instruction)
	if img != nil {
		b.Note(section243, "cache hit: "+line+": image "+short(img.ID), kernel.Why{
			EN: "the same instruction, with the same inputs, on the same parent has been built before: its image is taken",
			ZH: "同样的指令、同样的输入、同样的父镜像以前构建过：直接使用那次得到的镜像",
		})
		return img
	}
	reason, why := b.reason(st, r, gone)
	b.Note(section243, "cache miss: "+line+": "+reason, why)
	return nil
}

// reason says why a step has to be built.
func (b *builder) reason(st *state, r *record, gone string) (string, kernel.Why) {
	siblings := b.cache.children(r.Parent)
	switch {
	case b.NoCache:
		return "--no-cache", kernel.Why{EN: "it was asked not to look for one", ZH: "命令行要求不使用缓存"}
	case gone != "":
		return "the image that it made, " + short(gone) + ", is gone", kernel.Why{EN: "a record without its image is worth nothing", ZH: "镜像已被删除，只剩记录没有用"}
	case len(siblings) > 0:
		return b.difference(r, nearest(r, siblings))
	case st.rebuilt > 0:
		return fmt.Sprintf("step %d was built anew", st.rebuilt), kernel.Why{
			EN: "an image is looked up by its parent, and the parent is a new one: what follows a miss misses too",
			ZH: "缓存按父镜像查找，而父镜像是新的：一步未命中，后面各步都不命中",
		}
	}
	if other := b.cache.elsewhere(r); other != nil {
		return fmt.Sprintf("built on another parent so far: %s instead of %s", parentName(other), parentName(r)), kernel.Why{
			EN: "an image is looked up by its parent: with another base image, or after other steps, nothing of the old build fits",
			ZH: "缓存按父镜像查找：base 镜像不同，或前面的步骤不同，旧的结果都不能用",
		}
	}
	return "never built before", kernel.Why{EN: "the cache holds nothing of the kind", ZH: "缓存中没有这样的步骤"}
}

func parentName(r *record) string {
	if r.Parent == "" {
		return scratch
	}
	return short(r.Parent)
}

// nearest picks the record that differs least: the same instruction with other inputs, or else the most similar text.
func nearest(r *record, others []*record) *record {
	verb := firstWord(r.Instruction)
	distance := func(o *record) int {
		d := 0
		if !slices.Equal(o.Args, r.Args) {
			d++
		}
		if !slices.Equal(o.More, r.More) {
			d += 2
		}
		switch {
		case o.Instruction == r.Instruction:
			return d
		case firstWord(o.Instruction) == verb:
			return d + 4*differing(o.Instruction, r.Instruction)
		}
		return d + 1<<20
	}
	return slices.MinFunc(others, func(a, b *record) int {
		return cmp.Or(distance(a)-distance(b), strings.Compare(a.Instruction, b.Instruction))
	})
}

// differing counts the words that only one of two texts has.
func differing(a, b string) int {
	count := map[string]int{}
	for _, word := range strings.Fields(a) {
		count[word]++
	}
	for _, word := range strings.Fields(b) {
		count[word]--
	}
	sum := 0
	for _, n := range count {
		sum += max(n, -n)
	}
	return sum
}

// difference says what distinguishes a step from one on the same parent that was built.
func (b *builder) difference(r, old *record) (string, kernel.Why) {
	if r.Instruction != old.Instruction {
		return "on this parent it was so far: " + lineOf(old.Instruction), kernel.Why{
			EN: "another instruction, or another order of instructions, is another step", ZH: "指令的文字或先后次序变了，就是另一个步骤",
		}
	}
	if !slices.Equal(r.Args, old.Args) {
		return differentArgs(old.Args, r.Args), kernel.Why{
			EN: "RUN sees the values of ARG, so they count", ZH: "RUN 能看到 ARG 的值，所以值也算输入",
		}
	}
	if r.Content != old.Content {
		return differentFiles(b.cache.filesOf(old), r.files), kernel.Why{
			EN: "files are compared by name, owner, mode and content, not by time", ZH: "文件按名字、属主、权限与内容比较，不看修改时间",
		}
	}
	return fmt.Sprintf("options differ: were %v, are %v", old.More, r.More), kernel.Why{
		EN: "whatever the result depends on counts", ZH: "凡影响结果的选项都算输入",
	}
}

func differentArgs(old, now []string) string {
	was, is := variables(old), variables(now)
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(merged(was, is))) {
		before, had := was[name]
		after, has := is[name]
		switch {
		case had && has && before != after:
			texts = append(texts, fmt.Sprintf("ARG %s was %q, is %q", name, before, after))
		case !had:
			texts = append(texts, fmt.Sprintf("ARG %s=%s is new", name, after))
		case !has:
			texts = append(texts, "ARG "+name+" is gone")
		}
	}
	return strings.Join(texts, ", ")
}

func variables(list []string) map[string]string {
	values := map[string]string{}
	for _, entry := range list {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	return values
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// differentFiles names at most three files.
func differentFiles(old, now map[string]string) string {
	if old == nil {
		return "what is copied has changed"
	}
	var texts []string
	for _, path := range slices.Sorted(maps.Keys(merged(old, now))) {
		before, had := old[path]
		after, has := now[path]
		switch {
		case !had:
			texts = append(texts, "file "+path+" is new")
		case !has:
			texts = append(texts, "file "+path+" is gone")
		case before != after:
			texts = append(texts, "file "+path+" changed")
		}
	}
	if more := len(texts) - 3; more > 0 {
		texts = append(texts[:3], fmt.Sprintf("and %d more", more))
	}
	if len(texts) == 0 {
		return "what is copied has changed"
	}
	return strings.Join(texts, ", ")
}
