#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Named semaphores and events, as a shell uses them: $E is an event that does not exist yet, $L a
# semaphore.
# shellcheck shell=bats disable=SC2016,SC2153,SC2154

load helper

setup() {
	ipcfs_setup
	export E="$IPC/events/$NAME" L="$IPC/sems/$NAME"
}

create() { # KIND KEY=VALUE...
	echo "create $1/$NAME ${*:2}" > "$IPC/ctl"
}

value() { # KIND
	awk '$1 == "value" { print $2 }' "$IPC/info/$1/$NAME/status"
}

@test "a semaphore is a lock between shell scripts, also with 50 processes" {
	create sems value=1
	echo 0 > "$OUT"
	WITHIN=60 run -0 shell 'for n in {1..50}; do
		(for i in 1 2 3 4; do
			read -r _ < "$L"
			read -r count < "$OUT"; echo $((count + 1)) > "$OUT"
			echo 1 > "$L"
		done) &
	done; wait'
	[[ $(cat "$OUT") == 200 ]]
	[[ $(value sems) == 1 ]]
}

@test "fifty waiters for a semaphore take one thread" {
	touch "$L"
	for _ in {1..50}; do
		background head -c 2 "$L" > "$OUT"
	done
	wait_until held 50
	[[ $(find "/proc/${DAEMON[$IPC]}/task" -mindepth 1 -maxdepth 1 | wc -l) -le 6 ]]
	grep -qx "sleeping 1" "$IPC/info/sems/$NAME/status"
	echo 50 > "$L"
	wait_until all_ended
	[[ $(value sems) == 0 ]]
}

all_ended() {
	local job
	for job in "${JOBS[@]}"; do
		ended "$job" || return 1
	done
}

@test "Ctrl-C ends a wait for a semaphore, and takes nothing" {
	touch "$L"
	background head -c 2 "$L"
	wait_until blocked "$JOB"
	kill -INT "$JOB"
	wait_until ended "$JOB"
	echo 1 > "$L"
	[[ $(value sems) == 1 ]]
}

@test "a semaphore holds what is posted, and each read takes one" {
	touch "$L"
	echo 3 > "$L"
	[[ $(value sems) == 3 && $(cat "$IPC/info/sems/$NAME/peek") == 3 ]]
	read -r unit < "$L"
	[[ $unit == 1 && $(value sems) == 2 ]]
	truncate -s 0 "$L"
	[[ $(value sems) == 0 ]]
	run ! --separate-stderr shell 'dd if=$L iflag=nonblock status=none'
	[[ $stderr == *"Resource temporarily unavailable"* ]]
}

@test "semaphores and events refuse what is not a number" {
	touch "$L" "$E"
	for text in x -1 1.5 "1 2"; do
		run ! shell 'echo "$1" > "$L"' "$text"
		run ! shell 'echo "$1" > "$E"' "$text"
	done
	run ! --separate-stderr shell 'echo 2147483648 > "$L"'
	[[ $stderr == *"Value too large"* ]] # as sem_post(3) says
	[[ $(value sems) == 0 && $(value events) == 0 ]]
}

# Each command writes differently: a line at a time, everything in one write, the newline by itself.
WRITERS=('seq 3' 'printf "1\n2\n3\n"' 'dash -c "printf \"1\n2\n3\n\""' 'awk "BEGIN { print 1; print 2; print 3 }"' 'echo 6'
	'python3 -uc "for i in range(1, 4): print(i)"' 'python3 -c "for i in range(1, 4): print(i)"' 'perl -e "print qq(1\n2\n3\n)"'
	'printf 6' 'printf "\n\n6\n\n"' 'sed -u "" <<< 6' 'sort <<< $'"'1\\n2\\n3'")

@test "several lines are several numbers, and empty lines count for nothing" {
	touch "$L" "$E"
	for writer in "${WRITERS[@]}"; do
		shell "$writer"' > $L'
		shell "$writer"' > $E'
		echo "$writer: $(value sems) $(value events)"
		[[ $(value sems) == 6 && $(value events) == 6 ]]
		truncate -s 0 "$L" "$E"
	done
	run ! --separate-stderr shell 'printf "1\n2147483647\n" | cat > $L'
	[[ $stderr == *"Value too large"* && $(value sems) == 0 ]]
	run ! shell 'printf "1\nx\n" | cat > $L' # without cat, bash makes a write for each line
	run ! shell 'seq 2000 | head -c 8192 > $L' # cut within a number
	[[ $(value sems) == 0 ]]
}

@test "a semaphore is sem_open's own file, and removed by rm" {
	touch "$L"
	[[ $(stat -c '%s %a %u' "/dev/shm/sem.$NAME") == "32 644 0" ]]
	[[ ! -e $IPC/shm/sem.$NAME ]]
	chmod 600 "$L"
	[[ $(stat -c %a "/dev/shm/sem.$NAME") == 600 ]]
	rm "$L"
	[[ ! -e /dev/shm/sem.$NAME ]]
}

@test "another user waits for a semaphore only with both rights, as natively" {
	touch "$L"
	echo 1 > "$L"
	chmod 644 "$L"
	run ! --separate-stderr as_user "$OTHER" head -c 2 "$L"
	[[ $stderr == *"Permission denied"* ]]
	chmod 666 "$L"
	run -0 as_user "$OTHER" head -c 2 "$L"
	[[ $output == 1 ]]
}

@test "a file that is not a semaphore is refused" {
	echo short > "/dev/shm/sem.$NAME"
	run ! --separate-stderr shell 'cat "$L"'
	[[ $stderr == *"Invalid argument"* ]]
	[[ $(cat "$IPC/README") == *ipcfs* ]]
}

@test "an event adds up what is written, and a read clears it" {
	touch "$E"
	echo 5 > "$E"
	echo 37 > "$E"
	[[ $(value events) == 42 && $(cat "$IPC/info/events/$NAME/peek") == 42 ]]
	read -r sum < "$E"
	[[ $sum == 42 && $(value events) == 0 ]]
}

@test "an event of mode=semaphore gives one at a time" {
	create events mode=semaphore value=2
	[[ $(first "$E"; first "$E") == $'1\n1' ]]
	run ! --separate-stderr shell 'dd if=$E iflag=nonblock status=none'
	[[ $stderr == *"Resource temporarily unavailable"* ]]
	echo "set events/$NAME mode=normal value=7" > "$IPC/ctl"
	[[ $(first "$E") == 7 ]]
	run ! shell 'echo "set events/$NAME mode=odd" > "$IPC/ctl"'
	echo "set events/$NAME mode=0600" > "$IPC/ctl"
	[[ $(stat -c %a "$E") == 600 ]]
}

@test "a write wakes a reader of an event, and Ctrl-C ends its wait" {
	touch "$E"
	background head -n 1 "$E" > "$OUT"
	wait_until blocked "$JOB"
	echo 3 > "$E"
	wait_until ended "$JOB"
	[[ $(cat "$OUT") == 3 ]]
	background head -n 1 "$E"
	wait_until blocked "$JOB"
	kill -INT "$JOB"
	wait_until ended "$JOB"
}

@test "a writer to a full event waits until it is read" {
	create events value=18446744073709551614
	run ! --separate-stderr shell 'echo 1 | dd of=$E oflag=nonblock conv=notrunc status=none'
	[[ $stderr == *"Resource temporarily unavailable"* ]]
	background bash -c 'echo 1 > "$E"'
	wait_until blocked "$JOB"
	[[ $(first "$E") == 18446744073709551614 ]]
	wait_until ended "$JOB"
	[[ $(first "$E") == 1 ]]
}

@test "python3's poll reports when an event counts" {
	touch "$E"
	run -0 shell 'python3 -c "import os, select, threading
fd = os.open(os.environ[\"E\"], os.O_RDWR)
p = select.poll(); p.register(fd, select.POLLIN)
assert not p.poll(0)
threading.Timer(0.1, os.write, (fd, b\"9\")).start()
assert p.poll(5000)
print(os.read(fd, 100))"'
	[[ $output == "b'9\\n'" ]]
}
