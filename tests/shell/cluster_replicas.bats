#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Three servers keep each message three times. One is killed and brought back every few seconds:
# writers notice nothing but a pause, and nothing that was acknowledged is missing.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154

load helper
load cluster

setup() {
	# shellcheck disable=SC2034 # helper.bash reads it
	WATCH_SECONDS=110
	cluster_setup 3
}

# writer FILE NAME: writes lines with a number more each until there is a file $OUT.stop, and then
# prints how many. A signal would not do: a write that one interrupts may have been sent. It leaves the
# readers time, who have to acknowledge each line.
writer() {
	background /usr/bin/python3 -c 'import os, sys, time
path, name, stop = sys.argv[1:]
fd = os.open(path, os.O_WRONLY)
n = 0
while not os.path.exists(stop):
    os.write(fd, b"%s %d\n" % (name.encode(), n))
    n += 1
    time.sleep(0.002)
print(n)' "$1" "$2" "$OUT.stop" >"$OUT.$2"
}

# written WRITER NAME: waits for its end, and prints how many lines it has written.
written() {
	touch "$OUT.stop"
	wait_until ended "$1"
	wait "$1"
	cat "$OUT.$2"
}

has_replicas() { # KIND/NAME N
	has_status "$1" current "$2"
}

# has_more FILE: it has grown since the last time.
has_more() {
	local n

	n=$(wc -l <"$1")
	((n > ${LINES_IN[$1]:-0})) && LINES_IN[$1]=$n
}

# One server after the other is killed, and comes back two seconds later. The next one is killed when
# readers have gone on: a new leader takes up to nine seconds, and is sought for each stream.
disturb() { # ROUNDS
	local n
	declare -gA LINES_IN=()

	for ((n = 0; n < $1; n++)); do
		kill_server $((n % 3))
		sleep 2
		start_server $((n % 3))
		WITHIN=20 wait_until has_replicas queues/jobs 3
		WITHIN=20 wait_until has_replicas topics/news 3
		WITHIN=20 wait_until has_more "$OUT.queue"
		WITHIN=20 wait_until has_more "$OUT.topic"
	done
}

@test "a server is killed and brought back every few seconds: nothing that was acknowledged is missing" {
	local pid n
	create queues/jobs replicas=3 ack_wait=3 # acknowledgements to a server that is killed are lost
	create topics/news replicas=3 keep=20000
	create values/v replicas=3
	background cat "$b/queues/jobs" >"$OUT.queue"
	background cat "$b/topics/news" >"$OUT.topic"
	writer "$a/queues/jobs" one
	local one=$JOB
	writer "$b/queues/jobs" two
	local two=$JOB
	writer "$a/topics/news" news
	local news=$JOB
	writer "$a/values/v" value
	local value=$JOB
	disturb 3
	for pid in "$one" "$two" "$news" "$value"; do
		is_running "$pid"
	done
	local n_one n_two n_news n_value
	n_one=$(written "$one" one)
	n_two=$(written "$two" two)
	n_news=$(written "$news" news)
	n_value=$(written "$value" value)
	echo "# written: $n_one and $n_two to the queue, $n_news to the topic, $n_value values" >&3
	WITHIN=20 wait_until contains "$OUT.queue" "one $((n_one - 1))"
	WITHIN=20 wait_until contains "$OUT.queue" "two $((n_two - 1))"
	# What has been read is not always gone: after a crash, nats-server 2.9 forgets to remove messages
	# that were acknowledged, and its consumer passes them over.
	diff <({ seq -f 'one %.0f' 0 $((n_one - 1)); seq -f 'two %.0f' 0 $((n_two - 1)); } | sort) <(sort -u "$OUT.queue")
	WITHIN=20 wait_until contains "$OUT.topic" "news $((n_news - 1))"
	seq -f 'news %.0f' 0 $((n_news - 1)) | diff - "$OUT.topic"
	[[ $(cat "$b/values/v") == "value $((n_value - 1))" ]]
}

@test "status names the leader and how many replicas are up to date" {
	create queues/jobs replicas=3
	wait_until has_replicas queues/jobs 3
	[[ $(status_of queues/jobs leader) == server[012] && $(status_of queues/jobs replicas) == 3 ]]
	run -1 shell 'echo create cluster/queues/five replicas=5 > $IPC/ctl'
}
