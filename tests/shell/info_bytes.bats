#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The names that users choose are shown to other users and read by other programs. No name, address
# or word breaks a table, passes for something else, or reaches a terminal as more than text.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper

setup() {
	ipcfs_setup
	make_directory
	export V="$IPC/sockets/servers/$NAME"
}

teardown() {
	local bad=0
	ipcfs_teardown || bad=1
	rm -f "/run/ipcfs/${NAME:?}"*
	return "$bad"
}

# Makes everything that has a name, with every byte in one; see bytes.py.
make_all() {
	: >"$OUT"
	background /usr/bin/python3 "$HERE/bytes.py" make "$D" >"$OUT" 2>&1
	WITHIN=30 wait_until eval 'contains "$OUT" ready || ended "$JOB"'
	cat "$OUT"
	contains "$OUT" ready
}

check() { # WHAT for bytes.py
	timeout -k 1 30 /usr/bin/python3 "$HERE/bytes.py" "$@" 3>&-
}

printable() { # FILE: it is nothing but text, newlines and tabs
	/usr/bin/python3 -c 'import sys
text = open(sys.argv[1], "rb").read().decode("utf-8", "strict")
bad = [c for c in text if c not in "\n\t" and not c.isprintable()]
assert not bad, bad' "$1"
}

# --- every byte -----------------------------------------------------------------------------------

@test "every byte in every name: inventory.json is valid and agrees with the listings" {
	needs mqueue_mount
	make_all
	run -0 check inventory
	((output > 600))
}

@test "every byte in every name: status has the lines of a harmless object" {
	needs mqueue_mount
	make_all
	run -0 check status
	((output > 600))
}

@test "every byte in every name: metrics are valid, and no two series the same" {
	/usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null ||
		skip "no parser of OpenMetrics (python3-prometheus-client)"
	make_all
	run -0 check metrics
	((output > 1800))
}

@test "every byte in every name: summary and peers have one line of text for each" {
	make_all
	run -0 check text
	[[ $output == 17 ]]
}

@test "every byte in every name: address has one line of text for each" {
	make_all
	run -0 check address
	((output > 50))
}

@test "every byte in every word: ctl tells what was wrong in a line of text" {
	run -0 check ctl
	((output > 3000))
}

@test "every byte in every word: the log has a line of text for each" {
	/usr/bin/python3 "$HERE/bytes.py" lines >"$BATS_TEST_TMPDIR/x.conf"
	other=$(new_directory)
	mount_ipcfs "$other" -o "config=$BATS_TEST_TMPDIR/x.conf" 2>"$OUT"
	printable "$OUT"
	(($(grep -c "^ipcfs: .*/x.conf:[0-9]*: " "$OUT") > 3000))
	run ! grep -v "^ipcfs: " "$OUT"
}

@test "every byte in every name: the data of index.html agree with inventory.json" {
	needs mqueue_mount
	make_all
	run -0 check index
	((output > 600))
}

# With the quickest layout: the usual one takes a minute for this many.
@test "every byte in every name: graph.dot renders as valid SVG" {
	command -v dot >/dev/null || skip "no Graphviz"
	make_all
	printable "$IPC/info/graph.dot"
	run -0 shell 'dot -Kosage -Tsvg $IPC/info/graph.dot > $OUT.svg'
	[[ -z $output ]]
	run -0 /usr/bin/python3 -c 'import sys, xml.etree.ElementTree as tree
print(len(tree.parse(sys.argv[1]).findall(".//{*}g[@class=\"node\"]")))' "$OUT.svg"
	((output > 600))
}

# --- names that pass for something else -----------------------------------------------------------

@test "a server with a newline in its name leaves the daemon alive" {
	mkdir "$V"$'\nb'
	run -0 shell 'cat $IPC/info/inventory.json'
	[[ $output == *"\"name\":\"$NAME\\\\x0ab\""* && $output == *"\"listen\":\"unix:/run/ipcfs/$NAME\\\\x0ab\""* ]]
	ls "$IPC" >/dev/null
}

@test "a name cannot forge lines of status" {
	mkdir -m 700 "$V"$'\nowner 1234\nmode 0777'
	run -0 shell 'cat $IPC/info/sockets/servers/*/status'
	[[ $(grep -c ^owner <<<"$output") == 1 && $(grep -c ^mode <<<"$output") == 1 ]]
	grep -qx "owner 0" <<<"$output"
	grep -qx "mode 0700" <<<"$output"
	grep -qxF "listen unix:/run/ipcfs/$NAME\\x0aowner 1234\\x0amode 0777" <<<"$output"
}

@test "an address that is not text is shown escaped" {
	shell 'printf "create sockets/servers/$NAME listen=abstract:%s\xff\x1b[31m\n" $NAME > $IPC/ctl'
	run -0 cat "$IPC/info/sockets/servers/$NAME/status"
	grep -qxF "listen abstract:$NAME\\xff\\x1b[31m" <<<"$output"
	printable "$IPC/info/inventory.json"
}

@test "a number as a name stays text" {
	shell 'cd $IPC/pipes; touch 0x10 1e5 nan 7'
	run -0 python3 -c 'import json, os
inventory = json.load(open(os.environ["IPC"] + "/info/inventory.json"))
print(sorted(e["name"] for e in inventory if e["kind"] == "pipes"))'
	[[ $output == "['0x10', '1e5', '7', 'nan']" ]]
}

@test "a server named like a connection has room for the mark that tells them apart" {
	long=$(printf "%0245d:connect#" 0)
	run ! shell 'echo "create sockets/servers/$1" > $IPC/ctl' "${long}1"
	run ! shell 'mkdir $V; mv $V $IPC/sockets/servers/$1' "${long}1"
	[[ $output == *"File name too long"* ]]
	shell 'echo "create sockets/servers/$1 listen=abstract:$NAME" > $IPC/ctl; ls $IPC/info/sockets/servers/$2/status
		rmdir $IPC/sockets/servers/$1' "${long:1}1" "${long:1}#1"
}

@test "a server named like a connection is shown beside it" {
	shell 'for name in z:connect z:connect#1 z:connect##1 z:connect#1x z:accept#01 z z#1; do mkdir $V$name; done
		exec 7<> ${V}z/connect; ls $IPC/info/sockets/servers > $OUT
		head -qn 2 $IPC/info/sockets/servers/*/status | grep ^name | cut -c6- > $OUT.names
		for each in $IPC/info/sockets/servers/*; do grep ^state $each/status; done > $OUT.states
		cp $IPC/info/metrics $OUT.metrics
		cat $IPC/info/sockets/servers/${NAME}z:connect#1/status > $OUT.connection'
	[[ $(sort "$OUT") == "$(printf "${NAME}z%s\n" "" "#1" ":accept##01" ":connect" ":connect##1" ":connect###1" \
		":connect#1" ":connect#1x" | sort)" ]]
	diff <(sort "$OUT") <(sort "$OUT.names")
	[[ $(grep -c "state connected" "$OUT.states") == 1 && $(grep -c "state listening" "$OUT.states") == 7 ]]
	grep -qx "state connected" "$OUT.connection"
	[[ $(grep ^ipcfs_readers "$OUT.metrics" | sort | uniq -d) == "" ]]
	[[ $(grep -c "^ipcfs_readers.*$NAME" "$OUT.metrics") == 8 ]]
}

@test "what Graphviz takes for an entity is shown as it is" {
	command -v dot >/dev/null || skip "no Graphviz"
	shell 'touch "$P.&#27;&lt;"'
	run -0 shell 'dot -Tsvg $IPC/info/graph.dot'
	[[ $output == *".&amp;#27;&amp;lt;</text>"* ]]
}

@test "a time before 1970 is shown as it is" {
	shell 'echo "create pipes/$NAME served=daemon" > $IPC/ctl; touch -d @-0.25 $P'
	run -0 shell 'grep ^last-write $IPC/info/pipes/$NAME/status'
	[[ $output == "last-write -0.250000000" ]]
}

# --- words of commands ----------------------------------------------------------------------------

@test "a word that is not text comes back from ctl escaped" {
	for line in 'create pipes/%b/x' '%b pipes/x' 'create %b/x' 'create pipes/x %b=1' 'create queues/x maxmsg=%b' \
		'create pipes/x owner=%b' 'remove pipes/%b'; do
		run ! shell 'printf "$1\n" "\\033[31m\\0377\\0302\\0233" > $IPC/ctl' "$line"
		printable "$IPC/ctl"
		run -0 tail -n1 "$IPC/ctl"
		[[ $output == 'line 1: '*'\x1b[31m\xff\xc2\x9b'* ]]
	done
}

@test "a word that is not text comes out of the log escaped" {
	printf 'create pipes/\033[31m\377 color=x\n\033[32m\n' >"$BATS_TEST_TMPDIR/x.conf"
	other=$(new_directory)
	mount_ipcfs "$other" -o "config=$BATS_TEST_TMPDIR/x.conf" 2>"$OUT"
	cat "$OUT"
	printable "$OUT"
	grep -qF 'x.conf:2: \x1b[32m: not one of create, set, remove, empty, reap' "$OUT"
	for option in $'x\033[31m' $'config=/x\033[31m'; do
		run ! timeout 10 "$IPCFS" "$D" -o "$option" 3>&-
		printf '%s\n' "$output" >"$OUT"
		printable "$OUT"
		[[ $output == *'x\x1b[31m'* ]]
	done
}
