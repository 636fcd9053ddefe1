#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the channels count: in status, inventory.json and metrics.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper

# counts KIND: what the status of $NAME has counted, on one line.
counts() {
	grep -E '^(messages-in|messages-out|bytes-in|bytes-out|waits) ' "$IPC/info/$1/$NAME/status" | xargs
}

@test "status counts the messages and bytes that passed" {
	touch "$Q"
	exec 7<>"$Q"
	shell 'echo one > $Q; echo three > $Q; read -r line < $Q'
	[[ $(counts queues) == "messages-in 2 messages-out 1 bytes-in 10 bytes-out 4 waits 0" ]]
	exec 7>&-
}

@test "status of a served pipe counts its bytes, and who had to wait" {
	echo "create pipes/$NAME served=daemon" >"$IPC/ctl"
	background head -c 5 "$P" >"$OUT"
	wait_until blocked "$JOB"
	shell 'printf hello > $P'
	wait_until contains "$OUT" hello
	[[ $(counts pipes) == "bytes-in 5 bytes-out 5 waits 1" ]]
}

@test "status of a topic counts each reader's messages" {
	shell 'echo "create topics/$NAME keep=10" > $IPC/ctl; printf one > $IPC/topics/$NAME
		timeout 20 head -c 3 $IPC/topics/$NAME; timeout 20 head -c 3 $IPC/topics/$NAME'
	[[ $(counts topics) == "messages-in 1 messages-out 2 bytes-in 3 bytes-out 6 waits 0" ]]
}

@test "a System V write counts as a wait only if it had to" {
	key=$(printf '0x%08x' $((0x4c00000 + $$ % 0x100000)))
	echo "create sysv/queues/$key capacity=16" >"$IPC/ctl"
	exec 7<>"$IPC/sysv/queues/$key"
	shell 'printf 0123456789 > $IPC/sysv/queues/$1' "$key"
	grep -qx "waits 0" "$IPC/info/sysv/queues/$key/status"
	background sh -c 'printf 0123456789 > "$1"' sh "$IPC/sysv/queues/$key"
	wait_until blocked "$JOB"
	grep -qx "waits 1" "$IPC/info/sysv/queues/$key/status"
	rm "$IPC/sysv/queues/$key"
	exec 7>&-
}

@test "since tells when the counting began" {
	before=$(date +%s.%N)
	touch "$IPC/events/$NAME"
	after=$(date +%s.%N)
	shell 'echo 5 > $IPC/events/$NAME'
	since=$(awk '/^since / { print $2 }' "$IPC/info/events/$NAME/status")
	awk -v b="$before" -v s="$since" -v a="$after" 'BEGIN { exit !(b <= s && s <= a) }'
}

@test "what the kernel serves counts nothing" {
	shell 'touch $P $S; echo hello > $P; echo hello > $S'
	keeps_fifos || skip "pipes are served by the daemon"
	run -1 grep -hE -- '^(since|waits)|-(in|out) ' "$IPC/info/pipes/$NAME/status" "$IPC/info/shm/$NAME/status"
}

@test "another user sees no counts of what it may not read" {
	shell 'umask 077; echo "create events/$NAME" > $IPC/ctl; echo secret > $Q'
	exec 7<>"$Q"
	run -0 as_user "$OTHER" cat "$IPC/info/events/$NAME/status" "$IPC/info/queues/$NAME/status"
	[[ $output == *"name $NAME"*"name $NAME"* && $output != *-in\ * && $output != *since* ]]
	exec 7>&-
}

@test "inventory.json has the counts as numbers" {
	shell 'echo 5 > $IPC/events/$NAME'
	run -0 python3 -c 'import json, os
event, = [c for c in json.load(open(os.environ["IPC"] + "/info/inventory.json")) if c["name"] == os.environ["NAME"]]
print(event["messages-in"], event["messages-out"], event["bytes-in"], event["bytes-out"], event["waits"], event["since"] > 1e9)'
	[[ $output == "1 0 2 0 0 True" ]]
}
