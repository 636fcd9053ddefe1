#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What ctl says where the errno alone would not do: the limit, the form that is asked for, what is missing.
# shellcheck shell=bats disable=SC2016,SC2153,SC2154

load helper
load refusals

teardown() {
	local bad=0
	ipcfs_teardown || bad=1
	[[ -z ${KEY:-} ]] || ipcrm -M "$KEY" -Q "$KEY" -S "$KEY" 2>/dev/null || true
	return "$bad"
}

other() { # WHAT ANOTHER USER TYPES
	as_user "$OTHER" bash -c "$1"
}

@test "an error says what its number means for the object: a limit, a form, what is missing" {
	KEY=$(printf '0x%08x' $((0x59000000 | ($$ & 0x3fffff))))
	refused "create sysv/shm/$KEY" "create sysv/shm/$KEY: size= is missing"
	refused "create sysv/shm/$KEY mode=0600" "create sysv/shm/$KEY: size= is missing"
	refused "create sysv/sems/$KEY count=65535" \
		"create sysv/sems/$KEY: above the limits in /proc/sys/kernel/sem"
	for kind in queues shm sems; do
		refused "create sysv/$kind/x" \
			"create sysv/$kind/x: not a key (0x and up to 8 hexadecimal digits, not all zero)"
	done
	for address in /run/x unix:x tcp:80 tcp:localhost udp:localhost:9 tcp:example.org:80; do
		refused "create sockets/servers/$NAME listen=$address" "create sockets/servers/$NAME: listen= is not of the form \
unix:/PATH, abstract:NAME or tcp:HOST:PORT, where HOST is an IP address, localhost or *, and PORT a number"
	done
	refused "create sockets/servers/$NAME listen=unix:/nosuch/x" \
		"create sockets/servers/$NAME: the directory in listen= does not exist"
	refused "create sockets/servers/$NAME listen=tcp:192.0.2.1:80" \
		"create sockets/servers/$NAME: the address in listen= is not one of this machine's"
	shell 'echo "create sockets/servers/$NAME.1 listen=abstract:$NAME" > $IPC/ctl'
	refused "create sockets/servers/$NAME listen=abstract:$NAME" \
		"create sockets/servers/$NAME: the address in listen= is in use, or another file is there"
	refused "create sockets/servers/$NAME listen=tcp:localhost:9 type=seqpacket" \
		"create sockets/servers/$NAME: type=seqpacket is for Unix sockets, not for tcp:"
	refused "create sockets/servers/$NAME listen=" "listen=: the value is missing"
	refused "create shm/sem.$NAME" "create shm/sem.$NAME: names a semaphore (sem.*); create it in sems"
	refused "create pipes/$NAME =5" "=5: not of the form KEY=VALUE"
	refused "remove signals/1" "signals/1: commands do not apply to this kind; write a signal to the file"
	refused "create sockets/tcp/x" "sockets/tcp/x: commands do not apply to this kind; open it to connect"
	refused "create queues/$NAME:32768 maxmsg=1" "create queues/$NAME:32768: the number after ':' is out of range"
	refused "set queues/$NAME:32768 mode=600" "set queues/$NAME:32768: the number after ':' is out of range"
	touch "$S"
	refused "empty shm/$NAME" "empty shm/$NAME: cannot be emptied"
}

@test "mode= of an event is a mode or one of its words, and the error says both" {
	local words="normal, semaphore"
	refused "create events/$NAME mode=fast" "mode=fast: neither an octal mode (0 to 777) nor one of $words"
	refused "create events/$NAME mode=999" "mode=999: neither an octal mode (0 to 777) nor one of $words"
	refused "create pipes/$NAME mode=semaphore" "mode=semaphore: not an octal mode (0 to 777)"
	shell 'echo "create events/$NAME mode=semaphore mode=0640" > $IPC/ctl'
	[[ $(stat -c %a "$IPC/events/$NAME") == 640 ]]
}

@test "if a capacity is refused, the error names the limit" {
	run -1 other 'echo "create pipes/$NAME capacity=1G" > $IPC/ctl'
	run -0 other 'tail -n1 $IPC/ctl'
	[[ $output == "line 1: create pipes/$NAME: capacity= is above the limit in /proc/sys/fs/pipe-max-size" ]]
	keeps_fifos || skip "pipes are served"
	shell 'touch $P'
	refused "set pipes/$NAME capacity=1G" "set pipes/$NAME: capacity= is above the owner's share (see PIPES in ipcfs(5))"
	# To a stranger it is the same whatever the owner has.
	for size in 64K 512K 1G; do
		run -1 other 'echo "set pipes/$NAME capacity='$size'" > $IPC/ctl'
		run -0 other 'tail -n1 $IPC/ctl'
		[[ $output == "line 1: set pipes/$NAME: Operation not permitted" ]]
	done
	shell 'head -c 100K /dev/zero > $P'
	refused "set pipes/$NAME capacity=4K" "set pipes/$NAME: what waits does not fit into capacity="
	shell 'mkfifo $P.2'
	refused "set pipes/$NAME.2 capacity=64K" "set pipes/$NAME.2: not a kept FIFO; set keep=yes"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$P.3"
	refused "set pipes/$NAME.3 eof=never" "set pipes/$NAME.3: a socket has nothing to set"
}

@test "if a user has too many objects, the error names the option that sets the limit" {
	remount max_channels=2
	run -1 other 'for n in 1 2 3; do echo "create pipes/$NAME.$n" > $IPC/ctl || exit 1; done'
	run -0 other 'tail -n1 $IPC/ctl'
	[[ $output == "line 1: create pipes/$NAME.3: more objects than a user may have (mount option max_channels)" ]]
}

@test "a limit on queues or System V objects that is reached is named" {
	run -1 other 'ulimit -q 1; echo "create queues/$NAME" > $IPC/ctl'
	run -0 other 'tail -n1 $IPC/ctl'
	[[ $output == "line 1: create queues/$NAME: above the limit of bytes in queues, RLIMIT_MSGQUEUE (ulimit -q)" ]]
	DIR=$(new_directory)
	export DIR
	run -0 timeout -k 1 20 unshare --mount --ipc --propagation private bash -c '
		echo 0 > /proc/sys/kernel/msgmni; echo 0 > /proc/sys/kernel/shmmni
		"$IPCFS" "$DIR" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} || exit
		for line in "create sysv/queues/0x1" "create sysv/shm/0x1 size=1K"; do
			! echo "$line" > "$DIR/ctl" && tail -n 1 "$DIR/ctl"
		done 2>/dev/null
		umount "$DIR"' 3>&-
	rmdir "$DIR"
	[[ $output == *"create sysv/queues/0x1: above the limit in /proc/sys/kernel/msgmni"* ]]
	[[ $output == *"create sysv/shm/0x1: too many segments, or too much memory in them (shmmni, shmall)"* ]]
}

@test "if the capacity of a System V queue is refused, the error names the limit" {
	KEY=$(printf '0x%08x' $((0x59000000 | ($$ & 0x3fffff))))
	run -1 other "echo 'create sysv/queues/$KEY capacity=1G' > \$IPC/ctl"
	run -0 other 'tail -n1 $IPC/ctl'
	[[ $output == "line 1: create sysv/queues/$KEY: capacity= is above the limit in /proc/sys/kernel/msgmnb" ]]
}

@test "reading ctl shows no kind that no command takes" {
	run -0 cat "$IPC/ctl"
	[[ $output == *sockets/servers* && $output != *sockets/tcp* && $output != *sockets/unix* ]]
	[[ $output != *sockets/abstract* && $output != *sockets/udp* ]]
}
