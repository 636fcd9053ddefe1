#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# -o supervise=yes: which processes there are, how each of them ends, and what is told of it.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load helper
load extra

setup() {
	ipcfs_setup
	setup_extra
}

# supervise [OPTION...]: mounts $EXTRA in the foreground. $SUPERVISOR is the process that a shell sees.
# Its log is $OUT.
supervise() {
	mount_ipcfs "$EXTRA" -o "supervise=yes${1:+,$1}" 2>"$OUT"
	SUPERVISOR=${DAEMON[$EXTRA]}
	export SUPERVISOR
}

# The pid of the process that serves, which `ps` shows as the supervisor's child.
serving() {
	ps --ppid "$SUPERVISOR" -o pid=,comm= | awk '$2 == "ipcfs" { print $1; exit }'
}

unmounted() {
	! is_mounted "$EXTRA"
}

# Whether another daemon than $1 serves.
is_followed() {
	[[ $(serving) && $(serving) != "$1" ]]
}

ended_with() { # STATUS
	local result=0
	wait_until ended "$SUPERVISOR"
	wait "$SUPERVISOR" || result=$?
	echo "status $result"
	[[ $result == "$1" ]]
}

@test "supervise takes yes or no, and anything else gives one clear line" {
	local option
	for option in supervise= supervise=maybe supervise=1; do
		run -1 --separate-stderr timeout -k 1 20 "$IPCFS" "$EXTRA" -o "$option" 3>&-
		[[ $stderr == "ipcfs: $option: not yes or no" ]]
	done
	mount_ipcfs "$EXTRA" -o supervise=no
	[[ -z $(pgrep -P "${DAEMON[$EXTRA]}" -x ipcfs-supervise) && $(cat "/proc/${DAEMON[$EXTRA]}/comm") == ipcfs ]]
}

@test "ps shows the supervisor and the daemon, and --status the daemon's pid" {
	supervise
	[[ $(cat "/proc/$SUPERVISOR/comm") == ipcfs-supervise ]]
	run -0 "$IPCFS" --status "$EXTRA"
	[[ $output == *" pid=$(serving) "* ]]
	[[ $(readlink "/proc/$SUPERVISOR/cwd") == / ]]
}

@test "peers leaves the supervisor out, as it does the daemon" {
	supervise
	shell 'cd $EXTRA; exec 7<>queues/$NAME; cat info/queues/$NAME/peers' >"$BATS_TEST_TMPDIR/peers"
	cat "$BATS_TEST_TMPDIR/peers"
	[[ -s $BATS_TEST_TMPDIR/peers ]]
	run ! grep -E "^($SUPERVISOR|$(serving)) " "$BATS_TEST_TMPDIR/peers"
}

@test "SIGTERM and SIGINT to either process unmount, with status 0" {
	local signal process
	for signal in TERM INT; do
		for process in supervisor daemon; do
			supervise
			[[ $process == daemon ]] && kill -$signal "$(serving)" || kill -$signal "$SUPERVISOR"
			ended_with 0
			unmounted
		done
	done
}

@test "umount ends both processes with status 0" {
	local daemon
	supervise
	daemon=$(serving)
	umount "$EXTRA"
	ended_with 0
	wait_until ended "$daemon"
	run ! contains "$OUT" "another filesystem"
}

# Whether processes that the daemon forks get nothing of the state but its beginning.
hides() {
	awk '/^[0-9a-f]+-/ { is_state = /memfd:ipcfs-state/ && $3 !~ /^0+$/ }
		is_state && /^VmFlags/ { n++; if (!/ dc( |$)/) bad = 1 }
		END { exit !n || bad }' "/proc/$(serving)/smaps"
}

@test "processes that act for a user do not have the state" {
	supervise
	hides
	needs resend
	kill -KILL "$(serving)"
	run -0 shell 'cat $EXTRA/README'
	hides
}

@test "SIGHUP to the supervisor has the configuration read again" {
	echo "create queues/$NAME.1" >"$BATS_TEST_TMPDIR/conf"
	supervise "config=$BATS_TEST_TMPDIR/conf"
	echo "create queues/$NAME.2" >>"$BATS_TEST_TMPDIR/conf"
	kill -HUP "$SUPERVISOR"
	wait_until test -e "$EXTRA/queues/$NAME.2"
}

# Whether SIGHUP waits for the process.
hup_waits() {
	grep -q '^ShdPnd:.*1$' "/proc/$1/status"
}

@test "SIGHUP just before the daemon dies is not lost" {
	local daemon
	needs resend
	echo "create queues/$NAME.1" >"$BATS_TEST_TMPDIR/conf"
	supervise "config=$BATS_TEST_TMPDIR/conf"
	daemon=$(serving)
	echo "create queues/$NAME.2" >>"$BATS_TEST_TMPDIR/conf"
	kill -STOP "$daemon"
	kill -HUP "$SUPERVISOR"
	wait_until hup_waits "$daemon"
	kill -KILL "$daemon"
	wait_until test -e "$EXTRA/queues/$NAME.2"
}

@test "kill -9 of the supervisor alone: the daemon unmounts and ends" {
	local daemon
	supervise
	daemon=$(serving)
	kill -KILL "$SUPERVISOR"
	wait_until unmounted
	wait_until ended "$daemon"
	ended_with 137
}

@test "so it does after it has acted as another user" {
	local daemon
	supervise
	daemon=$(serving)
	as_user "$OTHER" sh -c 'echo hello > "$EXTRA/shm/$NAME"; echo hello > "$EXTRA/queues/$NAME"'
	kill -KILL "$SUPERVISOR"
	wait_until unmounted
	wait_until ended "$daemon"
}

# covered OPTIONS alone|followed|later SIGNAL: mounts, and another filesystem over it, and ends the mount by the
# signal. The daemon is the first one, or another, which began before or after the other mount was made. Only that
# other one is there then, and below it ours, which is dead.
covered() {
	local daemon
	supervise "$1"
	daemon=$(serving)
	[[ $1 != supervise=no ]] || daemon=$SUPERVISOR
	if [[ $2 == followed ]]; then
		kill -KILL "$daemon"
		run -0 shell 'cat $EXTRA/README'
		daemon=$(serving)
	fi
	mount -t tmpfs other "$EXTRA"
	if [[ $2 == later ]]; then
		kill -KILL "$daemon"
		wait_until is_followed "$daemon"
		daemon=$(serving)
	fi
	kill -"$3" "$SUPERVISOR"
	wait_until ended "$daemon"
	wait_until ended "$SUPERVISOR"
	[[ $(stat -f -c %T "$EXTRA") == tmpfs ]]
	contains "$OUT" "ipcfs: $EXTRA: another filesystem covers the mount, which stays there, dead; unmount both"
	umount "$EXTRA"
	run ! stat -f "$EXTRA"
	[[ $output == *"Transport endpoint is not connected"* ]]
	umount "$EXTRA"
	run ! is_mounted "$EXTRA"
}

@test "after umount, nothing is taken for another filesystem over the mount" {
	for options in supervise=no supervise=yes; do
		supervise "$options"
		umount "$EXTRA"
		wait_until ended "$SUPERVISOR"
		run ! grep -F 'another filesystem' "$OUT"
	done
}

@test "what is mounted over the mount is not unmounted" {
	covered supervise=no alone TERM
	covered supervise=yes alone TERM
	covered supervise=yes alone KILL
	needs resend
	covered supervise=yes followed TERM
	covered supervise=yes followed KILL
	covered supervise=yes later TERM
	covered supervise=yes later KILL
}

@test "a daemon that is killed before the mount answers ends as it would alone" {
	# LeakSanitizer does not work under strace(1), which kills it here when it mounts.
	local strace=(strace -f -qq -o /dev/null -e trace=mount -e inject=mount:signal=KILL)
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
	run -137 --separate-stderr timeout -k 1 20 "${strace[@]}" "$IPCFS" -f "$EXTRA" -o supervise=yes 3>&-
	[[ $stderr == "ipcfs: the daemon was killed by SIGKILL (no request in hand); the mount ends: "* ]]
	umount -l "$EXTRA" || true
	run -1 --separate-stderr timeout -k 1 20 "${strace[@]}" "$IPCFS" "$EXTRA" -o supervise=yes 3>&-
	[[ $stderr == "ipcfs: the daemon was killed by SIGKILL (no request in hand); the mount ends: "* ]]
	umount -l "$EXTRA" || true
}

@test "kill -9 of the daemon: the next one serves, and the log says so" {
	local daemon
	needs resend
	supervise
	shell 'echo hello > $EXTRA/queues/$NAME'
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		daemon=$(serving)
		kill -KILL "$daemon"
		run -0 shell 'cat $EXTRA/README'
		is_followed "$daemon"
	done
	[[ $(shell 'first $EXTRA/queues/$NAME') == hello ]]
	wait_until contains "$OUT" "the daemon was killed by SIGKILL (no request in hand); the next one goes on"
}

@test "ipcns: the next daemon shows the same queues, whether or not the process is still there" {
	local process daemon
	unshare --ipc sleep 60 3>&- &
	process=$!
	wait_until eval '[[ $(readlink /proc/$process/ns/ipc) != $(readlink /proc/self/ns/ipc) ]]'
	supervise ipcns="$process"
	shell 'echo stays > $EXTRA/queues/$NAME'
	kill "$process"
	wait "$process" || :
	daemon=$(serving)
	kill -KILL "$daemon"
	wait_until is_followed "$daemon"
	[[ $(shell 'read -r line < $EXTRA/queues/$NAME; echo "$line"') == stays ]]
}

@test "SIGTERM between two daemons unmounts, with status 0" {
	needs resend
	supervise
	for _ in 1 2 3 4 5; do
		kill -KILL "$(serving)"
		kill -TERM "$SUPERVISOR"
		ended_with 0
		unmounted
		supervise
	done
}

@test "a daemon that crashes ten times is not followed any more" {
	needs resend
	supervise
	for _ in 1 2 3 4 5 6 7 8 9; do
		kill -ABRT "$(serving)"
		run -0 shell 'cat $EXTRA/README'
	done
	kill -ABRT "$(serving)"
	ended_with 134
	contains "$OUT" "the mount ends: too many daemons have died within a minute"
	run ! shell 'ls $EXTRA'
	[[ $output == *"Transport endpoint is not connected"* ]]
	umount -l "$EXTRA"
	unset "DAEMON[$EXTRA]" "MOUNTS[-1]"
}

@test "auto_unmount: the mount stays while daemons follow, and goes with the supervisor" {
	local daemon
	needs resend
	supervise auto_unmount
	daemon=$(serving)
	kill -KILL "$daemon"
	run -0 shell 'cat $EXTRA/README'
	is_followed "$daemon"
	kill -KILL "$SUPERVISOR"
	wait_until unmounted
}

# listen PATH TYPE: a socket there. What is sent to it goes to $OUT.got, each message with its sender's pid.
listen() {
	python3 -c '
import socket, struct, sys
got = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
got.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
got.bind(sys.argv[1])
with open(sys.argv[2], "w", 1) as out:
    while True:
        text, rights, _, _ = got.recvmsg(9999, 99)
        print(struct.unpack("3i", rights[0][2][:12])[0], text.decode(), file=out)
' "$1" "$OUT.got" 3>&- &
	JOBS+=($!)
	wait_until test -S "$1"
}

@test "systemd gets messages from the process that it has started" {
	"$IPCFS" -V | grep -q . && ldd "$IPCFS" | grep -q libsystemd || skip "built without libsystemd"
	listen "$BATS_TEST_TMPDIR/notify"
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify supervise
	wait_until contains "$OUT.got" "$SUPERVISOR READY=1"
	kill -HUP "$SUPERVISOR"
	wait_until contains "$OUT.got" "$SUPERVISOR RELOADING=1"
	kill -TERM "$SUPERVISOR"
	wait_until contains "$OUT.got" "$SUPERVISOR STOPPING=1"
}

# Whether nothing has come for a second, which is five times what was asked for.
hung() {
	local n
	n=$(wc -l <"$OUT.got")
	sleep 1
	[[ $(wc -l <"$OUT.got") == "$n" ]]
}

@test "systemd is told that the daemon does not hang, as long as it does not, if it wants to know" {
	ldd "$IPCFS" | grep -q libsystemd || skip "built without libsystemd"
	listen "$BATS_TEST_TMPDIR/notify"
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify WATCHDOG_USEC=200000 supervise
	wait_until contains "$OUT.got" "$SUPERVISOR WATCHDOG=1"
	kill -STOP "$(serving)"
	wait_until hung
	kill -CONT "$(serving)"
	wait_until eval '! hung'
	umount "$EXTRA"
	ended_with 0
	# It is another process that is meant.
	: >"$OUT.got"
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify WATCHDOG_USEC=2000 WATCHDOG_PID=1 supervise
	wait_until contains "$OUT.got" "$SUPERVISOR READY=1"
	run ! contains "$OUT.got" WATCHDOG
}

@test "in the background, supervisor and daemons log to syslog" {
	needs resend
	listen "$BATS_TEST_TMPDIR/log"
	# /dev/log belongs to the machine: here, there is another /dev
	run -0 timeout -k 1 30 unshare --mount --propagation private bash -ec '
		mount -t tmpfs none /mnt
		mkdir /mnt/shm
		for name in null fuse log; do
			touch "/mnt/$name"
			[[ $name == log ]] || mount --bind "/dev/$name" "/mnt/$name"
		done
		mount --bind "$1" /mnt/log
		mount --rbind /mnt /dev
		"$IPCFS" "$EXTRA" -o supervise=yes
		supervisor=$(pgrep -o -f "^$IPCFS $EXTRA( |\$)")
		kill -KILL "$(pgrep -P "$supervisor" -x ipcfs)"
		cat "$EXTRA/README" > /dev/null
		umount "$EXTRA"' bash "$BATS_TEST_TMPDIR/log" 3>&-
	[[ -z $output ]]
	wait_until contains "$OUT.got" "features available"
	wait_until contains "$OUT.got" "the next one goes on"
}
