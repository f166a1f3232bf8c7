package transcripts

// mistakesInOperations are those in 3.3: stopped, paused, removed.
func mistakesInOperations() []mistake {
	const handler = `sandbox run -d --name polite base sh -c 'trap "echo bye; exit `
	const wait = `" TERM; echo ready; while true; do sleep 1 & wait $!; done'; until sandbox logs polite | grep -q ready; do sleep 0.1; done; sandbox stop polite`
	return []mistake{
		{"3.3", "1", "", "There is no container `polite` yet"},
		{"3.3", "1", "sandbox run -d --name polite base sleep 1000", "which command asks it to?"},
		{"3.3", "1", "sandbox run -d --name polite base sh -c 'while true; do sleep 1; done'; sandbox stop -t 0 polite", "hears SIGTERM only if it has a handler"},
		{"3.3", "1", "sandbox run --name polite base echo bye", "not because `stop` had asked"},
		{"3.3", "1", handler + "3" + wait, "What does the handler end with"},
		{"3.3", "1", handler + "0" + wait, praise},
		{"3.3", "2", "", "`sandbox stats` shows"},
		{"3.3", "2", "sandbox stop -t 0 ada cleo", "did no harm"},
		{"3.3", "2", "sandbox rm -f cleo", "You have removed the evidence"},
		{"3.3", "2", "sandbox kill cleo", praise},
		{"3.3", "3", "", "knows labels"},
		{"3.3", "3", "sandbox container prune -f", "the letter with it"},
		{"3.3", "3", "sandbox stop -t 0 worker; sandbox rm scrap1 scrap2 scrap3", "was not to be touched"},
		{"3.3", "3", "sandbox rm scrap1 scrap2 scrap3", praise},
	}
}
