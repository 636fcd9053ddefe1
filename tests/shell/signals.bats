#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Processes as files: signals that a shell sends, and waiting for the end of a process. $TARGET is a
# process that sleeps.
# shellcheck shell=bats disable=SC2012,SC2016,SC2153,SC2154

load helper

setup() {
	ipcfs_setup
	[[ -n ${IPC:-} ]] || return 0
	background sleep 60
	export TARGET=$JOB PROCESS=$IPC/signals/$JOB
}

status_of() { # PID KEY
	sed -n "s/^$2 //p" "$IPC/info/signals/$1/status"
}

owned() { # PID
	[[ $(stat -c %u "$IPC/signals/$1") == "$OTHER" ]]
}

told() { # TEXT: what is told of an end, where the kernel tells it
	is_off pidfd_info && echo ended || echo "$1"
}

@test "a name or a number is a signal, and a read waits for the end" {
	for text in TERM SIGTERM term 15; do
		background sleep 60
		background bash -c 'read -r end < "$IPC/signals/$1"; echo "$end" > "$OUT"' bash "$JOB"
		wait_until blocked "$JOB"
		echo "$text" > "$IPC/signals/${JOBS[-2]}"
		wait "${JOBS[-2]}" || true
		wait_until ended "$JOB"
		[[ $(cat "$OUT") == "$(told "killed TERM")" ]]
	done
}

# Starts a job that exits with $1 once its file is open, and reads that.
EXITS='mkfifo "$OUT.go"; (exec 3<&-; read -r _ < "$OUT.go"; exit "$1") & exec 4< "$IPC/signals/$!"
	echo > "$OUT.go"; cat <&4; rm "$OUT.go"'

@test "a background job's exit code is read, and cat comes to an end" {
	[[ $(shell "$EXITS" 42) == "$(told "exited 42")" ]]
}

@test "a shell gets signals that it sends to itself" {
	run -0 shell 'trap "echo got it" USR1; echo USR1 > "$IPC/signals/$$"; echo "status $?"'
	[[ $output == "got it"$'\n'"status 0" ]]
	run -0 as_user "$OTHER" bash -c 'trap "echo got it" USR1; echo USR1 > "$IPC/signals/$$"; echo "status $?"'
	[[ $output == "got it"$'\n'"status 0" ]]
}

@test "a value comes with the signal" {
	run -0 shell 'python3 -c "
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGRTMIN + 3])
os.system(\"echo USR1 4711 > \$IPC/signals/%d; echo RTMIN+3 -1 > \$IPC/signals/%d\" % (os.getpid(), os.getpid()))
for number in signal.SIGUSR1, signal.SIGRTMIN + 3:
    info = signal.sigwaitinfo([number])
    print(info.si_signo - number, info.si_status, info.si_code, info.si_uid)"'
	[[ $output == "0 4711 -1 0"$'\n'"0 -1 -1 0" ]]
}

@test "a hundred signals to a process that blocks them arrive once; real-time ones all arrive" {
	run -0 shell 'python3 -c "
import os, signal
both = [signal.SIGUSR1, signal.SIGRTMIN]
signal.pthread_sigmask(signal.SIG_BLOCK, both)
for n in range(100):
    with open(\"$IPC/signals/%d\" % os.getpid(), \"w\") as target: target.write(\"USR1\nRTMIN %d\n\" % n)
counts = dict.fromkeys(both, 0)
while info := signal.sigtimedwait(both, 0): counts[info.si_signo] += 1
print(*counts.values())"'
	[[ $output == "1 100" ]]
}

@test "who may send is what kill says" {
	run ! as_user "$OTHER" dd of="$PROCESS" status=none <<< TERM
	[[ $output == *"Operation not permitted"* ]]
	run ! as_user "$OTHER" dd of="$PROCESS" status=none <<< 0
	[[ $output == *"Operation not permitted"* ]]
	kill -0 "$TARGET"
	background setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups sleep 60
	wait_until owned "$JOB"
	as_user "$OTHER" bash -c 'echo KILL > "$IPC/signals/$1"' bash "$JOB"
	wait "$JOB" || [[ $? == 137 ]]
	[[ ! -e $IPC/signals/$JOB ]]
}

@test "what is no signal and what is no process" {
	run ! shell 'echo FOO > $PROCESS'
	[[ $output == *"Invalid argument"* ]]
	run ! shell 'echo TERM > $IPC/signals/4194303'
	[[ $output == *"No such process"* ]]
	run ! shell 'cat $IPC/signals/4194303'
	[[ $output == *"No such file or directory"* ]]
	for command in 'rm $PROCESS' 'mkdir $IPC/signals/x' 'mv $PROCESS $IPC/signals/1' 'touch $PROCESS' \
		'chmod 600 $PROCESS' 'touch $IPC/signals/x'; do
		run ! shell "$command"
		[[ $output == *"Operation not permitted"* ]]
	done
	kill -0 "$TARGET"
}

@test "ls shows the processes of /proc" {
	comm -12 <(cd /proc && printf '%s\n' [0-9]* | sort) <(ls "$IPC/signals" | sort) > "$OUT"
	grep -qx "$TARGET" "$OUT"
	grep -qx 1 "$OUT"
	[[ $(($(wc -l < "$OUT") + 10)) -gt $(ls "$IPC/signals" | wc -l) ]]
	[[ $(ls "$IPC/signals") != *[^0-9$'\n']* ]]
	[[ $(ls -l "$PROCESS") == -rw-rw-rw-* ]]
}

@test "status names the signals, and the tables leave processes out" {
	bash -c 'trap "" HUP; trap : WINCH; echo > "$OUT"; while :; do read -rt 60 _ <> <(:); done' 3>&- &
	JOBS+=($!)
	wait_until test -s "$OUT"
	[[ $(status_of $! ignored) == *HUP* ]]
	[[ $(status_of $! caught) == *WINCH* ]]
	[[ $(status_of $! command) == bash ]]
	kill -STOP "$TARGET"
	wait_until grep -qx "state stopped" "$IPC/info/signals/$TARGET/status"
	kill -TERM "$TARGET"
	[[ $(status_of "$TARGET" pending) == TERM ]]
	kill -CONT "$TARGET"
	[[ $(ls "$IPC/info/signals/1") == status ]]
	[[ -z $(ls "$IPC/info/signals") ]] # like /proc, it changes while grep -r is at it
	run ! grep -r signals "$IPC/info/summary" "$IPC/info/inventory.json" "$IPC/info/metrics" "$IPC/info/graph.dot"
}

@test "callers of another PID namespace are refused, unless the mount says otherwise" {
	run ! unshare --pid --fork --mount-proc bash -c 'echo 0 > "$PROCESS"'
	[[ $output == *"Operation not permitted"* ]]
	run ! unshare --pid --fork --mount-proc ls "$IPC/signals"
	[[ $output == *"Operation not permitted"* ]]
	remount foreign=pid
	unshare --pid --fork --mount-proc bash -c 'echo 0 > "$PROCESS"'
}

@test "where the kernel does not tell the exit code, a process has ended" {
	remount without=pidfd_info
	[[ $(shell "$EXITS" 3) == ended ]]
}
