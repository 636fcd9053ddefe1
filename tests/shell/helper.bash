#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The functions and variables of every test file here. setup() gives each test its own mount at $IPC
# and names that no other test has: $P, $Q and $S are a pipe, a queue and a region that do not exist
# yet. teardown() ends the test's jobs, the daemon and whatever the test left in the kernel. SIGTERM
# must end the daemon. If it does not, or anything hangs, the connection is aborted and the test
# fails.
# shellcheck shell=bash disable=SC2016

bats_require_minimum_version 1.5.0

: "${IPCFS:?the full path of the ipcfs program}"

HERE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
FUSECTL=/sys/fs/fuse/connections
export OTHER=65534 # a user that owns nothing

export LC_ALL=C
export MQ="$HERE/mq.py"
[[ -x /usr/bin/python3 ]] && PATH=/usr/bin:$PATH # quicker to start than a version manager's

# -g, because `load` is a function
declare -ga JOBS=() MOUNTS=()
declare -gA DAEMON=() CONNECTION=() WATCHDOG=()

setup() {
	ipcfs_setup
}

# Mounts with `-o $SETUP_OPTIONS`, if a file sets that.
ipcfs_setup() {
	[[ $(id -u) == 0 ]] || skip "only root can mount here"
	mountpoint -q "$FUSECTL" || mount -t fusectl none "$FUSECTL"
	export NAME="ipcfs-test-$$-$BATS_TEST_NUMBER"
	NATIVE_MQ=$(new_directory) # not below bats's own: rm -r removes that one, and would remove every queue
	mount -t mqueue none "$NATIVE_MQ"
	IPC=$(new_directory)
	export IPC NATIVE_MQ P="$IPC/pipes/$NAME" Q="$IPC/queues/$NAME" S="$IPC/shm/$NAME"
	export OUT="$BATS_TEST_TMPDIR/out"
	mount_ipcfs "$IPC" ${SETUP_OPTIONS:+-o "$SETUP_OPTIONS"}
}

teardown() {
	ipcfs_teardown
}

ipcfs_teardown() {
	local dir bad=0

	[[ -n ${IPC:-} ]] || return 0 # skipped
	echo "status ${status:-}, output: ${output:-}" # bats shows it if the test has failed
	[[ ${#JOBS[@]} == 0 ]] || kill -KILL "${JOBS[@]}" 2>/dev/null || true
	for dir in "${MOUNTS[@]}"; do
		end_mount "$dir" || bad=1
	done
	[[ -n ${DAEMON[$IPC]:-} ]] || rmdir "$IPC" # it could not be mounted
	rm -rf "/dev/shm/${NAME:?}"* "/dev/shm/sem.${NAME:?}"* "${NATIVE_MQ:?}/$NAME"*
	umount "$NATIVE_MQ"
	rmdir "$NATIVE_MQ"
	[[ -z ${D:-} ]] || rm -rf "$D"
	return "$bad"
}

# For a setup(): makes $D, a directory of the test's own, which teardown removes with its content.
make_directory() {
	D=$(new_directory)
	export D
}

# needs FEATURE...: skips the test if IPCFS_TEST_OPTIONS turns one of them off.
needs() {
	local feature

	for feature; do
		! is_off "$feature" || skip "without $feature"
	done
}

# Whether IPCFS_TEST_OPTIONS turns this kernel feature (lib/host/feature.h) off.
is_off() { # FEATURE
	local option options

	IFS=, read -ra options <<<"${IPCFS_TEST_OPTIONS:-}"
	for option in "${options[@]}"; do
		[[ $option != without=* || ":${option#*=}:" != *":$1:"* ]] || return 0
	done
	return 1
}

# Whether a pipe is a FIFO here by default. Else the daemon serves it.
keeps_fifos() {
	! is_off open_tree && [[ ,${IPCFS_TEST_OPTIONS:-}, != *,pipe_served=daemon,* ]]
}

# --- mounts ---------------------------------------------------------------------------------------

new_directory() {
	local dir
	dir=$(realpath "$(mktemp -d "${TMPDIR:-/tmp}/ipcfs-test.XXXXXX")")
	chmod 755 "$dir" # other users must get to the mount
	echo "$dir"
}

# mount_ipcfs DIRECTORY [ARGUMENT...]: mounts in the foreground. teardown learns how it ended.
mount_ipcfs() {
	"$IPCFS" "$1" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} "${@:2}" -f 3>&- &
	wait_until is_mounted_or_dead "$1" $!
	look_after "$1" $!
	wait_until test -e "$1/README"
}

# Mounts $IPC again, with `-o $1`.
remount() { # OPTIONS
	umount "$IPC"
	wait_until ended "${DAEMON[$IPC]}"
	mount_ipcfs "$IPC" -o "$1"
}

# Mounts as a user does: the program puts itself into the background.
start_ipcfs() {
	timeout -k 1 20 "$IPCFS" "$1" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} "${@:2}" 3>&-
	look_after "$1" "$(pgrep -o -f "^$IPCFS $1( |\$)")"
}

# look_after DIRECTORY PID: from now on teardown ends the mount at DIRECTORY, which PID serves.
look_after() {
	local dir=$1

	if [[ -n ${DAEMON[$dir]:-} ]]; then
		kill "${WATCHDOG[$dir]}"
	else
		MOUNTS+=("$dir")
	fi
	DAEMON[$dir]=$2
	CONNECTION[$dir]=$(awk -v d="$dir" '$5 == d { sub(".*:", "", $3); n = $3 } END { print n }' \
		/proc/self/mountinfo)
	watch_over "$dir" 3>&- >/dev/null 2>&1 &
	WATCHDOG[$dir]=$!
	disown $!
}

# Aborts the connection of a mount that is still there after a minute, or WATCH_SECONDS: nothing else
# releases a process that hangs in it.
watch_over() {
	local never
	exec {never}<> <(:)
	read -rt "${WATCH_SECONDS:-60}" -u "$never" || ended "${DAEMON[$1]}" || abort_connection "${CONNECTION[$1]}"
}

abort_connection() {
	[[ ! -e $FUSECTL/$1/abort ]] || echo 1 >"$FUSECTL/$1/abort"
}

is_mounted() {
	awk -v d="$1" '$5 == d { found = 1 } END { exit !found }' /proc/self/mountinfo
}

is_mounted_or_dead() { # DIRECTORY PID
	is_mounted "$1" || ended "$2"
}

end_mount() {
	local dir=$1 bad=0 result=0

	kill -TERM "${DAEMON[$dir]}" 2>/dev/null || true
	if ! wait_until ended "${DAEMON[$dir]}"; then
		echo "SIGTERM did not end the daemon"
		abort_connection "${CONNECTION[$dir]}"
		kill -KILL "${DAEMON[$dir]}" 2>/dev/null
		bad=1
	fi
	kill "${WATCHDOG[$dir]}" 2>/dev/null || true
	wait "${DAEMON[$dir]}" 2>/dev/null || result=$?
	if [[ $result != 0 && $result != 127 && $result != 137 ]]; then # not a child; killed by the test
		echo "the daemon ended with status $result"
		bad=1
	fi
	if is_mounted "$dir"; then
		echo "the daemon left its mount behind"
		umount -l "$dir"
		bad=1
	fi
	rmdir "$dir" || bad=1
	return "$bad"
}

# --- running what a user types --------------------------------------------------------------------

# shell 'WHAT A USER TYPES': runs it in a separate bash, and ends it if it takes too long. Jobs that
# outlive that bash keep `run` waiting.
shell() {
	timeout -k 1 "${WITHIN:-20}" bash -c "$1" bash "${@:2}" 3>&-
}

# first FILE: prints its first line. On a file that looks regular but cannot seek, head
# complains on stderr although it has printed the right thing.
first() {
	head -n1 "$@" 2>/dev/null
}
export -f first

# cells KIND TITLE...: of all objects of a kind in the summary on stdin, their names and what is in
# these columns. A column that was left out has "-".
cells() {
	awk -v kind="$1" -v titles="${*:2}" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; n = split(titles, title, " ") }
		$1 == kind { line = $NF
			for (i = 1; i <= n; i++) line = line " " (title[i] in at ? $(at[title[i]]) : "-")
			print line }'
}

as_user() { # UID COMMAND...
	timeout -k 1 20 setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}" 3>&-
}

# Starts COMMAND as a terminal would (Ctrl-C reaches it, stdin is the caller's). $JOB is its pid.
background() {
	env --default-signal=INT,QUIT "$@" <&0 3>&- &
	JOB=$!
	JOBS+=("$JOB")
}

# --- conditions -----------------------------------------------------------------------------------

# wait_until CONDITION...: fails if it has not come true in time (WITHIN seconds, or 10).
wait_until() {
	local deadline=$((SECONDS + ${WITHIN:-10} + 1))

	until "$@"; do
		if ((SECONDS >= deadline)); then
			echo "not in time: $*"
			return 1
		fi
		sleep 0.02
	done
}

ended() { # PID; its parent may take a while to reap it
	local state
	state=$(state_of "$1") || return 0
	[[ $state == Z ]]
}

state_of() { # PID: R, S, D, ...
	local line
	line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	line=${line##*) }
	echo "${line%% *}"
}

# PID waits, interruptibly, with a file of the mount open and an unanswered request to the daemon.
blocked() {
	[[ $(state_of "$1") == S ]] && has_open_below "$1" "$IPC" && held 1
}

# The same for a pipe that the kernel serves: only the kernel knows why the process sleeps.
sleeps_with() { # PID PIPE
	[[ $(state_of "$1") == S ]] && has_open_below "$1" "$(dirname "$2")"
}

has_open_below() { # PID DIRECTORY
	local descriptor
	for descriptor in "/proc/$1/fd"/*; do
		[[ $(readlink "$descriptor") == "$2"/* ]] && return 0
	done
	return 1
}

held() { # N: that many requests wait for an answer
	[[ $(cat "$FUSECTL/${CONNECTION[$IPC]}/waiting") -ge $1 ]]
}

contains() { # FILE TEXT
	grep -qF -- "$2" "$1"
}

no_job_in_d_state() {
	local job
	for job in "${JOBS[@]}"; do
		[[ $(state_of "$job") != D ]] || {
			echo "process $job ($(tr '\0' ' ' <"/proc/$job/cmdline")) is in D state"
			return 1
		}
	done
}

# Fills $P with zeroes until it takes no more. Prints how many bytes it took.
fill_pipe() {
	shell 'dd if=/dev/zero of=$P bs=64k oflag=nonblock 2>&1 | awk "/ copied/ { print \$1 }"'
}

# Fills $Q, made with the system's limits, until it takes no more.
fill_queue() {
	shell 'n=1; while dd of=$Q oflag=nonblock <<< "message $n" 2>/dev/null; do n=$((n + 1)); done'
}
