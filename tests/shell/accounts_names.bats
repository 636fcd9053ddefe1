#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Owners and groups by name, in the tables that people read, whatever the name service does.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load accounts

# make OWNER GROUP: $NAME is an event of theirs.
make() {
	echo "create events/$NAME owner=$1 group=$2" >"$CTL"
}

# What the summary says of the events. It may not wait for the name service.
shown() {
	timeout 3 cat "$IPC/info/summary" | cells events OWNER GROUP
}

@test "the tables name owners and groups, from the files and from the name service" {
	make 23001 23007
	echo "create events/$NAME.2 owner=$(id -u nobody) group=$(id -g nobody)" >"$CTL"
	forget_asked
	wait_until is_shown "$NAME extra-user slow-23007" # a busy machine may need a second look
	is_shown "$NAME.2 nobody $(id -gn nobody)"
	asked "group slow-23007"
	grep -qxF "ipcfs_value{kind=\"events\",name=\"$NAME\",owner=\"extra-user\"} 0" "$IPC/info/metrics"
	grep -qxF "owner 23001" "$IPC/info/events/$NAME/status"
	grep -qF '"owner":23001,"group":23007,' <(tr -d ' \n' <"$IPC/info/inventory.json")
}

@test "what has no name stays a number" {
	make 4294967294 31
	[[ $(shown) == "$NAME 4294967294 $(getent group 31 | cut -d: -f1 | grep . || echo 31)" ]]
	another=$NAME.2
	echo "create events/$another owner=30123 group=30123" >"$CTL"
	[[ $(shown) == *"$another 30123 30123" ]]
}

@test "the name service is asked once for each, not once for each table" {
	make 23003 23004
	forget_asked
	wait_until is_shown "$NAME slow-23003 slow-23004"
	cat "$IPC/info/metrics" >"$OUT"
	[[ $(shown) == "$NAME slow-23003 slow-23004" ]]
	asked "user slow-23003" "group slow-23004"
}

@test "while the name service hangs, the tables come in time, and with the names that are known" {
	make 24001 0
	echo "create events/$NAME.2 owner=24002" >"$CTL"
	slow deaf-24001 deaf-24002
	forget_asked
	for _ in 1 2 3 4 5; do
		[[ $(shown) == "$NAME 24001 root"$'\n'"$NAME.2 24002 root" ]]
	done
	# Only one thread is lost to it.
	asked "user deaf-24001"
	answer deaf-24001
	answer deaf-24002
	wait_until is_shown "$NAME deaf-24001 root"
	wait_until is_shown "$NAME.2 deaf-24002 root"
}

is_shown() {
	[[ $'\n'$(shown)$'\n' == *$'\n'"$1"$'\n'* ]]
}

# Starts a cat that waits for the name of a user, which no signal makes the name service give up.
wait_for_name() {
	make 24001 0
	slow deaf-24001
	forget_asked
	background cat "$IPC/info/summary" >"$OUT"
	wait_until asked "user deaf-24001"
}

@test "Ctrl-C ends a cat that waits for a name" {
	wait_for_name
	kill -INT "$JOB"
	wait_until ended "$JOB"
	answer deaf-24001
}

@test "SIGTERM ends the daemon while a name is asked for" {
	# The memory that the abandoned thread uses is not freed.
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
	configure </dev/null
	wait_for_name
	kill -TERM "${DAEMON[$IPC]}"
	wait_until ended "${DAEMON[$IPC]}"
	wait_until ended "$JOB"
}
