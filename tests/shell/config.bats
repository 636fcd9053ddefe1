#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration file: channels that exist as soon as the mount does, and what becomes of faults.
# $M is a mount of the test's own; it shares queues and regions with $IPC.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154

load helper

# configure ARGUMENT...: mounts $M with stdin as its configuration file.
configure() {
	export CONFIG="$BATS_TEST_TMPDIR/ipcfs.conf" LOG="$BATS_TEST_TMPDIR/log"
	cat >"$CONFIG"
	M=$(new_directory)
	export M
	mount_ipcfs "$M" -o "config=$CONFIG" "$@" 2>"$LOG"
}

# strict ARGUMENT...: tries to mount at $M with stdin as the file. $output is the program's output.
strict() {
	M=$(new_directory)
	cat >"$BATS_TEST_TMPDIR/strict.conf"
	run timeout -k 1 20 "$IPCFS" "$M" -o "config=$BATS_TEST_TMPDIR/strict.conf,config_strict" "$@"
}

hangup() {
	kill -HUP "${DAEMON[$M]}"
}

@test "three channels exist as soon as the mount does" {
	configure <<-END
		# channels of the test
		create pipes/$NAME capacity=64K mode=0660 group=12345 eof=never

		create queues/$NAME maxmsg=3 msgsize=1K mode=0604
		create shm/$NAME size=1M   # a frame
	END
	local type='regular file'
	! keeps_fifos || type=fifo
	run -0 shell 'stat -c "%F %a %g" $M/pipes/$NAME; grep ^capacity $M/info/pipes/$NAME/status
		$MQ attr $NAME; stat -c %a $M/queues/$NAME; stat -c "%s %a" /dev/shm/$NAME'
	[[ $output == "$type "$'660 12345\ncapacity 65536\n3 1024 0\n604\n1048576 644' ]]
	run -1 grep conf "$LOG"
}

@test "faults are reported with file and line, and the other lines take effect" {
	configure <<-END
		create pipes/$NAME
		crate pipes/x
		create pipes/x color=red
		# a comment
		create shm/$NAME size=lots
		create shm/$NAME size=4K
		set queues/$NAME mode=0600
		create pipes/$NAME.2 owner=nosuch
	END
	run -0 grep -oE "$CONFIG.*" "$LOG"
	[[ $output == "$CONFIG:2: crate: not one of create, set, remove, empty, reap
$CONFIG:3: color: no such key for pipes (mode, owner, group, capacity, eof, keep, served)
$CONFIG:5: size=lots: not a size (a number, optionally followed by K, M or G)
$CONFIG:7: set queues/$NAME: No such file or directory
$CONFIG:8: owner=nosuch: no such user" ]]
	[[ -e $M/pipes/$NAME && ! -e $M/pipes/x && ! -e $M/pipes/$NAME.2 && $(stat -c %s "/dev/shm/$NAME") == 4096 ]]
}

@test "where an object can't become what the file says, the log says how they differ" {
	local key why='already exists with served=daemon, not served=kernel'
	keeps_fifos || why='FIFOs cannot be kept on this mount'
	key=$(printf '0x1bcf%04x' $((BASHPID % 65536)))
	configure <<-END
		create queues/$NAME maxmsg=3 msgsize=1K
		create shm/$NAME size=8K
		create sysv/shm/$key size=8K
		create sysv/sems/$key count=2 value=1
		create sems/$NAME value=1
		create events/$NAME value=1 mode=semaphore
		create pipes/$NAME served=daemon
		create sockets/servers/$NAME listen=tcp:localhost:0 backlog=3
	END
	run -1 grep conf "$LOG"
	cat >"$CONFIG" <<-END
		create queues/$NAME maxmsg=4 msgsize=1024 mode=0600
		create shm/$NAME size=4K
		create sysv/shm/$key size=4K
		create sysv/sems/$key count=3 value=7
		create sems/$NAME value=7
		create events/$NAME value=7 mode=normal
		create pipes/$NAME served=kernel
		create sockets/servers/$NAME listen=tcp:localhost:0 backlog=4
		create sockets/servers/$NAME listen=abstract:$NAME
	END
	hangup
	wait_until contains "$LOG" "$CONFIG:9: "
	ipcrm -M "$key" -S "$key"
	run -0 grep -oE "$CONFIG.*" "$LOG"
	[[ $output == "$CONFIG:1: create queues/$NAME: already exists with maxmsg=3, not maxmsg=4
$CONFIG:2: create shm/$NAME: already exists with size=8192, not size=4K
$CONFIG:3: create sysv/shm/$key: already exists with size=8192, not size=4K
$CONFIG:4: create sysv/sems/$key: already exists with count=2, not count=3
$CONFIG:7: create pipes/$NAME: $why
$CONFIG:8: create sockets/servers/$NAME: already exists with backlog=3, not backlog=4
$CONFIG:9: create sockets/servers/$NAME: already exists with listen=tcp:localhost:"*", not listen=abstract:$NAME" ]]
	[[ $(stat -c %a "$M/queues/$NAME") == 600 ]]
}

@test "config_strict fails the mount where an object can't become what the file says" {
	truncate -s 8K "/dev/shm/$NAME"
	strict -f <<<"create shm/$NAME size=4K"
	[[ $status != 0 && $status != 124 ]]
	[[ $output == *"strict.conf:1: create shm/$NAME: already exists with size=8192, not size=4K"* ]]
	rmdir "$M"
}

@test "config_strict fails the mount, and says why" {
	strict -f <<<"crate pipes/$NAME"
	[[ $status != 0 && $status != 124 ]]
	[[ $output == *"strict.conf:1: crate: not one of create, set, remove, empty, reap"* ]]
	run -1 is_mounted "$M"
	rmdir "$M"
}

@test "config_strict also fails the mount of a program that goes into the background" {
	strict <<<"crate pipes/$NAME"
	[[ $status != 0 && $status != 124 && $output == *"strict.conf:1: crate: "* ]]
	run -1 is_mounted "$M"
	rmdir "$M"
}

@test "config_strict mounts with a file that has no fault" {
	configure -o config_strict <<<"create pipes/$NAME"
	[[ -e $M/pipes/$NAME ]]
}

@test "a missing file fails the mount" {
	M=$(new_directory)
	run timeout -k 1 20 "$IPCFS" "$M" -o "config=$BATS_TEST_TMPDIR/nosuch" -f
	[[ $status != 0 && $status != 124 && $output == *"nosuch: No such file or directory"* ]]
	rmdir "$M"
}

@test "a directory in place of the file is one fault" {
	M=$(new_directory)
	run timeout -k 1 20 "$IPCFS" "$M" -o "config=/etc,config_strict" -f
	[[ $status != 0 && $status != 124 && $output == *"/etc: Is a directory"* ]]
	rmdir "$M"
}

@test "a file that others own or may write to is refused when root mounts, and on SIGHUP" {
	configure <<<"create pipes/$NAME"
	echo "create pipes/$NAME.2" >"$CONFIG"
	chown "$OTHER" "$CONFIG"
	hangup
	wait_until contains "$LOG" "$CONFIG: refused: owned by user $OTHER; chown it to root"
	chown root "$CONFIG"
	chmod 664 "$CONFIG"
	hangup
	wait_until contains "$LOG" "$CONFIG: refused: writable by others (mode 0664); chmod go-w"
	[[ -e $M/pipes/$NAME && ! -e $M/pipes/$NAME.2 ]]
	chmod 644 "$CONFIG"
	hangup
	wait_until test -e "$M/pipes/$NAME.2"
}

@test "config_strict fails the mount if others may write to the file that a link leads to" {
	M=$(new_directory)
	echo "create pipes/$NAME" >"$BATS_TEST_TMPDIR/theirs"
	ln -s theirs "$BATS_TEST_TMPDIR/link"
	chown -h "$OTHER" "$BATS_TEST_TMPDIR/link"
	for mode in 646 664; do
		chmod $mode "$BATS_TEST_TMPDIR/theirs"
		run timeout -k 1 20 "$IPCFS" "$M" -o "config=$BATS_TEST_TMPDIR/link,config_strict" -f
		[[ $status != 0 && $status != 124 && $output == *"/theirs: refused: writable by others"* ]]
	done
	chmod 644 "$BATS_TEST_TMPDIR/theirs"
	mount_ipcfs "$M" -o "config=$BATS_TEST_TMPDIR/link,config_strict"
	[[ -e $M/pipes/$NAME ]]
}

@test "a FIFO or a device in place of the file is refused at once; /dev/null is an empty file" {
	M=$(new_directory)
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	for file in "$BATS_TEST_TMPDIR/fifo" /dev/zero; do
		run timeout -k 1 20 "$IPCFS" "$M" -o "config=$file,config_strict" -f
		[[ $status != 0 && $status != 124 && $output == *"$file: refused: not a regular file"* ]]
	done
	mount_ipcfs "$M" -o config=/dev/null,config_strict
}

@test "a file that the mount would hide is refused, because SIGHUP could not read it again" {
	M=$(new_directory)
	echo "create pipes/$NAME" >"$M/ipcfs.conf"
	run -1 --separate-stderr timeout -k 1 20 "$IPCFS" "$M" -o "config=$M/ipcfs.conf" 3>&-
	[[ ${#stderr_lines[@]} == 1 && $stderr == "ipcfs: $M/ipcfs.conf: the mount would hide this file; move it elsewhere" ]]
	run ! is_mounted "$M"
	rm -r "$M"
}

@test "the file is found relative to where the program was started" {
	echo "create pipes/$NAME" >"$BATS_TEST_TMPDIR/here.conf"
	M=$(new_directory)
	cd "$BATS_TEST_TMPDIR"
	start_ipcfs "$M" -o config=here.conf
	[[ -e $M/pipes/$NAME ]]
	echo "create pipes/$NAME.2" >here.conf
	hangup
	wait_until test -e "$M/pipes/$NAME.2"
}

@test "existing objects keep their data, and are adjusted" {
	shell '$MQ create $NAME 5 100; $MQ send $NAME hello; printf data > /dev/shm/$NAME; chmod 600 /dev/shm/$NAME'
	configure <<-END
		create queues/$NAME maxmsg=3 msgsize=1K mode=0622 owner=1234
		create shm/$NAME size=1 mode=0640 group=2345
	END
	run -0 shell '$MQ attr $NAME; stat -c "%a %u %g" $M/queues/$NAME /dev/shm/$NAME; cat /dev/shm/$NAME; $MQ receive $NAME'
	[[ $output == $'5 100 1\n622 1234 0\n640 0 2345\ndata0 hello' ]]
	run -0 grep -oE "$CONFIG.*" "$LOG"
	[[ $output == "$CONFIG:1: create queues/$NAME: already exists with maxmsg=5 msgsize=100, not maxmsg=3 msgsize=1K
$CONFIG:2: create shm/$NAME: already exists with size=4, not size=1" ]]
}

@test "an existing region is neither cut nor extended" {
	shell 'truncate -s 8K /dev/shm/$NAME; truncate -s 8K /dev/shm/$NAME.2'
	configure <<-END
		create shm/$NAME size=4K
		create shm/$NAME.2 size=16K
	END
	run -0 stat -c %s "/dev/shm/$NAME" "/dev/shm/$NAME.2"
	[[ $output == $'8192\n8192' ]]
}

@test "set cuts a region down to its size" {
	shell 'truncate -s 64M /dev/shm/$NAME'
	configure <<<"set shm/$NAME size=4K"
	run -0 stat -c %s "/dev/shm/$NAME"
	[[ $output == 4096 ]]
	truncate -s 64M "/dev/shm/$NAME"
	hangup
	size_is_4k() { [[ $(stat -c %s "/dev/shm/$NAME") == 4096 ]]; }
	wait_until size_is_4k
	run -1 grep "$CONFIG:" "$LOG"
}

@test "SIGHUP reads the file again, and removes nothing" {
	configure <<-END
		create pipes/$NAME capacity=64K mode=0600
		create shm/$NAME size=8K
	END
	shell 'echo hello > $M/pipes/$NAME; echo full > $M/shm/$NAME'
	cat >"$CONFIG" <<-END
		create pipes/$NAME capacity=128K mode=0640 eof=never
		create shm/$NAME size=4K mode=0600
		bad
		create pipes/$NAME.last
	END
	hangup
	wait_until test -e "$M/pipes/$NAME.last"
	run -0 shell 'stat -c %a $M/pipes/$NAME /dev/shm/$NAME; grep -E "^(capacity|eof|bytes) " $M/info/pipes/$NAME/status
		timeout 5 head -n1 $M/pipes/$NAME 2> /dev/null; head -n1 /dev/shm/$NAME; ls $M/pipes'
	[[ $output == $'640\n600\nbytes 6\ncapacity 131072\neof never\nhello\nfull\n'"$NAME"$'\n'"$NAME.last" ]]
	wait_until contains "$LOG" "$CONFIG:3: bad: not one of create, set, remove, empty, reap"
}

@test "more SIGHUPs change nothing, and a file that has gone is a fault" {
	configure <<<"create pipes/$NAME mode=0604"
	hangup
	hangup
	mv "$CONFIG" "$CONFIG.away"
	hangup
	wait_until contains "$LOG" "$CONFIG: No such file or directory"
	run -0 shell 'ls $M/pipes; stat -c %a $M/pipes/$NAME'
	[[ $output == "$NAME"$'\n604' ]]
}

@test "new objects belong to root, with the usual mode, whatever the umask at the start" {
	umask 077
	configure <<<"create pipes/$NAME"
	run -0 stat -c "%u %g %a" "$M/pipes/$NAME"
	[[ $output == "0 0 644" ]]
}

@test "config= replaces the system's files; without it they are read" {
	M=$(new_directory)
	export M
	# In a mount namespace with its own /etc.
	run -0 timeout -k 1 20 unshare -m --propagation private bash -c 'set -e; trap "umount -l \$M 2> /dev/null || true" EXIT
		cp -a /etc/passwd /etc/group $BATS_TEST_TMPDIR/
		mount -t tmpfs none /etc; cp -a $BATS_TEST_TMPDIR/passwd $BATS_TEST_TMPDIR/group /etc
		mkdir /etc/ipcfs.d
		echo "create pipes/a mode=0600" > /etc/ipcfs.conf
		echo "set pipes/a mode=0611" > /etc/ipcfs.d/10-first.conf
		echo "set pipes/a mode=0622" > /etc/ipcfs.d/20-second.conf
		echo "create pipes/b" > /etc/ipcfs.d/30.conf.bak
		"$IPCFS" "$M" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"}; stat -c "%n %a" "$M"/pipes/*; umount "$M"
		echo "create pipes/c" > $BATS_TEST_TMPDIR/mine
		"$IPCFS" "$M" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} -o config=$BATS_TEST_TMPDIR/mine; ls "$M/pipes"; umount "$M"'
	[[ $output == "$M/pipes/a 622"$'\nc' ]]
	rmdir "$M"
}

@test "/etc/ipcfs.d: files that others own or may write to are skipped, or the whole directory" {
	M=$(new_directory)
	export M
	run -0 timeout -k 1 20 unshare -m --propagation private bash -c 'set -e; trap "umount -l \$M 2> /dev/null || true" EXIT
		cp -a /etc/passwd /etc/group $BATS_TEST_TMPDIR/
		mount -t tmpfs -o mode=755 none /etc; cp -a $BATS_TEST_TMPDIR/passwd $BATS_TEST_TMPDIR/group /etc
		mkdir /etc/ipcfs.d
		for name in a b c; do echo "create pipes/$name" > /etc/ipcfs.d/$name.conf; done
		chown $OTHER /etc/ipcfs.d/a.conf; chmod g+w /etc/ipcfs.d/b.conf
		echo "create pipes/file" > /etc/ipcfs.conf
		served() { "$IPCFS" "$M" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} 2>&1 | grep -o "/etc/.*" || :; ls "$M/pipes"; umount "$M"; }
		served; echo; chown $OTHER /etc/ipcfs.d; served'
	[[ $output == "/etc/ipcfs.d/a.conf: refused: owned by user $OTHER; chown it to root
/etc/ipcfs.d/b.conf: refused: writable by others (mode 0664); chmod go-w
c
file

/etc/ipcfs.d: refused: owned by user $OTHER; chown it to root
file" ]]
	rmdir "$M"
}

@test "a longer file is read whole, and each fault has its line" {
	configure < <(for i in {1..2000}; do echo "create pipes/$NAME.$i"; done; printf 'x%.0s' {1..5000}; echo; echo "create pipes/$NAME.last")
	run -0 shell 'ls $M/pipes | wc -l'
	[[ $output == 2001 ]]
	run -0 grep -oE ":[0-9]+: .*" "$LOG"
	[[ $output == ":2001: longer than 4095 bytes" ]]
}
