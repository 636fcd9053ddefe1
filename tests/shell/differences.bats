#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What differs from native behaviour, and the remedies that ipcfs(5) and docs/differences.md give. A
# case that shows a difference fails once there is none: then the documents promise too little.
# shellcheck shell=bats disable=SC2002,SC2016,SC2030,SC2031

load helper

watch_for() { # PATH COMMAND: prints the inotify masks that the command causes there
	/usr/bin/python3 - "$@" <<-'END'
		import ctypes, os, select, struct, subprocess, sys
		libc = ctypes.CDLL(None, use_errno=True)
		fd = libc.inotify_init1(os.O_NONBLOCK)
		assert libc.inotify_add_watch(fd, os.fsencode(sys.argv[1]), 0x2) >= 0  # IN_MODIFY
		subprocess.run(["bash", "-c", sys.argv[2]], check=True)
		print(os.read(fd, 4096)[16:].rstrip(b"\0").decode() if select.select([fd], [], [], 0)[0] else "nothing")
	END
}

@test "inotify: a watch on a queue reports nothing, one on its directory does" {
	touch "$Q"
	[[ $(watch_for "$Q" 'echo hello > "$Q"') == nothing ]]
	[[ $(watch_for "$IPC/queues" 'echo hello > "$Q"') == "$NAME" ]]
}

@test "inotify: a FIFO of pipes/ reports what is written" {
	needs open_tree
	touch "$P"
	[[ $(watch_for "$P" 'echo hello > "$P"') != nothing ]]
}

@test "poll(2) sees in a queue what inotify does not" {
	touch "$Q"
	run -0 /usr/bin/python3 - "$Q" "$MQ" <<-'END'
		import os, select, subprocess, sys
		fd = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
		poll = select.poll()
		poll.register(fd, select.POLLIN)
		assert poll.poll(0) == []
		subprocess.run(["bash", "-c", 'echo hello > "$Q"'], check=True)
		assert poll.poll(10000)
		print(os.read(fd, 100).decode(), end="")
	END
	[[ $output == hello ]]
}

stopped() { # PID
	[[ $(state_of "$1") == T ]]
}

# stop_and_go PID...: stops each process, and lets it continue.
stop_and_go() {
	local pid

	for pid; do
		kill -STOP "$pid"
		wait_until stopped "$pid"
		kill -CONT "$pid"
	done
}

waits() { # N: that many readers of the queue wait
	wait_until contains "$IPC/info/queues/$NAME/status" "waiting $1"
}

@test "sort, stopped while it reads a queue, gives up; behind cat it reads on" {
	local reader

	touch "$Q"
	sort "$Q" >"$OUT" 2>&1 3>&- &
	reader=$!
	JOBS+=("$reader")
	waits 1
	stop_and_go "$reader"
	status=0
	wait "$reader" || status=$?
	[[ $status == 2 ]]
	grep -q 'Interrupted system call' "$OUT"

	cat "$Q" 3>&- > >(head -n 2 | sort >"$OUT") &
	reader=$!
	JOBS+=("$reader")
	waits 1
	stop_and_go "$reader"
	waits 1
	echo pear >"$Q"
	echo apple >"$Q"
	wait_until contains "$OUT" pear
	[[ $(<"$OUT") == $'apple\npear' ]]
}

@test "curl behind cat sends what is in a pipe" {
	local port

	echo "create pipes/$NAME served=daemon" >"$IPC/ctl"
	echo data >"$P"
	socat -d -d -u TCP-LISTEN:0,bind=127.0.0.1 CREATE:"$OUT" 2>"$OUT.log" 3>&- &
	JOBS+=($!)
	wait_until contains "$OUT.log" 'listening on'
	port=$(grep -oP 'listening on .*:\K\d+' "$OUT.log")
	cat "$P" | curl -s --max-time 20 -H Expect: -T - "http://127.0.0.1:$port/" 3>&- &
	JOBS+=($!)
	wait_until contains "$OUT" data
}

@test "several lines are a message each; behind cat they are one message" {
	printf 'a\nb\n' >"$Q"
	grep -qx 'messages 2' "$IPC/info/queues/$NAME/status"
	truncate -s 0 "$Q"
	printf 'a\nb\n' | cat >"$Q"
	grep -qx 'messages 1' "$IPC/info/queues/$NAME/status"
}

@test "asyncio reads a FIFO by connect_read_pipe and a queue by add_reader" {
	needs open_tree
	touch "$P" "$Q"
	run -0 timeout 30 /usr/bin/python3 - "$P" "$Q" <<-'END'
		import asyncio, os, sys

		async def main():
		    loop = asyncio.get_running_loop()
		    ends = [os.open(path, os.O_RDWR | os.O_NONBLOCK) for path in sys.argv[1:]]
		    reader = asyncio.StreamReader()
		    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ends[0], "rb", 0))
		    os.write(ends[0], b"pipe\n")
		    print((await reader.readline()).decode(), end="")
		    got = loop.create_future()
		    loop.add_reader(ends[1], lambda: got.done() or got.set_result(os.read(ends[1], 100)))
		    os.write(ends[1], b"queue\n")
		    print((await got).decode(), end="")
		    loop.remove_reader(ends[1])

		asyncio.run(main())
	END
	[[ $output == $'pipe\nqueue' ]]
}

@test "a mount on top of a queue goes when its name is looked up, one on its directory stays" {
	touch "$Q"
	make_directory
	touch "$D/file" "$D/$NAME"
	run -0 unshare --mount --propagation private bash -c '
		mount --bind "$D/file" "$Q"
		stat "$Q" >/dev/null
		stat "$Q" >/dev/null
		findmnt -n "$Q" || echo gone
		mount --bind "$D" "$IPC/queues"
		stat "$Q" >/dev/null
		findmnt -no TARGET "$IPC/queues"'
	[[ $output == gone$'\n'"$IPC/queues" ]]
}

@test "an open queue is shown as (deleted) although it exists" {
	touch "$Q"
	exec 5<"$Q"
	stat "$Q" >/dev/null
	[[ $(readlink /proc/self/fd/5) == "$Q (deleted)" ]]
	[[ -e $Q ]]
	exec 5<&-
}
