#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel features turned off: $LESS is a mount of the same objects as $IPC, without them.
# shellcheck shell=bats disable=SC2016,SC2153,SC2154

load helper

setup() {
	export IPCFS_TEST_OPTIONS= # each test itself turns features off
	ipcfs_setup
	LESS=$(new_directory)
	export LESS LP="$LESS/pipes/$NAME" LQ="$LESS/queues/$NAME" LS="$LESS/shm/$NAME"
	KEY=$(printf '0x%08x' $((0x50000000 | ($$ & 0x3fffff) << 4 | BATS_TEST_NUMBER)))
	export KEY
}

teardown() {
	[[ -n ${LESS:-} ]] || return 0 # skipped
	[[ -n ${DAEMON[$LESS]:-} ]] || rmdir "$LESS"
	ipcrm -Q "$KEY" -M "$KEY" -S "$KEY" 2>/dev/null || true
	ipcfs_teardown
}

# Mounts $LESS. The daemon's output goes to $OUT.log.
mount_less() { # OPTIONS
	mount_ipcfs "$LESS" -o "$1" 2>"$OUT.log"
}

# The names of all features, as the answer to a wrong one lists them.
all_features() {
	"$IPCFS" "$LESS" -o without=nothing 2>&1 3>&- | sed -n 's/.*no such feature (\(.*\))$/\1/p'
}

# A pipe, a queue, a System V queue and a segment carry a line each, and shm/ has a link.
everything_works() {
	run -0 shell 'echo pipe > $LP & cat $LP; wait
		echo queue > $LQ; first $LQ
		echo sysv > $LESS/sysv/queues/$KEY; first $LESS/sysv/queues/$KEY
		truncate -s 8 $LESS/sysv/shm/$KEY
		printf segment > $LESS/sysv/shm/$KEY; head -c7 $LESS/sysv/shm/$KEY; echo
		echo region > /dev/shm/$NAME; cat $LS
		readlink $LS; echo more >> $LS; tail -n1 /dev/shm/$NAME
		rm $LS; [[ ! -e /dev/shm/$NAME ]]'
	[[ $output == $'pipe\nqueue\nsysv\nsegment\nregion\n/dev/shm/'"$NAME"$'\nmore' ]]
}

@test "without=passthrough shows shm/ as symbolic links, and everything else works" {
	mount_less without=passthrough
	everything_works
	echo seen > "/dev/shm/$NAME"
	[[ -L $LS && ! -L $S && $(cat "$LS") == seen ]]
	# find(1) uses the type in the listing, and asks for nothing else.
	[[ $(find "$LESS/shm" -name "$NAME" -type l) == "$LS" ]]
	[[ $(find "$IPC/shm" -name "$NAME" -type f) == "$S" ]]
}

@test "without all features the mount works" {
	local all
	all=$(all_features)
	[[ $(wc -w <<<"$all") -gt 5 ]]
	mount_less "without=${all// /:}"
	everything_works
	grep -q "features available: none; missing: none; turned off: $all\$" "$OUT.log"
}

@test "a queue made through the mount is the machine's, with or without mqueue_mount" {
	mount_less without=mqueue_mount
	echo hello > "$LQ"
	[[ $(first "$Q") == hello ]]
	echo back > "$Q"
	[[ $(first "$LQ") == back ]]
}

@test "without=msg_copy hides the messages of a System V queue" {
	mount_less without=msg_copy
	echo hello > "$IPC/sysv/queues/$KEY"
	[[ $(cat "$IPC/info/sysv/queues/$KEY/peek") == hello ]]
	run ! shell 'cat $LESS/info/sysv/queues/$KEY/peek'
	[[ $output == *"No such file"* ]]
	run -0 shell 'grep -r . $LESS/info/sysv > /dev/null'
	[[ $(first "$LESS/sysv/queues/$KEY") == hello ]]
}

# Whether the file can be mapped. This is in Python, because a shell can't map.
maps() { # FILE
	python3 -c 'import mmap, os, sys
mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 8)' "$1"
}

@test "without=map_files lets a System V segment be read and written, but not mapped" {
	mount_less without=map_files
	truncate -s 8 "$IPC/sysv/shm/$KEY"
	maps "$IPC/sysv/shm/$KEY"
	printf segment > "$LESS/sysv/shm/$KEY"
	[[ $(head -c7 "$IPC/sysv/shm/$KEY") == segment ]]
	run ! maps "$LESS/sysv/shm/$KEY"
}

@test "one option or several can turn off several features, and the log says so" {
	mount_less without=resend:msg_copy,without=posix_acl
	run -0 grep -c "features available: " "$OUT.log"
	[[ $output == 1 ]]
	grep -q "; turned off: resend posix_acl msg_copy\$" "$OUT.log"
	grep "features available: " "$OUT.log" | grep -q passthrough
}

@test "an unknown name gives one clear line with all names, and mounts nothing" {
	local text
	for text in frobnicate passthrough:frobnicate '' passthrough:; do
		run -1 --separate-stderr timeout -k 1 20 "$IPCFS" "$LESS" -o "without=$text" 3>&-
		[[ -z $output && ${#stderr_lines[@]} == 1 ]]
		[[ $stderr == *"without=$text: no such feature (passthrough resend "* ]]
		run ! is_mounted "$LESS"
	done
}

@test "the manual names each feature" {
	local name
	for name in $(all_features); do
		grep -qF "_${name}_" "$HERE/../../docs/ipcfs.8.scd"
	done
}
