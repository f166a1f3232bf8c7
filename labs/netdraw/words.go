package netdraw

// words of a picture.
type words struct {
	comma, stopped, onHost, joined, closed, empty                       string
	down, notThere, madeLater, parent, noAddress                        string
	noInside, loose, noVeth, alone, forwardsYes, forwardsNo             string
	yes, no, colon, eachOther, outside, others, asHost, noRoute, unsure string
}

func wordsOf(language string) words {
	if language == "zh" {
		return words{
			comma: "、", stopped: "没有运行：", onHost: "直接用 host 网络的容器：", joined: "（共用网络）", closed: "（只有 root 能看里面）", empty: "没有容器",
			down: "未启用", notThere: "内核里没有", madeLater: "（第一次用到时创建）", parent: "host 的网卡", noAddress: "没有地址",
			noInside: "容器里没有这块网卡", loose: "没有插在网桥上", noVeth: "host 这头不见了", alone: "没有接到任何网络",
			yes: "通", no: "不通", colon: "：", eachOther: "容器之间：", outside: "外面：", others: "其他网络：", asHost: "通，用 host 的地址", noRoute: "没有路由", unsure: "有无法判断的规则",
			forwardsYes: "在网卡之间转发包（ip_forward = 1）", forwardsNo: "不在网卡之间转发包（ip_forward = 0）",
		}
	}
	return words{
		comma: ", ", stopped: "not running: ", onHost: "containers on the host's own network: ", joined: " (joined)", closed: "(only root may look inside)", empty: "no containers",
		down: "DOWN", notThere: "not in the kernel", madeLater: "(made on first use)", parent: "the host's interface", noAddress: "no address",
		noInside: "missing inside", loose: "not in the bridge", noVeth: "host's end is missing", alone: "connected to no network",
		yes: "yes", no: "no", colon: ": ", eachOther: "each other: ", outside: "outside: ", others: "other networks: ", asHost: "yes, as the host", noRoute: "no route", unsure: "(some rules cannot be judged)",
		forwardsYes: "passes packets on between its interfaces (ip_forward = 1)", forwardsNo: "passes no packets on between its interfaces (ip_forward = 0)",
	}
}

func (w words) forwarding(yes bool) string {
	if yes {
		return w.forwardsYes
	}
	return w.forwardsNo
}

func (w words) yesNo(yes bool) string {
	if yes {
		return w.yes
	}
	return w.no
}
