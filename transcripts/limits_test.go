package transcripts

// mistakesInLimits are those in 3.4: memory, CPU and block I/O.
func mistakesInLimits() []mistake {
	const pinned, half = "sandbox run -d --name front --cpuset-cpus 0 --cpu-shares ", "sandbox run -d --name back --cpuset-cpus 0 --cpu-shares "
	const slow, disk = "sandbox run -d --name scribe --device-", " /run/pocket/disk/test.dd:"
	return []mistake{
		{"3.4", "1", "", "There is no container `cache` yet"},
		{"3.4", "1", "sandbox create --name cache -m 64M --memory-swap 64M base sleep 1000", "`cache` is there but does not run"},
		{"3.4", "1", "sandbox run -d --name cache base sleep 1000", "`cache` has no limit for memory"},
		{"3.4", "1", "sandbox run -d --name cache -m 46M --memory-swap 46M base sleep 1000", "The limit is not 64 MB"},
		{"3.4", "1", "sandbox run -d --name cache -m 64M base sleep 1000", "the sum is twice as much"},
		{"3.4", "1", "sandbox run -d --name cache -m 64M --memory-swap 0 base sleep 1000", "the sum is twice as much"},
		{"3.4", "1", "sandbox run -d --name cache -m 64M --memory-swap -1 base sleep 1000", "the very opposite"},
		{"3.4", "1", "sandbox run -d --name cache -m 64M --memory-swap 100M base sleep 1000", "Which sum leaves exactly 0"},
		{"3.4", "1", "sandbox run -d --name cache base sleep 1000; sandbox update -m 64M --memory-swap 64M cache", praise},
		{"3.4", "2", "", "Two places in 3.4.1 are more precise"},
		{"3.4", "2", "sandbox update -m 512M --memory-swap 512M cleo", "one that had memory enough"},
		{"3.4", "2", "sandbox rm ben", "it was to be the same container"},
		{"3.4", "2", "sandbox update -m 512 --memory-swap 512 ben; sandbox update -m 300M --memory-swap 300M ben", "not to 512 MB"},
		{"3.4", "2", "sandbox update -m 512M --memory-swap 512M ben", "has not run since"},
		{"3.4", "2", "sandbox update -m 512M --memory-swap -1 ben; sandbox start ben; sandbox wait ben", praise},
		{"3.4", "3", "", "two commands that are nearly right"},
		{"3.4", "3", pinned + "1536 stress --cpu 1; " + half + "512 base true", "One of them does not run"},
		{"3.4", "3", "sandbox run -d --name front --cpu-shares 1536 stress --cpu 1; sandbox run -d --name back --cpu-shares 512 stress --cpu 1", "a processor of its own"},
		{"3.4", "3", pinned + "512 stress --cpu 1; " + half + "1536 stress --cpu 1", "The wrong way round"},
		{"3.4", "3", pinned + "3072 stress --cpu 1; sandbox run -d --name back --cpuset-cpus 0 stress --cpu 1", "no shares written down"},
		{"3.4", "3", pinned + "1024 stress --cpu 1; " + half + "512 stress --cpu 1", "The shares are not 3 : 1"},
		{"3.4", "3", pinned + "3000 stress --cpu 1; " + half + "1000 base sleep 1000", "One of them is idle"},
		{"3.4", "3", pinned + "3000 stress --cpu 1; " + half + "1024 stress --cpu 1; sandbox update --cpu-shares 1000 back", praise},
		{"3.4", "4", "", "There is no container `scribe` yet"},
		{"3.4", "4", "sandbox create --name scribe --device-write-bps" + disk + "5MB base sleep 1000", "`scribe` is there but does not run"},
		{"3.4", "4", slow + "read-bps" + disk + "5MB base sleep 1000", "What you have limited is reading"},
		{"3.4", "4", slow + "write-iops" + disk + "5 base sleep 1000", "`iops` counts operations"},
		{"3.4", "4", slow + "write-bps" + disk + "5 base sleep 1000", "The unit is missing"},
		{"3.4", "4", slow + "write-bps" + disk + "50MB base sleep 1000", "it is written DISK:RATE"},
		{"3.4", "4", slow + "write-bps /run/pocket/disk:5MB -v /run/pocket/disk:/disk base sleep 1000; " + slow + "write-bps" + disk + "5242880 base sleep 1000", praise},
	}
}
