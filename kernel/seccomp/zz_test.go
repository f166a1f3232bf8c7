package seccomp
import ("testing";"bytes";"os";"fmt";"encoding/json";"encoding/binary";"math/rand/v2";"os/exec";"sandbox/kernel/capability";"github.com/opencontainers/runtime-spec/specs-go";"golang.org/x/sys/unix")
func runFull(p []Instruction, d *data) uint32 {
	mem := d.bytes(); var A, M uint32; var S [16]uint32; _ = M
	for at := 0; ; at++ { i := p[at]; h := false
		switch i.Code {
		case 6: return i.K
		case 0x20: A = binary.LittleEndian.Uint32(mem[i.K:]); continue
		case 0x54: A &= i.K; continue
		case 5: at += int(i.K); continue
		case 0x15: h = A == i.K
		case 0x35: h = A >= i.K
		case 0x25: h = A > i.K
		case 0x45: h = A&i.K != 0
		case 2: S[i.K] = A; continue
		case 0x60: A = S[i.K]; continue
		default: panic(fmt.Sprintf("%x", i.Code)) }
		if h { at += int(i.JT) } else { at += int(i.JF) } }
}
func TestZZ(t *testing.T) {
	type item struct { m *machine; spec *specs.LinuxSeccomp; f string }
	var items []item
	for _, m := range machines { for i, caps := range []capability.Set{0, capability.Default, capability.All} {
		items = append(items, item{m, defaultProfile.resolve(m, uint64(caps), Version{6,18}), fmt.Sprintf("/tmp/chk/def-%s-%d", m.goarch, i)}) } }
	for seed := range uint64(40) { r := rand.New(rand.NewPCG(seed, 99)); s := randomProfile(r)
		// each call in one rule only: libseccomp's order among conditional rules is its own
		seen := map[string]bool{}
		for i := range s.Syscalls { var n []string; for _, x := range s.Syscalls[i].Names { if !seen[x] { n = append(n, x) ; seen[x] = true } }; s.Syscalls[i].Names = n }
		items = append(items, item{&amd64, s, fmt.Sprintf("/tmp/chk/rnd-%d", seed)}) }
	var files []string
	for _, it := range items { b, _ := json.Marshal(it.spec); var x map[string]any; d := json.NewDecoder(bytes.NewReader(b)); d.UseNumber(); d.Decode(&x); x["native"] = it.m.abis[0].name; b, _ = json.Marshal(x); os.WriteFile(it.f, b, 0o600); files = append(files, it.f) }
	_ = exec.Command; _ = files
	for _, it := range items {
		b, _ := os.ReadFile(it.f + ".bpf"); var lib []Instruction
		for ; len(b) >= 8; b = b[8:] { lib = append(lib, Instruction{binary.LittleEndian.Uint16(b), b[2], b[3], binary.LittleEndian.Uint32(b[4:])}) }
		if len(lib) == 0 { t.Log("empty", it.f); continue }
		ours, err := compile(it.spec, it.m); if err != nil { t.Log(err); continue }
		t.Log(it.f, "ours", len(ours), "lib", len(lib))
		samples := samplesFor(it.spec); bad := map[string]bool{}; n := 0
		for _, or := range oracles(it.m) { for nr := range uint32(600) {
			list := append(samples[or.names[nr]], [6]uint64{})
			for _, a := range list { d := &data{nr | or.abi.bit, or.abi.audit, a}; n++
				x, y := runFull(ours, d), runFull(lib, d)
				if x != y && x != unix.SECCOMP_RET_ERRNO|38 { k := fmt.Sprintf("%s %s %d %s: ours %x lib %x", it.f, or.abi.name, nr, or.names[nr], x, y); if !bad[k] { bad[k] = true; t.Log(k, a) } } } } }
		t.Log(n, "compared")
	}
}
