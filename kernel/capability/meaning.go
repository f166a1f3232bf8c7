package capability

// Meaning is what a capability lets a process do, in one line, in each of the course's languages.
type Meaning struct{ EN, ZH string }

// Explain says what capability n is for; nothing for a number that has no name.
func Explain(n int) Meaning {
	if n < 0 || n >= Count {
		return Meaning{}
	}
	return meanings[n]
}

// meanings in the order of names, after capabilities(7).
var meanings = [Count]Meaning{
	{"give files to another owner or group", "把文件改到别的属主或属组名下"},
	{"read, write and enter any file or directory, whatever its permission bits say", "读写任何文件、进入任何目录，不受权限位限制"},
	{"read any file and search any directory, whatever the permission bits say", "读取任何文件、查找任何目录，不受权限位限制"},
	{"do to anybody's files what only their owner may: chmod, set times, delete in /tmp", "对别人的文件做只有属主才能做的事：改权限、改时间、在 /tmp 里删除"},
	{"keep the set-user-ID and set-group-ID bits when a file is changed", "修改文件后保留 set-user-ID、set-group-ID 位"},
	{"send signals to any user's processes", "向任何用户的进程发信号"},
	{"become any group, and choose the supplementary groups", "切换为任意组，并设置附加组"},
	{"become any user", "切换为任意用户"},
	{"drop capabilities from the bounding set, add inheritable ones", "从边界集中去掉权能，或增加可继承的权能"},
	{"make files immutable or append-only (chattr +i, +a)", "把文件设为不可修改或只能追加（chattr +i、+a）"},
	{"listen on ports below 1024", "监听 1024 以下的端口"},
	{"send broadcasts, receive multicast (not asked for by today's kernels)", "发送广播、接收组播（如今的内核已不检查）"},
	{"configure the network: links, addresses, routes, firewall rules", "配置网络：网卡、地址、路由、防火墙规则"},
	{"open raw and packet sockets: ping, tcpdump, forged packets", "使用原始套接字和数据包套接字：ping、tcpdump、伪造报文"},
	{"lock any amount of memory, so that it is never swapped out", "锁定任意多的内存，使其不被换出"},
	{"use any user's System V shared memory, semaphores and message queues", "使用任何用户的 System V 共享内存、信号量和消息队列"},
	{"load code into the kernel, and remove it: modules", "向内核装入或卸下代码：内核模块"},
	{"reach the hardware directly: I/O ports, /dev/mem", "直接访问硬件：I/O 端口、/dev/mem"},
	{"change the root directory (chroot), enter mount namespaces", "更换根目录（chroot），进入挂载命名空间"},
	{"trace any process, and read or change its memory", "跟踪任何进程，读取或修改它的内存"},
	{"switch process accounting on and off (acct)", "开关进程记账（acct）"},
	{"administer the system: mount, namespaces, quotas and much more; nearly as good as root", "管理系统：挂载、命名空间、配额等等，几乎等同于 root"},
	{"reboot the machine, start another kernel (kexec)", "重启机器，或换一个内核启动（kexec）"},
	{"raise priorities, use real-time scheduling, bind others to processors", "提高优先级、使用实时调度、给别的进程绑定处理器"},
	{"go beyond resource limits, quotas and reserved disk space", "突破资源上限、磁盘配额和保留空间"},
	{"set the clock", "设置系统时间"},
	{"hang up terminals and configure virtual ones", "挂断终端、配置虚拟终端"},
	{"make device files (mknod)", "创建设备文件（mknod）"},
	{"be told when others open a file (leases, fcntl F_SETLEASE)", "在别人打开文件时得到通知（租约，fcntl F_SETLEASE）"},
	{"write into the kernel's audit log", "向内核审计日志写入记录"},
	{"switch auditing on and off, and change its rules", "开关审计，修改审计规则"},
	{"give programs capabilities of their own (setcap)", "给程序文件附加权能（setcap）"},
	{"override mandatory access control (Smack)", "越过强制访问控制（Smack）"},
	{"change the policy of mandatory access control (Smack, AppArmor)", "修改强制访问控制的策略（Smack、AppArmor）"},
	{"read and clear the kernel's messages, see kernel addresses", "读取、清除内核消息，看到内核地址"},
	{"set timers that wake a sleeping machine", "设置能唤醒休眠机器的定时器"},
	{"keep the machine from going to sleep", "阻止机器进入休眠"},
	{"read the audit log as it is written", "实时读取审计日志"},
	{"measure performance: perf_event_open on all processes and the kernel", "性能监测：用 perf_event_open 观察所有进程和内核"},
	{"load BPF programs into the kernel", "向内核装载 BPF 程序"},
	{"checkpoint and restore processes: choose pids, read others' map_files", "冻结并恢复进程：指定 pid、读取别的进程的 map_files"},
}
