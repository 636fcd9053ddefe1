#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The picture in info/index.html: who writes to whom, what is wrong, and how much of it is drawn. And
# whatever others have called their channels and processes, it is text.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper
load picture

has_line() { # TEXT
	grep -qxF "$1" <<<"$output"
}

# --- the picture ----------------------------------------------------------------------------------

@test "the picture shows who writes to whom" {
	touch "$P"
	use producer "$P" w
	producer=$JOB
	use consumer "$P" r
	consumer=$JOB
	use both "$P" rw
	look "filter=$NAME"
	run -0 page picture
	has_line "process producer $producer of user root writes channel pipes/$NAME"
	has_line "process consumer $consumer of user root reads channel pipes/$NAME"
	has_line "process both $JOB of user root writes and reads channel pipes/$NAME"
	[[ $(grep -o 'class="tip"' "$OUT" | wc -l) == 4 ]]
}

@test "the picture marks what is full and what waits" {
	shell 'echo "create pipes/$NAME served=daemon capacity=64K" > $IPC/ctl; echo "create events/$NAME" > $IPC/ctl'
	fill_pipe
	background cat "$IPC/events/$NAME"
	wait_until blocked "$JOB"
	look "filter=$NAME"
	run -0 page picture
	has_line "channel pipes/$NAME, full, used by no process"
	has_line "process cat $JOB of user root reads channel events/$NAME, 1 waiting"
	[[ $(page cell state) == $'full\n1 waiting' ]]
}

@test "the picture marks what is leaked, and the page says why" {
	remount leak_idle=0
	touch "$S" "$P"
	use somebody "$P" r
	wait_until grep -qF "shm/$NAME" "$IPC/info/leaks" # what happened this second counts as use
	look "filter=leaked&select=shm/$NAME"
	run -0 page picture
	has_line "channel shm/$NAME, leaked, used by no process"
	[[ $(page rows | grep -cF "shm/$NAME") == 1 ]]
	[[ $(page text card) == *"Leaked: "* ]]
	[[ $(page rows) != *"pipes/$NAME"* ]]
}

@test "another user's processes are only a number" {
	touch "$P"
	chmod 666 "$P"
	use secret "$P" r
	setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups cat "$IPC/info/index.html" >"$D/page.html"
	run ! grep -F secret "$D/page.html"
	browse "file://$D/page.html#select=pipes/$NAME"
	[[ $(page text card) == *"1 process, 1 of other users"* ]]
	[[ $(page text notes) == *"of other users use channels"* ]]
	[[ $(page picture) != *"$JOB"* ]]
}

@test "alike processes are folded into one, unless all are asked for" {
	touch "$P"
	for _ in {1..5}; do
		use twin "$P" r
	done
	look "filter=$NAME"
	[[ $(page picture) == "5 processes twin reads channel pipes/$NAME" ]]
	look "filter=$NAME&show=all"
	[[ $(page picture | grep -c "^process twin .* reads channel pipes/$NAME") == 5 ]]
}

# The limit is for a busy machine. On an idle one it takes half a second.
@test "2,000 channels open quickly, with those that nobody has open folded" {
	python3 -c 'import os
with open(os.environ["IPC"] + "/ctl", "wb", buffering=0) as ctl:
    for i in range(2000):
        ctl.write(b"create topics/%s.%d\n" % (os.environ["NAME"].encode(), i))'
	use lonely "$IPC/topics/$NAME.1" rw
	look "sort=name"
	(($(page value ready) < 15000))
	echo "# ready after $(page value ready) ms" >&3
	[[ $(page data | grep -c "$NAME") == 2000 ]]
	[[ $(page picture | grep -c "$NAME") == 1 ]]
	[[ $(page text folded) == *"1,999 topics"* ]]
	look "show=all&filter=$NAME.1"
	[[ $(grep -o '<g class="node channel' "$OUT" | wc -l) == 1111 ]]
}

# --- names ----------------------------------------------------------------------------------------

# Elements that could do something: three scripts and the style are the page's own.
own_tags() {
	look "filter=no-such-channel"
	page tags
}

@test "no name is taken for markup" {
	own=$(own_tags)
	export ATTACK='<script>document.title=1</script>'
	python3 -c 'import os
ipc, name = os.environb[b"IPC"], os.environb[b"NAME"]
odd = [b"<script>alert(1)<", b"<!--<script>", b"]]>", b"<img src=x onerror=alert(1)>", b"\"onload=\"alert(1)", b"x\x27y",
       b"&lt;i&gt;", b"new\nline", b"\xff\xfe", b"\xe2\x80\xa8", b"</script\n>".replace(b"/", b"\xe2\x88\x95"), b"\\u003c", b"${1}`"]
for tail in odd:
    os.close(os.open(ipc + b"/pipes/" + name + b"." + tail, os.O_RDWR | os.O_CREAT, 0o600))'
	mkfifo "$P.<b>plain"
	shell 'echo "create queues/$NAME.<script>alert(1)<" > $IPC/ctl
		echo "create sockets/servers/$NAME listen=abstract:$NAME$ATTACK" > $IPC/ctl'
	touch "$P"
	use '</script><i>!' "$P" rw
	look "show=all&select=sockets/servers/$NAME"
	[[ $(page tags) == "$own" ]]
	[[ $(page text card) == *"$NAME$ATTACK"* ]]
	contains "$OUT" "<title>ipcfs"
	run -0 page rows
	has_line "pipes/$NAME.<script>alert(1)<"
	has_line "pipes/$NAME.new\\x0aline"
	has_line "pipes/$NAME.\\xff\\xfe"
	has_line "pipes/$NAME.&lt;i&gt;"
	has_line "pipes/$NAME.\"onload=\"alert(1)"
	has_line "queues/$NAME.<script>alert(1)<"
	[[ $(page picture) == *"process </script><i>! $JOB of user root writes and reads channel pipes/$NAME"* ]]
	[[ $(grep -c "<script" "$IPC/info/index.html") == 2 ]]
}

# --- the picture of the documents -----------------------------------------------------------------

@test "scripts/picture draws docs/index.png" {
	run -0 unshare --mount --ipc --uts --propagation private env BUILDDIR="${IPCFS%/fs/ipcfs}" \
		"$HERE/../../scripts/picture" --in-namespaces "$D/index.png"
	[[ $(head -c 4 "$D/index.png" | od -An -c) == *"P"*"N"*"G"* ]]
	(($(stat -c %s "$D/index.png") > 50000 && $(stat -c %s "$HERE/../../docs/index.png") < 150000))
}
