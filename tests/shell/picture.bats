#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# info/index.html in a browser: it opens without an error, from a file and from a server, and its
# table shows what is there as it was asked to.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper
load nginx
load picture

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

@test "owners have names and sizes are short, and the exact numbers are there" {
	sizes
	look "filter=$NAME.b"
	[[ $(page cell owner) == root ]]
	contains "$OUT" 'title="user 0"'
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
