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

@test "a process that there is not fails the mount with one clear line" {
	local dir
	dir=$(new_directory)
	run ! --separate-stderr "$IPCFS" "$dir" -o ipcns=4194304
	[[ ${#stderr_lines[@]} == 1 && $stderr == *ipcns=4194304* ]]
	rmdir "$dir"
}

# A mount whose daemon is in a PID namespace of its own, where nobody outside has a number.
setup_inner() { # [OPTION]
	cat >"$BATS_TEST_TMPDIR/inner" <<-END
		#!/bin/sh
		exec unshare --pid --fork --kill-child "$IPCFS" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/inner"
	INNER=$(new_directory)
	IPCFS=$BATS_TEST_TMPDIR/inner mount_ipcfs "$INNER" -o "config=/dev/null${1:+,$1}"
}

# SIGTERM would end unshare(1), and the daemon not by itself.
end_inner() {
	umount "$INNER"
	wait_until ended "${DAEMON[$INNER]}"
}

# It is root itself that asks; but what can't be seen to be root is not.
@test "a caller whose process can't be seen from the mount's PID namespace has no rights by it" {
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

@test "foreign=pid serves callers whose process can't be seen" {
	setup_inner foreign=pid
	touch "$Q"
	echo ours > "$INNER/queues/$NAME"
	[[ $(first "$INNER/queues/$NAME") == ours ]]
	ls "$INNER/sockets/abstract" >/dev/null
	end_inner
}
