#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Daemons with faults (faults.c): the supervisor goes on with the mount, and other clients notice
# nothing.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2153,SC2154

load helper
load extra

setup() {
	ipcfs_setup
	setup_extra
	needs resend
	make_directory
	# Mounts $EXTRA in the foreground. Its log is $OUT.
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
	LD_PRELOAD=$IPCFS_FAULTS_LIBRARY IPCFS_FAULTS=$D mount_ipcfs "$EXTRA" -o supervise=yes 2>"$OUT"
	export SUPERVISOR=${DAEMON[$EXTRA]}
}

serving() {
	ps --ppid "$SUPERVISOR" -o pid=,comm= | awk '$2 == "ipcfs" { print $1; exit }'
}

# How many lines of the log have this text.
count() {
	grep -c -- "$1" "$OUT" || true
}

# traffic N: sends N numbers through a pipe and a queue, and fails if what comes out is not exactly that.
traffic() {
	timeout 100 python3 - "$EXTRA" "$NAME" "$1" <<'PY'
import os, sys, threading, time
root, name, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
def write(path):
    fd = os.open(path, os.O_WRONLY)
    for i in range(n):
        os.write(fd, b"%d\n" % i)
        time.sleep(0.001)
def read(path, got):
    fd = os.open(path, os.O_RDONLY)
    while len(got) < n:
        got += os.read(fd, 65536).split()
for path in root + "/pipes/" + name, root + "/queues/" + name:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT))
    got = []
    threads = [threading.Thread(target=write, args=(path,)), threading.Thread(target=read, args=(path, got))]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert got == [b"%d" % i for i in range(n)], got
print("good")
PY
}

@test "a request that crashes three daemons gets EIO, and all others go on" {
	local reader load
	: >"$EXTRA/queues/$NAME.1"
	: >"$EXTRA/queues/$NAME.2"
	timeout 60 dd if="$EXTRA/queues/$NAME.2" bs=65536 count=1 of="$OUT.got" status=none 3>&- &
	reader=$!
	traffic 500 >"$OUT.load" 2>&1 3>&- &
	load=$!
	JOBS+=("$reader" "$load")
	wait_until test -e "$EXTRA/queues/$NAME" -o -e "$EXTRA/pipes/$NAME"
	for n in 1 2; do
		run -1 shell 'echo poison > $EXTRA/queues/$NAME.1'
		[[ $output == *"Input/output error"* ]]
		wait_until eval '[[ $(count "ended 3 daemons, and gets EIO") == '$n' ]]'
		wait_until eval '[[ $(count "the daemon was killed by SIGABRT (request .* in hand); the next one goes on") == '$((3 * n))' ]]'
	done
	# Nothing of it is left, and its queue still works.
	shell 'echo harmless > $EXTRA/queues/$NAME.1'
	[[ $(shell 'first $EXTRA/queues/$NAME.1') == harmless ]]
	shell 'echo hello > $EXTRA/queues/$NAME.2'
	wait "$reader"
	[[ $(cat "$OUT.got") == hello ]]
	wait "$load" || { cat "$OUT.load"; false; }
	[[ $(cat "$OUT.load") == good ]]
}

@test "a daemon that lacks memory when it begins is followed by one that does not" {
	shell 'echo hello > $EXTRA/queues/$NAME'
	touch "$D/lack"
	kill -KILL "$(serving)"
	wait_until contains "$OUT" "the daemon could not take the mount over; the next one tries again"
	shell 'first $EXTRA/queues/$NAME' >"$OUT.got" 3>&- &
	local reader=$!
	JOBS+=("$reader")
	rm "$D/lack"
	wait "$reader"
	[[ $(cat "$OUT.got") == hello ]]
}

@test "no object or open file is lost to a daemon that lacks memory while it adopts them" {
	local n one two three
	! ldd "$IPCFS" | grep -qE 'lib(asan|ubsan)' || skip "AddressSanitizer needs memory itself"
	for n in 1 2 3; do
		shell "echo hello > \$EXTRA/queues/\$NAME.$n"
	done
	: >"$EXTRA/events/$NAME"
	: >"$EXTRA/pipes/$NAME"
	exec {one}<"$EXTRA/queues/$NAME.1" {two}<>"$EXTRA/events/$NAME" {three}<>"$EXTRA/pipes/$NAME"
	echo waiting >&"$three"
	for n in {0..32}; do
		echo "$n" >"$D/scarce"
		kill -KILL "$(serving)"
		# What a request needs may be what is lacking.
		wait_until test -e "$EXTRA/queues/$NAME.1"
		[[ ! -e $D/scarce ]]
	done
	[[ $(count "could not take the mount over; the next one tries again") -ge 15 ]]
	run ! contains "$OUT" "lost when the daemon died"
	[[ $(timeout 10 head -n 1 <&"$three") == waiting ]]
	echo 5 >&"$two"
	[[ $(timeout 10 head -n 1 <&"$two") == 5 ]]
	[[ $(timeout 10 head -n 1 <&"$one") == hello ]]
	for n in 2 3; do
		[[ $(shell "first \$EXTRA/queues/\$NAME.$n") == hello ]]
	done
}

@test "a daemon that hangs when it begins is killed, and the next one serves" {
	shell 'echo hello > $EXTRA/queues/$NAME'
	touch "$D/hang"
	kill -KILL "$(serving)"
	[[ $(shell 'first $EXTRA/queues/$NAME') == hello ]]
	[[ ! -e $D/hang ]]
	wait_until contains "$OUT" "the daemon did not get to serve, and was killed; the next one tries again"
}

@test "unmounting while no daemon serves is a clean end" {
	touch "$D/lack"
	kill -KILL "$(serving)"
	wait_until contains "$OUT" "the daemon could not take the mount over; the next one tries again"
	umount -l "$EXTRA"
	rm "$D/lack"
	wait_until ended "$SUPERVISOR"
	wait "$SUPERVISOR"
	run ! contains "$OUT" "No such device"
}
