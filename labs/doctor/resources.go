package doctor

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/kernel"
)

// groups: which version of control groups there is, and whether this user may make some.
func groups(m Machine) []Finding {
	f := Finding{Name: "control groups", Section: "3.4", State: OK, Detail: same("cgroup " + m.Groups.Mode.String())}
	switch {
	case m.Groups.Mode == cgroup.None:
		f.State, f.Detail, f.Cure = Missing, m.Groups.Refusal, m.Groups.Cure
	case !m.Groups.Available():
		f.State = Limited
		f.Detail = text("containers run, without limits: "+m.Groups.Refusal.EN,
			"容器能运行，但不能限制资源："+m.Groups.Refusal.In("zh"))
		f.Cure = m.Groups.Cure
	case m.Groups.Delegated:
		f.Detail = text("cgroup v2, delegated to this user: "+m.Groups.Base, "cgroup v2，已委派给当前用户："+m.Groups.Base)
	}
	return one(f)
}

// controllers that the limits of section 3.4 need, as v1 and v2 call them.
func controllers(m Machine) []Finding {
	if m.Groups.Mode == cgroup.None {
		return nil
	}
	wanted, have := []string{"memory", "cpu", "blkio", "pids", "cpuset"}, []string{}
	if m.Groups.Mode == cgroup.V2 {
		wanted[2] = "io"
		have = strings.Fields(m.read(path.Join(m.Groups.Base, "cgroup.controllers")))
	}
	for _, h := range m.Groups.Hierarchies {
		have = append(have, h.Controllers...)
	}
	lacking := slices.DeleteFunc(slices.Clone(wanted), func(c string) bool { return slices.Contains(have, c) })
	f := Finding{Name: "controllers", Section: "3.4", State: OK, Detail: same(strings.Join(wanted, ", "))}
	if len(lacking) == 0 {
		return one(f)
	}
	f.State, f.Detail = Limited, text("lacking: "+strings.Join(lacking, ", "), "缺少："+strings.Join(lacking, "、"))
	f.Cure = text("boot with cgroup_enable="+lacking[0]+", or have it mounted", "启动参数加 cgroup_enable="+lacking[0]+"，或者把它挂载上")
	if m.Groups.Delegated {
		f.Cure = same("systemctl edit user@.service → [Service] Delegate=cpu cpuset io memory pids")
	}
	return one(f)
}

// swap is what the second half of section 3.4.1 is about.
func swap(m Machine) []Finding {
	f := Finding{Name: "swap", Section: "3.4", State: OK, Detail: text("is there", "有")}
	if strings.Count(m.read("/proc/swaps"), "\n") == 0 {
		f.State = Limited
		f.Detail = text("none: --memory-swap is accepted and makes no difference", "没有：--memory-swap 可以设置，但没有效果")
		f.Cure = same("fallocate -l 512M /swapfile && chmod 600 /swapfile && mkswap /swapfile && swapon /swapfile")
	}
	return one(f)
}

// blockWeights: --blkio-weight does something only with the scheduler BFQ, or on v2 with io.cost.
func blockWeights(m Machine) []Finding {
	f := Finding{Name: "--blkio-weight", Section: "3.4", State: OK}
	groups := m.Groups
	groups.Sys, groups.Root = path.Join(m.Root, "/sys"), path.Join(m.Root, groups.Root)
	w := groups.Weighers()
	switch {
	case len(w.BFQ) > 0:
		f.Detail = text("BFQ is the scheduler of "+strings.Join(w.BFQ, ", "), strings.Join(w.BFQ, "、")+" 用的调度器是 BFQ")
	case len(w.Cost) > 0:
		f.Detail = text("io.cost is switched on", "io.cost 已打开")
	case w.Candidate != "":
		f.State, f.Detail = Limited, text("no disk uses BFQ: weights are refused", "没有磁盘用 BFQ：设权重会被拒绝")
		f.Cure = same("echo bfq > /sys/block/" + w.Candidate + "/queue/scheduler")
	default:
		f.State, f.Detail = Limited, text("this kernel has no BFQ: weights are refused; throttling (--device-write-bps) works", "内核没有 BFQ：设权重会被拒绝；限速（--device-write-bps）可用")
		f.Cure = same("modprobe bfq")
	}
	return one(f)
}

// Without no_new_privs an ordinary user may install no filter (seccomp(2)).
var (
	noNewPrivileges = kernel.Step{Effect: kernel.Prctl{Option: unix.PR_SET_NO_NEW_PRIVS, Arg: 1}, Section: "3.5"}
	allowAll        = kernel.Step{Effect: kernel.Seccomp{Filter: []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}}, Section: "3.5"}
)

// seccomp installs a filter that allows everything, in a child.
func seccomp(m Machine) []Finding {
	f := Finding{Name: "seccomp", Section: "3.5", State: OK, Detail: text("filters can be installed", "可以安装过滤器")}
	if err := m.Try(0, noNewPrivileges, allowAll); err != nil {
		f.State, f.Detail = Limited, same(lastPart(err))
		f.Cure = text("containers run without the filter; boot a kernel with CONFIG_SECCOMP_FILTER", "容器只能不带过滤器运行；换用带 CONFIG_SECCOMP_FILTER 的内核")
	}
	return one(f)
}

// terminal: run -it needs one, the course does not.
func terminal(m Machine) []Finding {
	f := Finding{Name: "terminal", Section: "3.1", State: OK, Detail: text("a person sits here; run -it works", "这里坐着人；run -it 可用")}
	switch {
	case !m.exists("/dev/ptmx"):
		f.State, f.Detail = Missing, text("/dev/ptmx is not there", "没有 /dev/ptmx")
		f.Cure = same("mount -t devpts devpts /dev/pts -o ptmxmode=0666 && ln -s pts/ptmx /dev/ptmx")
	case !m.IsTerminal:
		f.State, f.Detail = Limited, text("input or output is not a terminal: run -i works, run -it does not", "输入或输出不是终端：run -i 可用，run -it 不可用")
		f.Cure = text("start it from a terminal (ssh -t, docker exec -it)", "在终端里启动（ssh -t、docker exec -it）")
	}
	return one(f)
}
