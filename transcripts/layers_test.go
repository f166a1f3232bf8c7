package transcripts

// mistakesInLayers are those in 2.3: what images are made of.
func mistakesInLayers() []mistake {
	const slim = `printf 'FROM base\n`
	return []mistake{
		{"2.3", "1", "", "There is no container `traces`"},
		{"2.3", "1", "printf 'FROM base\nRUN echo hi > /note; echo >> /etc/profile; rm /etc/protocols\n' | sandbox build -t x -; sandbox create --name traces x", "made from `base` itself"},
		{"2.3", "1", "sandbox run --name traces base sh -c 'echo hi > /note; echo > /etc/profil; rm /etc/protocols'", "Check the names"},
		{"2.3", "1", "sandbox run --name traces base sh -c 'echo hi > /note; rm /etc/protocols; echo >> /etc/profile; echo > /tmp/x'", "more than three traces"},
		{"2.3", "1", "sandbox run -d --name traces base sleep 1000; sandbox exec traces sh -c 'echo hi > /note; rm /etc/protocols'", "go on in it"},
		{"2.3", "1", "sandbox run -d --name traces base sleep 1000; sandbox exec traces sh -c 'echo hi > /note; rm /etc/protocols; chmod 600 /etc/profile'", praise},
		{"2.3", "2", "", "There is no image `slim` yet"},
		{"2.3", "2", "sandbox tag fat slim", "only the *permissions*"},
		{"2.3", "2", slim + `RUN seq 1 60000 > /numbers\nRUN seq 1 90000 | sort -r | head -n 3 > /answer\n' | sandbox build -t slim -`, "not as it is in `fat`"},
		{"2.3", "2", slim + `RUN seq 1 60000 > /numbers && chmod 600 /numbers\nRUN seq 1 90000 | sort -r > /var/tmp/x\nRUN head -n 3 /var/tmp/x > /answer && rm /var/tmp/x\n' | sandbox build -t slim -`, "which step made it"},
		{"2.3", "2", "sandbox create --name fa fat; sandbox export fa | sandbox import - slim", "should begin `FROM base`"},
		{"2.3", "2", slim + `COPY --from=fat /numbers /answer /\n' | sandbox build -t slim -`, praise},
		{"2.3", "3", "", "Removed means covered"},
		{"2.3", "3", "sandbox rmi vault", "brings it back"},
		{"2.3", "3", "sandbox create --name answer base sh", "a program that stays"},
		{"2.3", "3", "sandbox run -d --name answer base sleep 1000", "does not have the word"},
		{"2.3", "3", "id=$(sandbox history -q vault | sed -n 2p); word=$(sandbox run --rm $id cat /root/token); sandbox run -d --name answer base sleep 1000; sandbox exec -e word=$word answer sh -c 'echo $word > /word'", praise},
	}
}
