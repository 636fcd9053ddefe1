#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What dead programs left behind: info/leaks shows it, reap removes it, and whatever anybody still uses
# is left alone. leaks.bash has $APP and the functions.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2034,SC2086,SC2153,SC2154

load leaks.bash

# --- kinds: a killed maker's object goes; while anybody uses it, it stays --------------------------

# posix KIND USE...: an object that a killed program made, and each way to use it.
posix() {
	local kind=$1 maker step

	program "make:$kind:$NAME"
	maker=$JOB
	used "$kind/$NAME"
	for step in "${@:2}"; do
		program "$step:$kind:$NAME"
		kill -KILL "$maker"
		wait_until ended "$maker"
		used "$kind/$NAME"
		maker=$JOB
	done
	kill -KILL "$maker"
	wait_until ended "$maker"
	unused "$kind/$NAME"
}

@test "shm: open, and mapped without a descriptor" {
	posix shm open map
}

@test "sems: mapped, open, and waited for" {
	posix sems map open wait
}

@test "queues: open, and waited for" {
	needs mqueue_mount
	posix queues open wait
}

@test "queues: a message that waits" {
	needs mqueue_mount
	dead_program "make:queues:$NAME"
	echo hello > "$Q"
	used "queues/$NAME"
	[[ $(first "$Q") == hello ]]
	unused "queues/$NAME"
}

@test "sysv/shm: a live maker, and attached by another" {
	program "make:sysv/shm:$KEY"
	used "sysv/shm/$KEY"
	AS=0 program "map:sysv/shm:$KEY"
	user=$JOB
	AS=0 dead_program "map:sysv/shm:$KEY" # the last one that the kernel remembers
	kill -KILL "${JOBS[0]}"
	wait_until ended "${JOBS[0]}"
	used "sysv/shm/$KEY"
	kill -KILL "$user"
	wait_until ended "$user"
	unused "sysv/shm/$KEY"
}

@test "sysv/sems: an old process of the owner, and a stranger who waits" {
	program "make:sysv/sems:$KEY"
	used "sysv/sems/$KEY"
	AS=0 program "wait:sysv/sems:$KEY"
	kill -KILL "${JOBS[0]}"
	wait_until ended "${JOBS[0]}"
	wait_until waits_in_semop "$JOB"
	used "sysv/sems/$KEY"
	kill -KILL "$JOB"
	wait_until ended "$JOB"
	unused_if_all_are_seen "sysv/sems/$KEY"
}

waits_in_semop() { # PID
	[[ $(state_of "$1") == S ]] && ipcs -s -i "$(ipcs -s | awk -v k="$KEY" '$1 == k { print $2 }')" |
		awk '$1 == 1 && $3 == 1 { found = 1 } END { exit !found }'
}

@test "sysv/queues: an old process of the owner, and a new one that waits" {
	dead_program "make:sysv/queues:$KEY"
	made=$SECONDS
	wait_until eval '((SECONDS > made + 4))' # so the next one is younger than the queue
	program "wait:sysv/queues:$KEY"
	used "sysv/queues/$KEY"
	kill -KILL "$JOB"
	wait_until ended "$JOB"
	unused_if_all_are_seen "sysv/queues/$KEY"
}

@test "sysv/queues: a message that waits" {
	dead_program "make:sysv/queues:$KEY"
	as_user "$APP" sh -c 'echo hello > "$0"' "$IPC/sysv/queues/$KEY"
	used "sysv/queues/$KEY"
	as_user "$APP" head -n1 "$IPC/sysv/queues/$KEY" 2>/dev/null
	unused_if_all_are_seen "sysv/queues/$KEY"
}

# kept KIND STEP: an object that a killed program made, and one that has it open through the mount.
kept() {
	local kind=$1 what=$2

	program "make:$what:$IPC/$kind/$NAME"
	used "$kind/$NAME"
	AS=0 program "open:file:$IPC/$kind/$NAME"
	kill -KILL "${JOBS[0]}"
	wait_until ended "${JOBS[0]}"
	used "$kind/$NAME"
	kill -KILL "$JOB"
	wait_until ended "$JOB"
	unused "$kind/$NAME"
}

@test "pipes: kept by the daemon" {
	is_off open_tree || needs prune
	kept pipes file
}

@test "pipes: a plain FIFO" {
	needs prune
	kept pipes fifo
}

@test "topics: a live maker, and one who has it open" {
	kept topics file
}

@test "events: a live maker, and one who has it open" {
	kept events file
}

@test "pipes: a socket that is bound there" {
	needs prune
	program "make:socket:$P"
	used "pipes/$NAME"
	kill -KILL "$JOB"
	wait_until ended "$JOB"
	wait_until is_leaked "pipes/$NAME"
	wait_until eval 'contains <(reap pipes owner="$APP") "pipes/$NAME, owner $APP: "' # not while it is known
	gone "pipes/$NAME"
}

@test "pipes: served by the daemon, with and without bytes" {
	as_user "$APP" sh -c 'echo "create pipes/$NAME served=daemon" > $IPC/ctl'
	echo hello > "$P"
	used "pipes/$NAME"
	truncate -s 0 "$P"
	unused "pipes/$NAME"
}

@test "pipes: bytes that wait in a kept one" {
	is_off open_tree || needs prune
	dead_program "make:file:$P"
	echo hello > "$P"
	used "pipes/$NAME"
	[[ $(head -n1 "$P") == hello ]]
	unused "pipes/$NAME"
}

@test "events: a value, topics: kept messages" {
	dead_program "make:file:$IPC/events/$NAME"
	as_user "$APP" sh -c 'echo "create topics/$NAME keep=3" > $IPC/ctl'
	echo 5 > "$IPC/events/$NAME"
	echo news > "$IPC/topics/$NAME"
	used "events/$NAME" "topics/$NAME"
	[[ $(first "$IPC/events/$NAME") == 5 ]]
	echo "empty topics/$NAME" > "$IPC/ctl"
	unused "events/$NAME" "topics/$NAME"
}

@test "reap: many at once leave others their turn" {
	local i
	for i in 1 2 3; do
		background setpriv --reuid="$APP" --regid="$APP" --clear-groups bash -c \
			'for i in {1..500}; do echo "reap shm dry=yes" > "$0/ctl"; done' "$IPC"
	done
	for i in {1..60}; do
		timeout -s KILL 5 stat "$IPC/pipes" > /dev/null || { echo "no answer"; return 1; }
		read -rt 0.05 <> <(:) || true
	done
	wait "${JOBS[@]}"
	timeout -s KILL 5 stat "$IPC/pipes" > /dev/null
}
