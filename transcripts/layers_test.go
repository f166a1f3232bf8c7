package transcripts

// mistakesInLayers are those in 2.1 to 2.3: what images are made of.
func mistakesInLayers() []mistake {
	const stillHello = "mkdir ~/x; sandbox create --name still hello; sandbox export still | tar -x -C ~/x hello; "
	const island = "mkdir -p ~/x/etc; sandbox create --name donor base; sandbox export donor | tar -x -C ~/x bin/userland bin/sh bin/whoami; "
	const added = `; tar -C ~/x -cf ~/x.tar .; mkdir ~/y; mv ~/x.tar ~/y; printf 'FROM scratch\nADD x.tar /\n' > ~/y/Dockerfile; sandbox build -t island ~/y`
	return []mistake{
		{"2.1", "1", "", "There is no image `greeting` yet"},
		{"2.1", "1", `printf 'FROM base\nRUN true\nCMD ["hello"]\n' | sandbox build -t greeting -`, "each COPY makes one"},
		{"2.1", "1", stillHello + `printf 'FROM scratch\nCOPY hello /\nCMD ["hello"]\n' > ~/x/Dockerfile; sandbox build -t greeting ~/x`, "A target that ends with a slash"},
		{"2.1", "1", stillHello + `printf 'FROM scratch\nCOPY hello /bin/\nCMD ["/bin/hello"]\n' > ~/x/Dockerfile; sandbox build -t greeting ~/x`, "`CMD` decides"},
		{"2.1", "1", stillHello + `chmod -x ~/x/hello; printf 'FROM scratch\nCOPY hello /bin/\nCMD ["hello"]\n' > ~/x/Dockerfile; sandbox build -t greeting ~/x`, "is the file executable"},
		{"2.1", "1", `printf 'FROM scratch\nCOPY --from=hello /hello /bin/\nCMD ["hello"]\n' | sandbox build -t greeting -`, praise},
		{"2.1", "2", "", "it is not `/hello`"},
		{"2.1", "2", "sandbox tag stuck unstuck", "character by character"},
		{"2.1", "2", `printf 'FROM scratch\nCOPY hello /\nCMD ["/helo"]\n' > ~/stuck/Dockerfile; sandbox build -t unstuck ~/stuck`, "say instead"},
		{"2.1", "2", `printf 'FROM base\nCOPY hello /\nCMD /hello\n' > ~/stuck/Dockerfile; sandbox build -t unstuck ~/stuck`, "A shell would be one way out"},
		{"2.1", "2", `printf 'FROM base\nCOPY hello /\nCMD ["/hello"]\n' > ~/stuck/Dockerfile; sandbox build -t unstuck ~/stuck`, "A shell would be one way out"},
		{"2.1", "2", `printf 'FROM stuck\nCMD ["/hello"]\n' | sandbox build -t unstuck -`, praise},
		{"2.1", "3", "", "any word will do"},
		{"2.1", "3", "sandbox rmi sealed", "sandbox lab reset 2.1"},
		{"2.1", "3", `printf 'FROM sealed\nLABEL word=lantern\n' | sandbox build -t envelope -`, "shortest Dockerfile with a LABEL"},
		{"2.1", "3", `printf 'FROM scratch\nLABEL word=Lantern\n' | sandbox build -t envelope -`, "Capitals and spaces count"},
		{"2.1", "3", `printf 'FROM scratch\nLABEL word=lantern\n' | sandbox build -t envelope -`, praise},
		{"2.2", "1", "", "There is no image `island` yet"},
		{"2.2", "1", `printf 'FROM base\nRUN echo ID=island > /etc/os-release\n' | sandbox build -t island -`, "always one too many"},
		{"2.2", "1", island + "echo ID=island > ~/x/etc/os-release; rm ~/x/bin/userland" + added, "is only a link"},
		{"2.2", "1", island + "echo ID = island > ~/x/etc/os-release" + added, "without spaces"},
		{"2.2", "1", island + "echo ID=island > ~/x/etc/os-release" + added, "one line for each user"},
		{"2.2", "1", island + "echo ID='island' > ~/x/etc/os-release; echo robinson:x:0: > ~/x/etc/passwd" + added, praise},
		{"2.2", "2", "", "everything is melted into one"},
		{"2.2", "2", "sandbox rmi espresso", "brings both back"},
		{"2.2", "2", `printf 'FROM espresso\nRUN echo cold milk > /milk\nCMD ["cat", "/espresso", "/milk"]\n' | sandbox build -t latte -`, "What does its CMD say"},
		{"2.2", "2", `printf 'FROM base\nRUN echo one espresso > /espresso && echo warm milk > /milk\nCMD ["cat", "/espresso", "/milk"]\n' | sandbox build -t latte -`, "is not enough"},
		{"2.2", "2", `printf 'FROM espresso\nRUN echo warm > /milk\nRUN echo warm milk > /milk\nCMD ["cat", "/espresso", "/milk"]\n' | sandbox build -t latte -`, "One instruction that makes a layer"},
		{"2.2", "2", `sandbox run --name milk espresso sh -c 'echo warm milk > /milk'; sandbox commit -c 'CMD cat /espresso /milk' milk latte`, praise},
		{"2.2", "3", "", "that nobody can forge"},
		{"2.2", "3", "sandbox tag blue impostor", "That one is innocent"},
		{"2.2", "3", `printf 'FROM scratch\nCOPY --from=green / /\n' | sandbox build -t impostor -; printf 'FROM impostor\nRUN echo olive > /color\n' | sandbox build -t impostor -`, "Have you built something new"},
		{"2.2", "3", "sandbox tag red impostor; sandbox tag green impostor", praise},
	}
}
