#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The server is gone, or a daemon dies: what is local goes on as if nothing had happened, what waits
# for the cluster can be ended, and nothing is lost.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154

load helper
load cluster

# Prints the median of 500 round trips through a local queue, in microseconds.
round_trip() {
	shell '/usr/bin/python3 -c "import os, sys, time
q = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
times = []
for _ in range(500):
    start = time.perf_counter()
    os.write(q, b\"x\"); os.read(q, 100)
    times.append(time.perf_counter() - start)
print(int(sorted(times)[250] * 1e6))" $Q'
}

go_down() {
	kill_server
	wait_until disconnected "$IPC"
	wait_until disconnected "$OTHER_IPC"
}

come_back() {
	start_server
	wait_until connected "$IPC"
	wait_until connected "$OTHER_IPC"
}

@test "the server is gone for ten seconds: local channels are as fast, and all goes on afterwards" {
	local before during late
	create queues/jobs
	create topics/news
	echo old >"$a/values/v"
	wait_until test -e "$b/values/v"
	background cat "$b/queues/jobs" >"$OUT.jobs"
	local reader=$JOB
	background cat "$b/topics/news" >"$OUT.news"
	wait_until has_status topics/news consumers 1
	before=$(round_trip)
	go_down
	SECONDS=0
	background bash -c 'echo hello > $a/queues/jobs'
	local writer=$JOB
	background bash -c 'echo news > $a/topics/news'
	background bash -c 'echo new > $a/values/v'
	during=$(round_trip)
	run -0 shell 'ls -l $a/queues $a/values; stat $b/topics/news; cat $IPC/info/cluster/queues/jobs/status $IPC/info/summary $IPC/info/metrics'
	until ((SECONDS >= 10)); do
		late=$(round_trip)
	done
	echo "# a local round trip: $before us before, $during and $late us while the server was gone" >&3
	((during < before + 1000 && late < before + 1000)) # a call that waited for the network would take seconds
	is_running "$writer"
	is_running "$reader"
	come_back
	wait_until has_lines "$OUT.jobs" 1
	wait_until has_lines "$OUT.news" 1
	wait_until ended "$writer"
	wait_until contains "$b/values/v" new
	echo again >"$b/queues/jobs"
	wait_until has_lines "$OUT.jobs" 2
	[[ $(cat "$OUT.jobs" "$OUT.news") == $'hello\nagain\nnews' ]]
}

sleeps() { # PID
	[[ $(state_of "$1") == S ]] && ! grep -q bash "/proc/$1/comm" || has_open_below "$1" "$IPC" || has_open_below "$1" "$OTHER_IPC"
}

@test "Ctrl-C ends whatever waits for a server that is gone" {
	create queues/jobs
	create topics/news
	create values/v
	go_down
	local commands=('echo hello > $a/queues/jobs' 'cat $b/queues/jobs' 'echo hello > $a/topics/news' 'cat $a/topics/news'
		'echo hello > $b/values/v' 'cat $b/values/v' 'truncate -s 0 $a/queues/jobs') command
	for command in "${commands[@]}"; do
		background bash -c "exec 2> /dev/null; $command"
	done
	for JOB in "${JOBS[@]}"; do
		wait_until sleeps "$JOB"
		kill -INT "$JOB"
	done
	for JOB in "${JOBS[@]}"; do
		wait_until ended "$JOB"
	done
	no_job_in_d_state
}

@test "calls that hold a directory's lock end soon" {
	create queues/jobs
	go_down
	run -1 shell 'timeout 10 touch $a/queues/new & timeout 10 rm $a/queues/jobs; removed=$?; wait $! || exit $removed'
	[[ $output == *"Resource temporarily unavailable"*"Resource temporarily unavailable"* ]]
	run -0 shell 'timeout 5 ls $a/queues'
	[[ $output == jobs ]]
}

@test "cluster_timeout= ends what waits: ETIMEDOUT" {
	remount "$(cluster_option),cluster_timeout=1"
	wait_until connected "$IPC"
	create queues/jobs
	create values/v
	go_down
	run -1 shell 'timeout 8 bash -c "echo hello > \$a/queues/jobs"'
	[[ $output == *"Connection timed out"* ]]
	run -1 shell 'timeout 8 cat $a/values/v'
	[[ $output == *"Connection timed out"* ]]
	come_back
	run -0 shell 'echo hello > $a/queues/jobs; first $b/queues/jobs'
	[[ $output == hello ]]
}

@test "a mount that finds no server serves all that is local, and cluster/ when one comes" {
	kill_server
	remount "$(cluster_option)"
	run -0 shell 'echo local > $Q; first $Q; ls $a; timeout 5 ls $a/queues; cat $IPC/info/cluster/status'
	[[ $output == *local*queues*topics*values*"state connecting"* ]]
	start_server
	WITHIN=15 wait_until connected "$IPC"
	run -0 shell 'until echo hello > $a/queues/jobs; do sleep 0.1; done 2> /dev/null; first $a/queues/jobs'
	[[ $output == hello ]]
	kill_server # and the mount ends in time although it is gone
}

@test "a message that is acknowledged while the server is gone is not lost, at worst given again" {
	create queues/jobs ack_wait=2
	echo hello >"$a/queues/jobs"
	exec 7<"$b/queues/jobs"
	run -0 shell 'head -c 2' <&7
	[[ $output == he ]]
	go_down
	run -0 shell 'read -r rest; echo "$rest"' <&7
	[[ $output == llo ]]
	exec 7<&-
	come_back
	run shell 'timeout 6 head -n 1 $a/queues/jobs 2> /dev/null'
	[[ $output == hello || -z $output ]]
	wait_until has_status queues/jobs messages 0
}

@test "a daemon that is killed between read and acknowledgement: the other machine gets the message" {
	create queues/jobs ack_wait=1
	echo hello >"$a/queues/jobs"
	exec 7<"$b/queues/jobs"
	run -0 shell 'head -c 2' <&7
	[[ $output == he ]]
	background head -n 1 "$a/queues/jobs" >"$OUT" 7<&-
	wait_until waits_in "$JOB" "$IPC"
	kill -KILL "${DAEMON[$OTHER_IPC]}"
	wait_until ended "${DAEMON[$OTHER_IPC]}"
	exec 7<&-
	umount -l "$OTHER_IPC" 2>/dev/null || true
	WITHIN=15 wait_until contains "$OUT" hello
}

@test "without the program's support there is no cluster/, and no server is asked" {
	remount defaults
	[[ ! -e $a ]]
	[[ ! -e $IPC/info/cluster ]]
}
