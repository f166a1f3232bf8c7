package transcripts

// mistakesInBuilding are those in 2.4 to 2.6: how images are made, named and passed on.
func mistakesInBuilding() []mistake {
	const shop, rewrite = "cat > /tmp/shop/Dockerfile <<'END'\nFROM base\n", "\nEND"
	const retold = "printf 'FROM base\\nRUN mkdir /opt/probe && echo there is water > /opt/probe/report && rm /etc/protocols\\n"
	const parcel, inParcel = "cat > /tmp/parcel/Dockerfile <<'END'\nFROM base\n", "\nEND\nsandbox build -t parcel /tmp/parcel"
	const polite, inPolite = "sandbox build -t polite - <<'END'\nFROM base\nENV GREETING=\"Good morning\"\n", "\nEND"
	const guarded, withAccounts = "sandbox run -d --network host --name guarded -e REGISTRY_HTTP_ADDR=:5002 ", "-v /srv/accounts:/accounts -e REGISTRY_AUTH_HTPASSWD_PATH=/accounts "
	const ada, ready = "echo lovelace | sandbox registry passwd /srv/accounts ada; ", "; until sandbox logs guarded | grep listening; do sleep 0.1; done"
	const pushed = "; sandbox login -u ada -p lovelace localhost:5002; sandbox tag hello localhost:5002/ada/hello:1; sandbox push localhost:5002/ada/hello:1"
	return []mistake{
		{"2.4", "1", "", "There is no image `greeter:1` yet"},
		{"2.4", "1", "sandbox tag base greeter", "under the tag `latest`"},
		{"2.4", "1", "sandbox tag hello greeter:1", "Its layers are not those of `base`"},
		{"2.4", "1", "sandbox tag base greeter:1", "with `commit` you can hand over such an instruction with `-c`"},
		{"2.4", "1", "printf 'FROM base\\nCMD echo good evening' | sandbox build -t greeter:1 -", "It says something else"},
		{"2.4", "1", "sandbox create --name talker base && sandbox commit -c 'CMD [\"echo\", \"good morning\"]' talker greeter:1", praise},
		{"2.4", "2", "", "Which file must be there *before* the `RUN`"},
		{"2.4", "2", "echo nonsense >> /tmp/shop/Dockerfile", "cannot be built"},
		{"2.4", "2", shop + "COPY packages /shop/\nRUN mkdir /opt/installed && touch /opt/installed/nginx" + rewrite, "The page does not get into the image"},
		{"2.4", "2", shop + "RUN mkdir /opt/installed && date +%N | tee /opt/installed/nginx /opt/installed/redis\nCOPY page /shop/\nCMD cat /shop/page" + rewrite,
			"What is installed must depend on the file"},
		{"2.4", "2", shop + "RUN --mount=type=bind,source=packages,target=/p mkdir /opt/installed && for p in $(cat /p); do date +%N > /opt/installed/$p; done\n" +
			"COPY page /shop/\nCMD cat /shop/page" + rewrite, praise},
		{"2.4", "3", "", "Begin by comparing"},
		{"2.4", "3", "sandbox rmi mystery", "brings it back"},
		{"2.4", "3", "sandbox tag mystery retold", "is not what the successor needs"},
		{"2.4", "3", retold + "' | sandbox build -t retold -", "a list of names does not show that"},
		{"2.4", "3", retold + "RUN echo \"rover 4711/tcp\" >>/etc/services' | sandbox build -t retold -", "What else does an image have?"},
		{"2.5", "1", "", "each of the four wishes is one instruction"},
		{"2.5", "1", parcel + "WORKDIR /srv/parcel\nCOPY goods.tar.gz .\nRUN tar -xzf goods.tar.gz && rm goods.tar.gz" + inParcel, "where a later `rm` only hides it"},
		{"2.5", "1", parcel + "WORKDIR /srv/parcel\nCOPY goods.tar.gz ." + inParcel, "`COPY` has a sister"},
		{"2.5", "1", parcel + "WORKDIR /srv/parcel\nADD goods.tar.gz goods/" + inParcel, "The goods are not where they should be"},
		{"2.5", "1", parcel + "ADD goods.tar.gz /srv/parcel/\nRUN cd /srv/parcel" + inParcel, "The goods are not where they should be"},
		{"2.5", "1", parcel + "ADD goods.tar.gz /srv/parcel/\nWORKDIR /srv/parcel/\nENV SENDER=Ada LAST=Lovelace" + inParcel, "Quotes decide that"},
		{"2.5", "1", parcel + "WORKDIR /srv/parcel\nADD goods.tar.gz .\nENV SENDER Ada Lovelace" + inParcel, "one more note in the configuration"},
		{"2.5", "1", parcel + "WORKDIR /srv/parcel\nADD goods.tar.gz .\nENV SENDER Ada Lovelace\nEXPOSE 8080" + inParcel, praise},
		{"2.5", "2", "", "what is the part of each"},
		{"2.5", "2", polite + "CMD [\"echo\", \"$GREETING, world\"]" + inPolite, "A variable is printed as it is written"},
		{"2.5", "2", polite + "CMD echo \"$GREETING, world\"" + inPolite, "`Ada` was taken for a program"},
		{"2.5", "2", polite + "ENTRYPOINT echo \"$GREETING, ${1:-world}\"\nCMD [\"world\"]" + inPolite, "It is deaf"},
		{"2.5", "2", polite + "ENTRYPOINT [\"sh\", \"-c\", \"echo $GREETING, ${1:-world}\"]\nCMD [\"x\", \"world\"]" + inPolite, "the first of them is `$0`"},
		{"2.5", "2", polite + "ENTRYPOINT [\"echo\", \"Good morning,\"]\nCMD [\"world\"]" + inPolite, "The greeting is fixed"},
		{"2.5", "2", polite + "ENTRYPOINT [\"sh\", \"-c\", \"echo $GREETING, $1\", \"\"]\nCMD [\"world\"]" + inPolite, praise},
		{"2.5", "3", "", "one more signpost to it"},
		{"2.5", "3", "sandbox rm -f web", "must keep running, the same one"},
		{"2.5", "3", "sandbox tag shop:1.1 shop:broken", "Which image is the good one?"},
		{"2.5", "3", "for t in broken 1.1 latest stable; do sandbox tag $(sandbox images -qf dangling=true) shop:$t; done", "leads to the wrong image"},
		{"2.6", "1", "", "Two commands for each tag"},
		{"2.6", "1", "sandbox tag hello localhost:5001/team/hello:2.0", "it is still only here"},
		{"2.6", "1", "sandbox tag hello team/hello:2.0", "its name leads to another registry"},
		{"2.6", "1", "sandbox tag hello localhost:5001/team/hello:2.0; sandbox push localhost:5001/team/hello:2.0", "unless you say `--all-tags`"},
		{"2.6", "1", "sandbox tag hello localhost:5001/team/hello:2.0; sandbox tag base localhost:5001/team/hello; sandbox push -a localhost:5001/team/hello",
			"Tag both from `hello`"},
		{"2.6", "1", "sandbox tag hello localhost:5001/team/hello:2.0; sandbox tag hello localhost:5001/team/hello; sandbox push -a localhost:5001/team/hello", praise},
		{"2.6", "2", "", "2.6.1 has shown all that you need"},
		{"2.6", "2", "sandbox run -d --network host --name guarded registry", "Its port is set by the environment"},
		{"2.6", "2", guarded + "registry" + ready, "Anybody may come in"},
		{"2.6", "2", "echo x | sandbox registry passwd /srv/accounts ada; " + guarded + withAccounts + "registry" + ready, "not open for `ada`"},
		{"2.6", "2", ada + guarded + withAccounts + "registry" + ready, "Now be `ada`"},
		{"2.6", "2", ada + guarded + withAccounts + "registry" + ready + pushed, "it would go with the container"},
		{"2.6", "2", ada + "sandbox registry serve --addr 127.0.0.1:5002 --dir /srv/guarded --htpasswd /srv/accounts & until sandbox login -u ada -p lovelace localhost:5002; do sleep 0.1; done" + pushed, praise},
		{"2.6", "3", "", "An overwritten tag does not delete anything"},
		{"2.6", "3", "printf 'FROM base\\nCMD [\"echo\", \"all is well\"]\\n' | sandbox build -t localhost:5003/app:prod - && sandbox push localhost:5003/app:prod",
			"something that looks like the old image"},
		{"2.6", "3", "for d in $(ls /srv/museum/docker/registry/v2/repositories/app/_manifests/revisions/sha256); do sandbox pull localhost:5003/app@sha256:$d; done",
			"You have both images here"},
	}
}
