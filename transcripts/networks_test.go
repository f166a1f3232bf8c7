package transcripts

// mistakesInNetworks are those in 3.6: who reaches whom, and why not.
func mistakesInNetworks() []mistake {
	const office = "sandbox network create --subnet 10.20.30.0/24 office; "
	const anna, bert = "sandbox run -d --name anna --network office base sleep 1000; ", "sandbox run -d --name bert --network office base sleep 1000; "
	const moved = "sandbox network connect store till; sandbox network disconnect store-old till; "
	const bridge = "br-$(sandbox network inspect -f '{{slice .Id 0 12}}' store)"
	const replug = "ip link set $(for v in $(ls /sys/class/net); do case $v in veth*) test -e /sys/class/net/$v/master || echo $v; esac; done) master " + bridge + "; "
	return []mistake{
		{"3.6", "1", "", "There is no network `office` yet"},
		{"3.6", "1", "sandbox network create office", "`office` has another subnet"},
		{"3.6", "1", office, "It takes two containers"},
		{"3.6", "1", office + anna + "sandbox run -d --name bert --network office base", "but does not run"},
		{"3.6", "1", office + anna + "sandbox run -d --name bert base sleep 1000", "They are not both in `office`"},
		{"3.6", "1", office + anna + bert + "ip link set br-$(sandbox network inspect -f '{{slice .Id 0 12}}' office) down", "and still no answer"},
		{"3.6", "1", office + "sandbox run -d --name anna base sleep 1000; sandbox run -d --name bert --network office --ip 10.20.30.77 httpd; sandbox network connect office anna", praise},
		{"3.6", "2", "", "They have no network in common"},
		{"3.6", "2", "sandbox rm -f reader", "brings both back"},
		{"3.6", "2", "sandbox rm -f reader; sandbox run -d --name reader --network shop base sleep 1000", "One has been made anew"},
		{"3.6", "2", "sandbox network connect bridge web", "They are both on `bridge` now"},
		{"3.6", "2", "sandbox network connect shop reader; sandbox exec reader sh -c 'echo nameserver 127.0.0.1 >/etc/resolv.conf'", "Has anything been changed inside"},
		{"3.6", "2", "sandbox network create corridor; sandbox network connect corridor web; sandbox network connect corridor reader", praise},
		{"3.6", "3", "", "who is in which network?"},
		{"3.6", "3", "sandbox rm -f till", "One of them is gone"},
		{"3.6", "3", "sandbox network connect store-old stock; sandbox network connect store till; sandbox network disconnect store stock", "It has to go back there"},
		{"3.6", "3", "sandbox network connect store till", "There is one cable too many"},
		{"3.6", "3", moved, "Count them"},
		{"3.6", "3", moved + replug + "ip link set " + bridge + " down", "Is the switch switched on?"},
		{"3.6", "3", moved + replug + "nsenter -t $(sandbox inspect -f '{{.State.Pid}}' till) -n ip link set eth1 down", "follows the packet"},
		{"3.6", "3", moved + replug, "the old network is still there"},
		{"3.6", "3", moved + replug + "sandbox network rm store-old", praise},
		{"3.6", "3", moved + "sandbox restart -t 0 stock; sandbox network rm store-old", praise},
		{"3.6", "3", moved + "sandbox network repair; sandbox network rm store-old", praise},
	}
}
