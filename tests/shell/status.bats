#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# ipcfs --status: one line and an exit status, at once or after two seconds, whatever the mount is.
# shellcheck shell=bats disable=SC2016,SC2153,SC2154

load helper
load extra

# Prints the line. Fails the test if it is not exactly one, or if the exit status is not $1.
status() { # EXIT-STATUS PATH
	run "-$1" --separate-stderr timeout -k 1 10 "$IPCFS" --status "$2" 3>&-
	[[ ${#lines[@]} == 1 && -z $stderr ]]
}

word() { # KEY: its value in the line
	grep -o "[ ;]$1=[^ ]*" <<<"$output" | cut -d= -f2
}

@test "a mount that answers: ok, with version, process and features, and 0" {
	status 0 "$IPC"
	[[ $output == "$IPC: ok, answered in "*" ms; version="*" pid=${DAEMON[$IPC]} channels="*" features="* ]]
	[[ $("$IPCFS" -V | head -n 1) == "ipcfs $(word version)" ]]
}

@test "features that are turned off are not listed" {
	setup_extra
	mount_ipcfs "$EXTRA" -o without=prune:msg_copy
	status 0 "$EXTRA"
	[[ :$(word features): == *:resend:* || ${IPCFS_TEST_OPTIONS:-} == *resend* ]]
	[[ :$(word features): != *:prune:* && :$(word features): != *:msg_copy:* ]]
}

@test "it counts the channels of all kinds" {
	local before
	needs mqueue_mount
	status 0 "$IPC"
	before=$(word channels)
	shell 'cd $IPC; echo create pipes/a > ctl; mkfifo pipes/b; touch topics/a events/a queues/$NAME shm/$NAME
		echo create sems/$NAME value=1 > ctl; mkdir sockets/servers/a
		touch sysv/queues/0x57a7; truncate -s 4K sysv/shm/0x57a7; echo create sysv/sems/0x57a7 > ctl'
	status 0 "$IPC"
	rm "$IPC"/sysv/*/0x000057a7
	[[ $(word channels) == $((before + 11)) ]]
	status 0 "$IPC"
	[[ $(word channels) == $((before + 8)) ]]
}

@test "any path to the mount will do: a slash, a link, a bind mount, the working directory" {
	setup_extra
	status 0 "$IPC/"
	ln -s "$IPC" "$BATS_TEST_TMPDIR/link"
	status 0 "$BATS_TEST_TMPDIR/link"
	mount --bind "$IPC" "$EXTRA"
	status 0 "$EXTRA"
	umount "$EXTRA"
	cd "$IPC/pipes"
	status 0 ..
	cd /
}

@test "no ipcfs there: the reason, and 3" {
	touch "$OUT"
	status 3 "$BATS_TEST_TMPDIR"
	[[ $output == "$BATS_TEST_TMPDIR: not mounted: not the root of an ipcfs ("*")" ]]
	status 3 "$OUT"
	status 3 /proc
	[[ $output == *"(proc)" ]]
	status 3 "$IPC/pipes"
	status 3 "$BATS_TEST_TMPDIR/nothing"
	[[ $output == "$BATS_TEST_TMPDIR/nothing: not mounted: No such file or directory" ]]
	status 3 $'/no\nthing'
	[[ $output == '/no\x0athing: not mounted: '* ]]
}

@test "a stopped daemon: no answer, and 2, within seconds, and ok when it goes on" {
	local start=$SECONDS
	kill -STOP "${DAEMON[$IPC]}"
	status 2 "$IPC"
	[[ $output == "$IPC: no answer in 2 seconds; 'echo 1 > /sys/fs/fuse/connections/${CONNECTION[$IPC]}/abort' ends it" ]]
	status 2 "$IPC/pipes"
	((SECONDS - start < 8))
	run ! pgrep -f "^$IPCFS --status"
	kill -CONT "${DAEMON[$IPC]}"
	status 0 "$IPC"
}

@test "a dead daemon: what to do, and 2, and doing that helps" {
	kill -KILL "${DAEMON[$IPC]}"
	wait_until ended "${DAEMON[$IPC]}"
	status 2 "$IPC"
	[[ $output == "$IPC: dead mount; unmount it with 'umount -l $IPC': Transport endpoint is not connected" ]]
	status 2 "$IPC/pipes"
	umount -l "$IPC"
	status 3 "$IPC"
}

@test "an ordinary user may ask, and is told where they may not" {
	setup_extra
	run -0 as_user "$OTHER" "$IPCFS" --status "$IPC"
	[[ $output == "$IPC: ok, "*" channels="* ]]
	mkdir "$BATS_TEST_TMPDIR/closed"
	chmod 755 "$BATS_TEST_TMPDIR"
	chmod 700 "$BATS_TEST_TMPDIR/closed"
	run -1 as_user "$OTHER" "$IPCFS" --status "$BATS_TEST_TMPDIR/closed/ipc"
	[[ $output == *"cannot be asked: Permission denied" ]]
}

@test "called wrongly: one line on stderr, and 1" {
	run -1 --separate-stderr "$IPCFS" --status
	[[ -z $output && $stderr == "ipcfs: the mount point is missing; see ipcfs --help" ]]
	run -1 --separate-stderr "$IPCFS" --status "$IPC" -o nonsense
	[[ -z $output && ${#stderr_lines[@]} == 1 ]]
}
