#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Tools that read what has no end, by whatever call: they get what there is as soon as it is there.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper

printf -v KEY '0x%08x' $((0x4a000000 + $$))
export KEY

teardown() {
	local bad=0
	ipcfs_teardown || bad=1
	ipcrm -Q "$KEY" 2>/dev/null || true
	return "$bad"
}

# Whether the program that a command begins with is installed.
has() { # COMMAND
	local words

	read -ra words <<<"${1#exec }"
	[[ ${words[0]} == *=* ]] || command -v "${words[0]}" >/dev/null
}

# Each command reads FILE, to which DATA is then written, until it has printed TEXT.
stream_each() { # FILE DATA TEXT COMMAND...
	local tool

	for tool in "${@:4}"; do
		has "$tool" || continue
		: >"$OUT"
		echo "$tool: $1"
		background timeout 20 bash -c "exec 0</dev/null; $tool" bash "$1" >"$OUT"
		shell 'echo "$1" > $2' "$2" "$1"
		wait_until contains "$OUT" "$3"
		kill "$JOB" 2>/dev/null || true
		wait_until ended "$JOB"
		wait "$JOB" 2>/dev/null || true
	done
}

STREAMING=('exec cat $1' 'exec head -n 1 $1' 'exec dd if=$1 count=1 status=none' 'exec grep --line-buffered "" $1'
	'exec sed -u "" $1' 'exec gawk "{ print; fflush() }" $1' 'IFS= read -r line < $1; echo "$line"' 'mapfile -t -n 1 a < $1; echo "${a[0]}"'
	'exec busybox cat $1' 'exec busybox head -n 1 $1' 'exec busybox dd if=$1 count=1 2> /dev/null' 'exec socat -u OPEN:$1 -'
	'exec python3 -uc "import sys; print(open(sys.argv[1]).readline())" $1' 'exec perl -e "\$| = 1; print while <>" $1'
	'exec tee < $1' 'exec pv -q $1' 'exec curl -sN file://$1')

@test "every tool that streams reads a queue" {
	shell 'touch $Q'
	stream_each "$Q" 'a message' 'a message' "${STREAMING[@]}"
}

@test "every tool that streams reads a System V queue" {
	shell 'touch $IPC/sysv/queues/$KEY'
	stream_each "$IPC/sysv/queues/$KEY" 'a message' 'a message' "${STREAMING[@]}"
}

@test "every tool that streams reads a semaphore and an event" {
	shell 'touch $IPC/sems/$NAME $IPC/events/$NAME'
	stream_each "$IPC/sems/$NAME" 1 1 "${STREAMING[@]}"
	stream_each "$IPC/events/$NAME" 47 47 "${STREAMING[@]}"
}
