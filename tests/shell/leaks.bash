#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests of info/leaks and reap: programs that leave objects behind. Everything that has been
# unused since the last second counts as leaked. $APP is a user whom no other test has, with no process
# but the test's, and $KEY a key of System V objects.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

load helper

SETUP_OPTIONS=leak_idle=0
FIRST_PID_NAMESPACE=4026531836 # PROC_PID_INIT_INO: linux/include/linux/proc_ns.h

setup() {
	ipcfs_setup
	APP=$((1000000 + ($$ & 0x3ffff) * 64 + BATS_TEST_NUMBER))
	KEY=$(printf '0x%08x' $((0x50000000 | ($$ & 0x1fffff) << 7 | BATS_TEST_NUMBER)))
	export APP KEY
	QUEUES=queues
	! is_off mqueue_mount || QUEUES= # nor can they be listed
}

teardown() {
	[[ -n ${KEY:-} ]] || return 0
	[[ ${#JOBS[@]} == 0 ]] || kill -KILL "${JOBS[@]}" 2>/dev/null || true
	ipcrm -Q "$KEY" -M "$KEY" -S "$KEY" 2>/dev/null || true
	ipcfs_teardown
}

# program STEP...: leaks.py as $APP, in the background, when it is ready. $JOB is its pid.
program() {
	: > "$OUT.ready"
	background setpriv --reuid="${AS:-$APP}" --regid="${AS:-$APP}" --clear-groups \
		python3 "$HERE/leaks.py" "$@" > "$OUT.ready" 2>&1
	wait_until grep -q . "$OUT.ready"
	[[ $(<"$OUT.ready") == ready ]] || { cat "$OUT.ready"; return 1; }
}

# The same, and then it is killed.
dead_program() {
	program "$@"
	kill -KILL "$JOB"
	wait_until ended "$JOB"
}

# Prints KIND/NAME of all that info/leaks shows.
leaked() {
	awk '!/^#/ && $1 != "BYTES" { print $4 }' "$IPC/info/leaks"
}

is_leaked() { # KIND/NAME
	leaked | grep -qxF -- "$1"
}

# reap KIND [KEY=VALUE...]: prints the report.
reap() {
	echo "reap $*" > "$IPC/ctl" || return
	sed -n '/^# Your last report:/,/^# /p' "$IPC/ctl" | grep -v '^#'
}

there() { # KIND/NAME
	[[ -e $IPC/$1 || -L $IPC/$1 ]]
}

gone() { # KIND/NAME
	! there "$1"
}

# Waits until what has happened so far is more than a second ago. Whatever is younger is in use.
age() {
	local now=$EPOCHSECONDS
	wait_until eval '((EPOCHSECONDS > now + 2))'
}

# Fails unless each of these is left alone: neither shown nor reaped, by root or their owner.
used() { # KIND/NAME...
	local object
	age
	for object; do
		there "$object"
		! is_leaked "$object" || { echo "shown: $object"; return 1; }
		reap "${object%/*}" idle=0
		there "$object" || { echo "reaped: $object"; return 1; }
	done
}

reports() { # KIND/NAME [KEY=VALUE...]
	contains <(reap "${1%/*}" owner="$APP" idle=0 "${@:2}") "  $1, owner $APP: "
}

# Fails unless each of these is shown, then dry=yes keeps it, and reap removes it. (Of a FIFO whose name
# was just looked up, the kernel has to forget the name first.)
unused() { # KIND/NAME...
	local object
	for object; do
		wait_until is_leaked "$object"
		wait_until reports "$object" dry=yes
		there "$object"
		wait_until reports "$object"
		gone "$object" || { echo "not reaped: $object"; return 1; }
		[[ $(leaked) != *"$object"* ]]
	done
}

# Of a System V queue or semaphore set, only /proc tells who still uses it, and in a container that does
# not show the processes outside. So there the object stays in use.
unused_if_all_are_seen() { # KIND/NAME
	if [[ $(readlink /proc/self/ns/pid) == "pid:[$FIRST_PID_NAMESPACE]" ]]; then
		unused "$1"
	else
		used "$1"
	fi
}
