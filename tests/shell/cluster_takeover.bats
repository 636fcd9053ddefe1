#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# -o supervise=yes: the daemon is killed, and the next one goes on with what is open in cluster/.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154

load helper
load cluster

setup() {
	cluster_setup 1 supervise=yes
}

# The pid of the process that serves a mount: the supervisor's child.
serving() { # MOUNT
	ps --ppid "${DAEMON[$1]}" -o pid=,comm= | awk '$2 == "ipcfs" { print $1; exit }'
}

is_followed() { # MOUNT PID
	[[ $(serving "$1") && $(serving "$1") != "$2" ]]
}

kill_daemon() { # MOUNT
	local pid
	pid=$(serving "$1")
	kill -KILL "$pid"
	wait_until is_followed "$1" "$pid"
}

@test "readers of a queue and of a topic wait on, also while the server is gone, and get each message once" {
	create queues/jobs
	create topics/news
	background cat "$a/queues/jobs" >"$OUT.jobs"
	local jobs=$JOB
	background cat "$a/topics/news" >"$OUT.news"
	wait_until has_status topics/news consumers 1
	wait_until waits_in "$jobs" "$IPC"
	kill_daemon "$IPC"
	echo 1 >"$b/queues/jobs"
	echo 1 >"$b/topics/news"
	wait_until has_lines "$OUT.jobs" 1
	wait_until has_lines "$OUT.news" 1
	kill_server
	wait_until disconnected "$IPC"
	background bash -c 'echo 2 > $a/queues/jobs; echo 2 > $a/topics/news'
	wait_until waits_in "$JOB" "$IPC"
	kill_daemon "$IPC"
	run -0 shell 'stat -c %a $a/queues/jobs' # what is in use has a name, although no server tells
	is_running "$JOB"
	start_server
	WITHIN=15 wait_until has_lines "$OUT.jobs" 2
	WITHIN=15 wait_until has_lines "$OUT.news" 2
	wait_until ended "$JOB"
	wait "$JOB"
	[[ $(cat "$OUT.jobs") == $'1\n2' && $(cat "$OUT.news") == $'1\n2' ]]
	has_status queues/jobs messages 0
}

@test "a topic's reader gets what came while nobody read, and no message again" {
	create topics/news
	exec 7<"$a/topics/news"
	printf one >"$b/topics/news"
	printf two >"$b/topics/news"
	[[ $(head -c 2 <&7) == on ]]
	kill_daemon "$IPC"
	printf three >"$b/topics/news"
	run -0 shell '/usr/bin/python3 -c "import os; print([os.read(0, 99) for _ in range(3)])"' <&7
	[[ $output == "[b'e', b'two', b'three']" ]]
	exec 7<&-
}

@test "what a queue's reader has read in part stays its own, and is acknowledged with its last byte" {
	create queues/jobs ack_wait=3600
	printf hello >"$b/queues/jobs"
	exec 7<"$a/queues/jobs"
	[[ $(head -c 2 <&7) == he ]]
	kill_daemon "$IPC"
	wait_until connected "$IPC"
	has_status queues/jobs messages 1
	[[ $(head -c 3 <&7) == llo ]]
	wait_until has_status queues/jobs messages 0
	printf again >"$b/queues/jobs"
	[[ $(head -c 2 <&7) == ag ]]
	kill_daemon "$IPC"
	background head -c 5 "$b/queues/jobs" >"$OUT" 7<&-
	exec 7<&- # without its last byte it goes to somebody else, and does not wait for ack_wait
	wait_until contains "$OUT" again
}

@test "a writer waits on until the queue has room, and its message is stored once" {
	create queues/jobs maxmsg=1
	echo 1 >"$b/queues/jobs"
	background bash -c 'echo 2 > $a/queues/jobs'
	wait_until waits_in "$JOB" "$IPC"
	kill_daemon "$IPC"
	wait_until connected "$IPC"
	is_running "$JOB"
	[[ $(first "$b/queues/jobs") == 1 ]]
	wait_until ended "$JOB"
	wait "$JOB"
	[[ $(first "$b/queues/jobs") == 2 ]]
	has_status queues/jobs messages 0
}

@test "a value's reader has its end after the value, and a poll waits for a change" {
	echo green >"$a/values/light"
	wait_until test -e "$b/values/light"
	background /usr/bin/python3 -u -c 'import os, select, sys
light = os.open(sys.argv[1], os.O_RDONLY)
poll = select.poll()
poll.register(light, select.POLLIN)
while True:
    poll.poll()
    print(os.read(light, 99))' "$a/values/light" >"$OUT"
	wait_until has_lines "$OUT" 2
	wait_until waits_in "$JOB" "$IPC"
	kill_daemon "$IPC"
	wait_until connected "$IPC"
	echo red >"$b/values/light"
	wait_until has_lines "$OUT" 4
	[[ $(cat "$OUT") == "b'green\\n'"$'\n'"b''"$'\n'"b'red\\n'"$'\n'"b''" ]]
	exec 7<"$a/values/light"
	[[ $(head -c 2 <&7) == re ]]
	kill_daemon "$IPC"
	[[ $(cat <&7) == d ]]
	exec 7<&-
}

@test "names, modes and owners are what they were" {
	local before
	create queues/jobs
	chmod 640 "$a/queues/jobs"
	chown "$OTHER" "$a/queues/jobs"
	exec 7<"$a/queues/jobs"
	before=$(stat -c '%A %u %g %i %y %z' "$a/queues/jobs")
	kill_daemon "$IPC"
	[[ $(stat -L -c '%A %u %g %i %y %z' "/proc/$$/fd/7") == "$before" ]]
	[[ $(ls "$a/queues") == jobs ]]
	wait_until connected "$IPC"
	[[ $(stat -c '%A %u %g %i %y %z' "$a/queues/jobs") == "$before" ]]
	chmod 600 "$a/queues/jobs"
	[[ $(stat -c %A "$a/queues/jobs") == -rw------- ]]
	exec 7<&-
}

@test "an object that was removed meanwhile is gone for who has it open" {
	create queues/jobs
	create topics/news
	background cat "$a/queues/jobs"
	wait_until waits_in "$JOB" "$IPC"
	exec 7<"$a/topics/news"
	rm "$b/topics/news"
	wait_until test ! -e "$a/topics/news"
	kill_daemon "$IPC"
	rm "$b/queues/jobs"
	wait_until ended "$JOB"
	run -1 shell 'cat' <&7
	[[ $output == *"Identifier removed"* ]]
	exec 7<&-
}

@test "four writers, four readers, two daemons killed twenty times: queues lose nothing, topics are exact" {
	create queues/load ack_wait=1
	create topics/load
	WITHIN=60 run -0 shell '"$1" $a $b "$2" "$3"' "$HERE/cluster_takeover.py" "${DAEMON[$IPC]}" "${DAEMON[$OTHER_IPC]}"
	echo "# $output" >&3
}
