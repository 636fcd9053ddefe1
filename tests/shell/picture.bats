#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# info/index.html in a browser: it opens without an error, from a file and from a server, shows what
# is there as it was asked to, and takes names for nothing but text.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper
load nginx

setup() {
	CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
		skip "no Chromium"
	ipcfs_setup
	make_directory
}

# browse URL [OPTION...]: opens a page, whose DOM is then in $OUT. Fails if the page logs anything:
# an error of its script, or something that its policy forbids.
browse() {
	HOME=$D timeout -k 1 50 "$CHROMIUM" --headless=new --no-sandbox --disable-gpu --no-first-run \
		--disable-dev-shm-usage --disable-background-networking --user-data-dir="$D/chromium" \
		--host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1' --window-size=1400,900 --enable-logging=stderr "${@:2}" \
		--dump-dom "$1" >"$OUT" 2>"$D/log" 3>&-
	! grep -F "CONSOLE" "$D/log" | grep -vF '"Slow network is detected' || return 1
}

look() { # [FRAGMENT]
	browse "file://$IPC/info/index.html${1:+#$1}"
}

page() { # WHAT [WORD], of page.py
	python3 "$HERE/page.py" "$@" <"$OUT"
}

# Starts a process called $1 that opens the pipe or queue $2 for "r", "w" or both, and keeps it open.
use() {
	background python3 -c 'import ctypes, os, signal, sys
flags = {"r": os.O_RDONLY, "w": os.O_WRONLY, "rw": os.O_RDWR}[sys.argv[3]] | os.O_NONBLOCK
fd = os.open(sys.argv[2], flags)
ctypes.CDLL(None).prctl(15, os.fsencode(sys.argv[1]), 0, 0, 0)
signal.pause()' "$@"
	wait_until has_name "$JOB" "$1"
}

has_name() { # PID NAME
	[[ $(cat "/proc/$1/comm") == "$2" ]]
}

sizes() {
	shell 'echo "create pipes/$NAME.b served=daemon" > $IPC/ctl; seq 1000 > $P.b
		echo "create pipes/$NAME.a served=daemon" > $IPC/ctl; echo 1 > $P.a
		echo "create pipes/$NAME.c served=daemon" > $IPC/ctl; seq 10 > $P.c'
}

# --- opening --------------------------------------------------------------------------------------

@test "the page opens from the mount, and as a copy" {
	sizes
	look
	run -0 page rows
	[[ $(grep -c "$NAME" <<<"$output") == 3 ]]
	cp "$IPC/info/index.html" "$D/copy.html"
	browse "file://$D/copy.html"
	[[ $(page rows) == "$output" ]]
}

@test "the page opens behind nginx, and asks for nothing else" {
	local port
	sizes
	port=$(free_port)
	nginx_config "$IPC/info" "127.0.0.1:$port" >"$D/nginx.conf"
	PATH=$PATH:/usr/sbin background nginx -p "$D" -c "$D/nginx.conf" 2>/dev/null
	wait_until test -s "$D/pid"
	browse "http://127.0.0.1:$port/index.html#sort=-bytes"
	[[ $(page rows | grep "$NAME" | head -n1) == "pipes/$NAME.b" ]]
	[[ $(cat "$D/access.log") == /index.html ]]
}

@test "without JavaScript the page says where the same is as text" {
	sizes
	run -0 sed -n '/<noscript>/,/<\/noscript>/p' "$IPC/info/index.html"
	[[ $output == *"needs JavaScript"*"<code>summary</code>"* ]]
}

# A browser reads no further than stat(2) promised before it opened the file.
@test "the size of the page seldom changes, and a page that was cut off says so" {
	size=$(stat -c %s "$IPC/info/index.html")
	sizes
	[[ $(wc -c <"$IPC/info/index.html") == "$size" ]]
	sed '/"channels":/q' "$IPC/info/index.html" >"$D/cut.html"
	browse "file://$D/cut.html"
	[[ $(page text notes) == "This page was cut off. Load it again." ]]
}

@test "the page is made anew each time, and says for whom" {
	look
	run -0 page rows
	[[ $output != *"$NAME"* ]]
	sizes
	setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups cat "$IPC/info/index.html" >"$D/page.html"
	browse "file://$D/page.html"
	[[ $(page rows | grep -c "$NAME") == 3 ]]
	[[ $(page text made) == *"user $OTHER "* ]]
}

# --- the table ------------------------------------------------------------------------------------

ours() {
	page rows | sed -n "s,^pipes/$NAME\.,,p" | tr -d '\n'
}

@test "the table sorts as the address says" {
	sizes
	look "sort=bytes"
	[[ $(ours) == acb ]]
	look "sort=-bytes"
	[[ $(ours) == bca ]]
	look "sort=name"
	[[ $(ours) == abc ]]
	look "sort=-name"
	[[ $(ours) == cba ]]
	[[ $(grep -o '<th [^>]*aria-sort="descending"[^>]*>' "$OUT") == *'data-key="name"'* ]]
}

@test "the table filters by words and by kinds" {
	sizes
	shell 'echo "create events/$NAME.b value=1" > $IPC/ctl'
	look "filter=$NAME.b"
	[[ $(page rows | sort) == "events/$NAME.b"$'\n'"pipes/$NAME.b" ]]
	look "filter=$NAME.b&kinds=events"
	[[ $(page rows) == "events/$NAME.b" ]]
	look "filter=pipes+$NAME.c"
	[[ $(page rows) == "pipes/$NAME.c" ]]
	look "filter=nothing-is-called-this"
	[[ $(page rows) == "" && $(page text rest) == "No channel matches." ]]
}

@test "sizes are short, and the exact number is there" {
	sizes
	look "filter=$NAME.b"
	[[ $(page cell bytes) == "3.8 KiB" ]]
	contains "$OUT" 'title="3893 bytes"'
}

@test "what is selected shows all its values, and who has it open" {
	sizes
	use a-writer "$P.b" w
	look "select=pipes/$NAME.b"
	run -0 page text card
	[[ $output == *"pipes/$NAME.b"*served*daemon*"1 process"*"a-writer $JOB writes"* ]]
	grep -qE "<tr [^>]*aria-selected=\"true\"[^>]*data-id=\"pipes/$NAME.b\"|<tr [^>]*data-id=\"pipes/$NAME.b\"[^>]*aria-selected=\"true\"" "$OUT"
	grep -qE '<g class="node channel [^"]*selected"' "$OUT"
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
	has_line "process producer $producer of user 0 writes channel pipes/$NAME"
	has_line "process consumer $consumer of user 0 reads channel pipes/$NAME"
	has_line "process both $JOB of user 0 writes and reads channel pipes/$NAME"
	[[ $(grep -o 'class="tip"' "$OUT" | wc -l) == 4 ]]
}

has_line() { # TEXT
	grep -qxF "$1" <<<"$output"
}

@test "the picture marks what is full and what waits" {
	shell 'echo "create pipes/$NAME served=daemon capacity=64K" > $IPC/ctl; echo "create events/$NAME" > $IPC/ctl'
	fill_pipe
	background cat "$IPC/events/$NAME"
	wait_until blocked "$JOB"
	look "filter=$NAME"
	run -0 page picture
	has_line "channel pipes/$NAME, full, used by no process"
	has_line "process cat $JOB of user 0 reads channel events/$NAME, 1 waiting"
	[[ $(page cell state) == $'full\n1 waiting' ]]
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

# The limit is for a busy machine: on an idle one it takes half a second.
@test "2,000 channels open quickly, with those that nobody has open folded" {
	python3 -c 'import os
with open(os.environ["IPC"] + "/ctl", "wb", buffering=0) as ctl:
    for i in range(2000):
        ctl.write(b"create %s/%s.%d\n" % ((b"events", b"pipes")[i % 2], os.environ["NAME"].encode(), i))'
	use lonely "$P.1" rw
	look "sort=name"
	(($(page value ready) < 15000))
	echo "# ready after $(page value ready) ms" >&3
	[[ $(page data | grep -c "$NAME") == 2000 ]]
	[[ $(page picture | grep -c "$NAME") == 1 ]]
	[[ $(page text folded) == *"1,000 events, 999 pipes"* ]]
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
	[[ $(page picture) == *"process </script><i>! $JOB of user 0 writes and reads channel pipes/$NAME"* ]]
	[[ $(grep -c "<script" "$IPC/info/index.html") == 2 ]]
}
