package transcripts

// mistakesInLayers are those in 2.1 to 2.3: what images are made of.
func mistakesInLayers() []mistake {
	const stillHello = "mkdir ~/x; sandbox create --name still hello; sandbox export still | tar -x -C ~/x hello; "
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
	}
}
