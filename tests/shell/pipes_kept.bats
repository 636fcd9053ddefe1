#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Kept FIFOs: what makes one, what waits, what a user sets and sees, and what others may do.
# shellcheck shell=bats disable=SC2016

load helper

setup() {
	needs open_tree
	ipcfs_setup
	N_IDLE=$(n_descriptors)
}

# The process waits in open(2), until a writer comes.
waits_in_open() { # PID
	[[ $(state_of "$1") == S && $(cat "/proc/$1/wchan") == wait_for_partner ]]
}

# The process sleeps in the kernel alone, with a file of the mount open: nobody asks the daemon.
sleeps() { # PID
	[[ $(state_of "$1") == S ]] && has_open_below "$1" "$IPC"
}

holds() { # ENDS
	contains "$IPC/info/pipes/$NAME/status" "held $1"
}

n_descriptors() {
	local descriptors

	stat -f "$IPC" >/dev/null # everything asked before is done
	descriptors=("/proc/${DAEMON[$IPC]}/fd"/*)
	echo "${#descriptors[@]}"
}

has_at_most() { # N
	(($(n_descriptors) <= $1))
}

# mount_another OPTIONS: from now on $IPC is a mount with these.
mount_another() {
	IPC=$(new_directory)
	P="$IPC/pipes/$NAME"
	mount_ipcfs "$IPC" -o "$1"
}

# --- what makes one -------------------------------------------------------------------------------

# expect_made 'WHAT A USER TYPES': it makes a FIFO that holds the line "hello".
expect_made() {
	WITHIN=5 run -0 shell "$1"
	WITHIN=5 run -0 shell '[ -p $P ] && cat $P'
	[[ $output == hello ]]
}

@test "touch makes a FIFO" {
	WITHIN=5 run -0 shell 'touch $P; [ -p $P ]; echo hello > $P; cat $P'
	[[ $output == hello ]]
}

@test "echo makes a FIFO with > and with >>" {
	expect_made 'echo hello > $P'
	rm "$P"
	expect_made 'echo hello >> $P'
}

@test "tee and dd make a FIFO" {
	expect_made 'echo hello | tee $P'
	rm "$P"
	expect_made 'echo hello | dd of=$P status=none'
}

@test "cp and install make a FIFO, although they ask for a new file" {
	expect_made 'echo hello > "$OUT"; cp "$OUT" $P'
	rm "$P"
	expect_made 'install -m 640 "$OUT" $P; [[ $(stat -c %a $P) == 640 ]]'
}

@test "echo makes a FIFO with noclobber" {
	expect_made 'set -C; echo hello > $P'
}

@test "python3 and perl make a FIFO" {
	expect_made 'python3 -c "open(\"$P\", \"w\").write(\"hello\n\")"'
	rm "$P"
	expect_made 'perl -e "open F, q(>), \$ENV{P} or die; print F qq(hello\n)"'
}

@test "ctl makes a FIFO" {
	expect_made 'echo "create pipes/$NAME mode=600" > $IPC/ctl; echo hello > $P; [[ $(stat -c %a $P) == 600 ]]'
}

@test "the configuration makes a FIFO" {
	echo "create pipes/$NAME capacity=64K" >"$BATS_TEST_TMPDIR/conf"
	mount_another config="$BATS_TEST_TMPDIR/conf"
	expect_made 'echo hello > $P'
}

@test "cp of a file larger than the pipe waits for its reader and comes through whole" {
	head -c 5000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	background cp "$BATS_TEST_TMPDIR/in" "$P"
	wait_until test -e "$P"
	run -0 shell 'cat $P > "$OUT"'
	wait "$JOB"
	cmp "$BATS_TEST_TMPDIR/in" "$OUT"
}

@test "cp, install and mv of a file with holes bring the zeroes too" {
	local in=$BATS_TEST_TMPDIR/in

	for how in cp "cp --sparse=always" install mv; do
		rm -f "$P"
		{ truncate -s 70K "$in"; echo data >>"$in"; truncate -s 90K "$in"; cp "$in" "$in.same"; }
		shell "$how $in \$P"
		run -0 shell 'timeout 10 cat $P > "$OUT"'
		cmp "$in.same" "$OUT"
	done
}

@test "the mount's README can be copied" {
	shell 'cp $IPC/README "$OUT"'
	cmp "$IPC/README" "$OUT"
}

@test "tail -f follows several FIFOs" {
	shell 'touch $P $P.2; echo one > $P; echo two > $P.2'
	background tail -q -f "$P" "$P.2" >"$OUT"
	wait_until contains "$OUT" one
	wait_until contains "$OUT" two
	shell 'echo three > $P'
	wait_until contains "$OUT" three
	shell 'echo four > $P.2'
	wait_until contains "$OUT" four
}

@test "keeping a FIFO with eof=never does not end a reader that waits in open" {
	mkfifo "$P"
	background cat "$P" >"$OUT"
	wait_until waits_in_open "$JOB"
	shell 'echo "set pipes/$NAME keep=yes eof=never" > $IPC/ctl; echo hello > $P'
	wait_until contains "$OUT" hello
	wait_until sleeps_with "$JOB" "$P"
}

@test "many processes make the same FIFO at the same time, and nobody's line is lost" {
	run -0 shell 'for n in 1 2 3 4 5 6 7 8; do (echo "line $n" >> $P) & done; wait; cat $P | sort -u | wc -l'
	[[ $output == 8 ]]
}

@test "ls, stat and find show a FIFO" {
	run -0 shell 'umask 022; echo hello > $P; ls -F $IPC/pipes; stat -c "%A %s %F" $P; find $IPC/pipes -type p'
	[[ $output == "$NAME|"$'\nprw-r--r-- 0 fifo\n'"$P" ]]
}

# --- what waits -----------------------------------------------------------------------------------

@test "a writer does not wait for a reader, and what it wrote stays" {
	seq 100000 >"$BATS_TEST_TMPDIR/log" # half a megabyte
	WITHIN=5 run -0 shell 'cat "$BATS_TEST_TMPDIR/log" > $P'
	WITHIN=5 run -0 shell 'cat $P | cmp - "$BATS_TEST_TMPDIR/log"'
}

@test "a reader that stops early does not end the writer" {
	touch "$P"
	exec 7>"$P"
	WITHIN=5 run -0 shell 'for ((n = 0; n < 20; n++)); do seq 100 >&7; head -n1 $P; done'
	exec 7>&-
}

@test "a reader of an empty FIFO waits in open until somebody writes" {
	touch "$P"
	background cat "$P" >"$OUT"
	wait_until waits_in_open "$JOB"
	shell 'echo hello > $P'
	wait "$JOB"
	[[ $(cat "$OUT") == hello ]]
}

@test "a reader goes on waiting after the daemon has let the FIFO go" {
	touch "$P"
	background cat "$P" >"$OUT"
	wait_until waits_in_open "$JOB"
	WITHIN=12 wait_until holds no
	waits_in_open "$JOB"
	shell 'echo hello > $P'
	wait "$JOB"
	[[ $(cat "$OUT") == hello ]]
}

@test "Ctrl-C and timeout end a reader that waits in open" {
	touch "$P"
	background cat "$P"
	wait_until waits_in_open "$JOB"
	kill -INT "$JOB"
	WITHIN=2 wait_until ended "$JOB"
	run -124 timeout -k 5 0.3 cat "$P"
}

@test "a full pipe's writer waits, and Ctrl-C ends it" {
	touch "$P"
	run -0 fill_pipe
	[[ $output == 1048576 ]]
	background dd if=/dev/zero of="$P" bs=100000 count=1 status=none
	wait_until sleeps "$JOB"
	kill -INT "$JOB"
	WITHIN=2 wait_until ended "$JOB"
	run -0 shell 'cat $P | wc -c'
	[[ $output == 1048576 ]]
}

@test "eof=never: a reader neither waits in open nor comes to an end" {
	shell 'echo "create pipes/$NAME eof=never" > $IPC/ctl'
	background cat "$P" >"$OUT"
	wait_until sleeps "$JOB"
	shell 'echo one > $P; echo two > $P'
	wait_until contains "$OUT" two
	sleeps "$JOB"
	shell 'echo "set pipes/$NAME eof=auto" > $IPC/ctl'
	wait "$JOB"
	[[ $(cat "$OUT") == $'one\ntwo' ]]
}

# --- what is set and shown ------------------------------------------------------------------------

@test "status says what is in it, and who has it open" {
	run -0 shell 'echo hello > $P; exec 7>$P 8<$P; cat $IPC/info/pipes/$NAME/status'
	local line
	for line in "kind pipes" "bytes 6" "capacity 1048576" "readers 1" "writers 1" "eof auto" "keep yes" "served kernel"; do
		grep -qx "$line" <<<"$output"
	done
}

@test "status says which ends the daemon holds" {
	touch "$P"
	holds read
	shell 'echo hello > $P'
	wait_until holds both
	shell 'cat $P'
	wait_until holds read
	WITHIN=12 wait_until holds no
}

@test "peek shows what waits and takes nothing" {
	run -0 shell 'seq 5 > $P; cat $IPC/info/pipes/$NAME/peek $IPC/info/pipes/$NAME/peek; cat $P'
	[[ $output == $'1\n2\n3\n4\n5\n1\n2\n3\n4\n5\n1\n2\n3\n4\n5' ]]
}

@test "empty in ctl empties it, truncate is refused" {
	run -1 shell 'echo gone > $P; truncate -s 0 $P'
	[[ $output == *"Invalid argument"* ]]
	run -0 shell ': > $P; echo "empty pipes/$NAME" > $IPC/ctl; echo new > $P; cat $P'
	[[ $output == new ]]
}

@test "empty makes room for a writer that waits" {
	touch "$P"
	fill_pipe
	background dd if=/dev/zero of="$P" bs=100000 count=1 status=none
	wait_until sleeps "$JOB"
	shell 'echo "empty pipes/$NAME" > $IPC/ctl'
	wait "$JOB"
}

@test "capacity can be set when a FIFO is made, and later" {
	shell 'echo "create pipes/$NAME capacity=64K" > $IPC/ctl'
	run -0 fill_pipe
	[[ $output == 65536 ]]
	run -0 shell 'cat $P | wc -c; echo "set pipes/$NAME capacity=128K" > $IPC/ctl'
	[[ $output == 65536 ]]
	run -0 fill_pipe
	[[ $output == 131072 ]]
}

@test "a capacity smaller than what waits is refused and loses nothing" {
	shell 'head -c 500000 /dev/zero > $P'
	run -1 shell 'echo "set pipes/$NAME capacity=64K" > $IPC/ctl'
	run -0 shell 'cat $P | wc -c'
	[[ $output == 500000 ]]
}

@test "mkfifo makes a plain FIFO, until it is kept" {
	run -1 shell 'mkfifo $P; dd if=/dev/null of=$P oflag=nonblock'
	[[ $output == *"No such device or address"* ]]
	WITHIN=5 run -0 shell 'echo "set pipes/$NAME keep=yes" > $IPC/ctl; echo hello > $P; cat $P'
	[[ $output == hello ]]
	run -1 shell 'echo "set pipes/$NAME keep=no" > $IPC/ctl; dd if=/dev/null of=$P oflag=nonblock'
	[[ $output == *"No such device or address"* ]]
}

@test "served=daemon makes a regular file, which cannot be changed later" {
	run -0 shell 'echo "create pipes/$NAME served=daemon" > $IPC/ctl; stat -c %F $P; echo hello > $P; cat $P
		! echo "set pipes/$NAME served=kernel" > $IPC/ctl; truncate -s 0 $P'
	[[ $output == *"regular"*$'\nhello'* ]]
}

@test "-o pipe_capacity, pipe_eof and pipe_served set what pipes have from the start" {
	mount_another pipe_capacity=128K,pipe_eof=never
	run -0 shell 'touch $P; grep -xE "(capacity|eof) .*" $IPC/info/pipes/$NAME/status'
	[[ $output == $'capacity 131072\neof never' || $output == $'eof never\ncapacity 131072' ]]
	run -0 fill_pipe
	[[ $output == 131072 ]]
	mount_another pipe_served=daemon
	run -0 shell 'touch $P; [ -f $P ]; grep -x "served daemon" $IPC/info/pipes/$NAME/status'
	run -0 shell 'echo "create pipes/$NAME.2 served=kernel" > $IPC/ctl; [ -p $P.2 ]'
}

@test "impossible values of pipe options are refused" {
	local option dir
	dir=$(new_directory)
	for option in pipe_capacity=0 pipe_capacity=x pipe_eof=maybe pipe_served=nobody; do
		run ! timeout 10 "$IPCFS" "$dir" -o "$option"
		[[ $output == *"$option"* ]]
	done
	rmdir "$dir"
}

# --- others ---------------------------------------------------------------------------------------

@test "a stranger's ls -l leaves nothing held" {
	shell 'for n in $(seq 100); do echo hello > $P.$n; cat $P.$n > "$OUT"; done'
	WITHIN=12 wait_until has_at_most "$N_IDLE"
	as_user "$OTHER" ls -l "$IPC/pipes" | grep -c "^p" >"$OUT"
	[[ $(cat "$OUT") == 100 ]]
	WITHIN=12 wait_until has_at_most "$N_IDLE"
}

@test "mode and owner decide who may open a FIFO" {
	run -0 shell 'echo hello > $P; chmod 600 $P'
	run -1 as_user "$OTHER" cat "$P"
	[[ $output == *"Permission denied"* ]]
	run -1 as_user "$OTHER" tee "$P" </dev/null
	[[ $output == *"Permission denied"* ]]
	run -0 as_user "$OTHER" ls -l "$P"
	chmod 604 "$P"
	run -0 as_user "$OTHER" cat "$P"
	[[ $output == hello ]]
	chown "$OTHER" "$P"
	run -0 as_user "$OTHER" bash -c 'chmod 600 "$P"; echo mine > "$P"; cat "$P"; rm "$P"'
	[[ $output == mine ]]
}

@test "a user may neither set nor empty another user's FIFO" {
	shell 'echo kept > $P; chmod 644 $P'
	run -1 as_user "$OTHER" bash -c 'echo "empty pipes/$NAME" > $IPC/ctl'
	run -1 as_user "$OTHER" bash -c 'echo "set pipes/$NAME keep=no" > $IPC/ctl'
	run -1 as_user "$OTHER" bash -c 'rm -f $P'
	run -0 shell 'cat $P'
	[[ $output == kept ]]
}
