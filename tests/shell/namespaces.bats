#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Another process's IPC namespace and /dev/shm, with -o ipcns=PID.
# shellcheck shell=bats disable=SC2016,SC2153,SC2154

load helper

# A process in namespaces of its own, with a queue and a region there, and the mount that shows them.
setup_other() { # [OPTION]
	mkfifo "$BATS_TEST_TMPDIR/ready"
	unshare --ipc --mount bash -c '
		mount -t tmpfs none /dev
		mkdir /dev/shm /dev/mqueue
		mount -t mqueue none /dev/mqueue
		echo theirs > "/dev/shm/$NAME"
		"$MQ" create "$NAME" 5 100
		echo $$ > "$1/ready"
		exec sleep 60' other "$BATS_TEST_TMPDIR" 3>&- >/dev/null &
	read -r other < "$BATS_TEST_TMPDIR/ready"
	JOBS+=("$other")
	OTHERS=$(new_directory)
	mount_ipcfs "$OTHERS" -o "ipcns=$other,config=/dev/null${1:+,$1}"
}

@test "another process's queues are shown, and not our own" {
	setup_other
	echo ours > "$Q"
	[[ $(ls "$OTHERS/queues") == "$NAME" ]]
	[[ $(stat -c %s "$OTHERS/queues/$NAME") == 0 ]]
	echo hello > "$OTHERS/queues/$NAME"
	run -0 nsenter --ipc --target "$other" "$MQ" receive "$NAME"
	[[ $output == *hello* ]]
	[[ $(first "$Q") == ours ]]
}

@test "another process's queues are those of its own /dev/mqueue where none can be mounted" {
	setup_other "without=mqueue_mount"
	echo ours > "$Q"
	[[ $(ls "$OTHERS/queues") == "$NAME" ]]
	echo hello > "$OTHERS/queues/$NAME"
	run -0 nsenter --ipc --target "$other" "$MQ" receive "$NAME"
	[[ $output == *hello* ]]
}

@test "a queue made there is in that namespace alone" {
	setup_other
	echo new > "$OTHERS/queues/$NAME-new"
	run -0 nsenter --ipc --target "$other" "$MQ" receive "$NAME-new"
	[[ ! -e $IPC/queues/$NAME-new ]]
}

@test "another process's shared memory is shown, and not our own" {
	setup_other
	[[ $(cat "$OTHERS/shm/$NAME") == theirs ]]
	[[ ! -e $S ]]
	echo ours > "$S"
	[[ $(cat "$OTHERS/shm/$NAME") == theirs ]]
}

@test "a process that there is not fails the mount with one clear line" {
	local dir
	dir=$(new_directory)
	run ! --separate-stderr "$IPCFS" "$dir" -o ipcns=4194304
	[[ ${#stderr_lines[@]} == 1 && $stderr == *ipcns=4194304* ]]
	rmdir "$dir"
}
