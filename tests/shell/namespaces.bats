#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Another process's IPC namespace and /dev/shm, with -o ipcns=PID.
# shellcheck shell=bats disable=SC2016,SC2153,SC2154

load helper

# A process in namespaces of its own, with a queue and a region there, and the mount that shows them.
setup_other() {
	mkfifo "$BATS_TEST_TMPDIR/ready"
	unshare --ipc --mount bash -c '
		mount -t tmpfs none /dev/shm
		echo theirs > "/dev/shm/$NAME"
		"$MQ" create "$NAME" 5 100
		echo $$ > "$1/ready"
		exec sleep 60' other "$BATS_TEST_TMPDIR" 3>&- >/dev/null &
	read -r other < "$BATS_TEST_TMPDIR/ready"
	JOBS+=("$other")
	OTHERS=$(new_directory)
	mount_ipcfs "$OTHERS" -o "ipcns=$other,config=/dev/null"
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
