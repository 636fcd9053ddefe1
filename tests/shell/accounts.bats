#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# owner= and group= with names that only the name service knows, in ctl and the configuration file.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load accounts

# --- names that the name service knows ------------------------------------------------------------

@test "root names owner and group of every kind" {
	run -0 shell 'while read -r line; do echo "$line" > $CTL || exit; done <<< "$1"' \
		"$(lines owner=extra-user group=extra-group mode=0640)"
	are 23001 23002 640
}

@test "root sets owner and group of every kind" {
	shell 'echo "$1" > $CTL' "$(lines mode=0600)"
	run -0 shell 'echo "$1" > $CTL' "$(objects | sed 's/ .*//; s/^/set /; s/$/ owner=extra-user group=extra-group mode=0640/')"
	are 23001 23002 640
}

@test "a user names itself and a group of its own, for every kind" {
	run -0 as 23001 23002 bash -c 'while read -r line; do echo "$line" > $CTL || exit; done <<< "$1"' \
		bash "$(lines owner=extra-user group=extra-group mode=0640)"
	are 23001 23002 640
}

@test "several lines in one write name owner and group too" {
	run -0 as 23001 23002 bash -c 'echo "$1" > $CTL' bash "$(lines owner=extra-user group=extra-group mode=0640)"
	are 23001 23002 640
}

@test "naming another owner, or a group that the user is not in, is refused and makes nothing" {
	run -1 as 23001 23003 bash -c 'echo "create queues/$NAME owner=extra-user group=extra-group" > $CTL'
	run -0 as 23001 23003 tail -n1 "$CTL"
	[[ $output == "line 1: group=extra-group: you are not in this group" ]]
	run -1 as 23003 23002 bash -c 'echo "create queues/$NAME owner=extra-user group=extra-group" > $CTL'
	run -0 as 23003 23002 tail -n1 "$CTL"
	[[ $output == "line 1: owner=extra-user: only root can give an object away" ]]
	no_object
}

@test "an unknown name fails with EINVAL, and ctl says which" {
	local line
	while read -r line; do
		run -1 shell 'echo "$1 owner=extra-user group=extra-grope" > $CTL' "$line"
		[[ $output == *"Invalid argument"* ]]
		[[ $(last_error) == "line 1: group=extra-grope: no such group" ]]
		run -1 as 23001 23002 bash -c 'echo "$1 owner=extra-loser group=extra-group" > $CTL' bash "$line"
		[[ $output == *"Invalid argument"* ]]
		run -0 as 23001 23002 tail -n1 "$CTL"
		[[ $output == "line 1: owner=extra-loser: no such user" ]]
	done < <(lines)
	no_object
}

# --- the configuration file -----------------------------------------------------------------------

@test "what the configuration file names exists as soon as the mount does" {
	configure < <(lines owner=extra-user group=extra-group mode=0640)
	are 23001 23002 640
	no_fault
}

@test "SIGHUP makes what the configuration file names, and keeps nobody waiting" {
	configure </dev/null
	lines owner=slow-23001 group=slow-23002 mode=0640 >"$CONFIG"
	slow slow-23001 slow-23002
	hangup
	wait_until asked "user slow-23001"
	no_object
	run -0 shell 'echo hello > $P.2; first $P.2; echo "create pipes/$NAME.3 owner=extra-user" > $CTL; ls $IPC/*'
	answer slow-23001
	wait_until asked "user slow-23001" "group slow-23002"
	no_object
	answer slow-23002
	wait_until test -e "$IPC/sockets/servers/$NAME"
	wait_until are 23001 23002 640
	asked {"user slow-23001","group slow-23002"}{,,,,,,,,}
	no_fault
}

@test "the lines of the file are done in order, also on SIGHUP and when a line waits" {
	configure </dev/null
	cat >"$CONFIG" <<-END
		create queues/$NAME owner=slow-23001 mode=0600
		set queues/$NAME group=extra-group mode=0640
		create pipes/$NAME owner=extra-loser
		create pipes/$NAME owner=slow-23001
		set pipes/$NAME mode=0640 group=extra-group
		create shm/$NAME
	END
	slow slow-23001
	hangup
	wait_until asked "user slow-23001"
	[[ ! -e $Q && ! -e $P && ! -e $S ]]
	answer slow-23001
	wait_until test -e "$S"
	is "$Q" 23001 23002 640
	is "$P" 23001 23002 640
	[[ $(grep -oF "$CONFIG:" "$LOG" | wc -l) == 1 ]]
	contains "$LOG" "$CONFIG:3: owner=extra-loser: no such user"
}

@test "if the file is read again while a line waits, the newer text counts in the end" {
	configure </dev/null
	echo "create queues/$NAME owner=slow-23001 mode=0600" >"$CONFIG"
	slow slow-23001
	hangup
	wait_until asked "user slow-23001"
	printf '%s\n' "create queues/$NAME owner=extra-user mode=0640" "create pipes/$NAME" >"$CONFIG.new"
	mv "$CONFIG.new" "$CONFIG"
	hangup
	run ! timeout 0.5 tail --pid="${DAEMON[$IPC]}" -f /dev/null
	[[ ! -e $P ]]
	answer slow-23001
	wait_until test -e "$P"
	is "$Q" 23001 0 640
	no_fault
}

@test "an unknown name is reported with file and line, at the start and on SIGHUP" {
	configure <<-END
		create queues/$NAME owner=extra-user group=extra-grope
		create queues/$NAME owner=extra-user group=extra-group
	END
	is "$Q" 23001 23002 644
	[[ $(grep -oF "$CONFIG:1: group=extra-grope: no such group" "$LOG" | wc -l) == 1 ]]
	hangup
	wait_until told_twice
	run -1 grep "$CONFIG:2" "$LOG"
}

told_twice() {
	[[ $(grep -cF "$CONFIG:1: group=extra-grope: no such group" "$LOG") == 2 ]]
}
