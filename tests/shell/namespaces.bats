#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Another process's IPC namespace and /dev/shm, with -o ipcns=PID.
# shellcheck shell=bats disable=SC2016,SC2153,SC2154

load helper

# Starts a process in its own namespaces, with a queue and a region, and a mount that shows them.
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
	[[ $(stat -c %s "$OTHERS/queues/$NAME") == 4096 ]]
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

@test "a process that does not exist fails the mount with one clear line" {
	local dir
	dir=$(new_directory)
	run ! --separate-stderr "$IPCFS" "$dir" -o ipcns=4194304
	[[ ${#stderr_lines[@]} == 1 && $stderr == "ipcfs: ipcns=4194304: No such process" ]]
	rmdir "$dir"
}

# Makes a mount whose daemon is in its own PID namespace, where processes outside have no PID.
setup_inner() { # [OPTION]
	cat >"$BATS_TEST_TMPDIR/inner" <<-END
		#!/bin/sh
		exec unshare --pid --fork --kill-child "$IPCFS" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/inner"
	INNER=$(new_directory)
	IPCFS=$BATS_TEST_TMPDIR/inner mount_ipcfs "$INNER" -o "config=/dev/null${1:+,$1}"
}

# SIGTERM would end unshare(1); the daemon would not end by itself.
end_inner() {
	umount "$INNER"
	wait_until ended "${DAEMON[$INNER]}"
}

# The caller really is root. But a caller that can't be seen to be root is not treated as root.
@test "a caller that the mount's PID namespace can't see has no privileges" {
	setup_inner
	as_user "$OTHER" bash -c 'umask 077; echo theirs > '"$INNER/pipes/p"
	run ! chmod 666 "$INNER/pipes/p"
	run ! rm "$INNER/pipes/p"
	for name in queues shm sems sysv/queues sysv/shm sysv/sems sockets/tcp sockets/abstract; do
		run -2 ls "$INNER/$name"
		[[ $output == *"Operation not permitted"* ]]
	done
	echo ours > "$INNER/pipes/q"
	[[ $(first "$INNER/pipes/q") == ours ]]
	end_inner
}

@test "foreign=pid serves callers that can't be seen" {
	setup_inner foreign=pid
	touch "$Q"
	echo ours > "$INNER/queues/$NAME"
	[[ $(first "$INNER/queues/$NAME") == ours ]]
	ls "$INNER/sockets/abstract" >/dev/null
	end_inner
}
