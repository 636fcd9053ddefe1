#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# ctl: one command a line, as a user types it; what its errors say, and what each user may do.
# shellcheck shell=bats disable=SC2016

load helper
load refusals

teardown() {
	local bad=0
	ipcfs_teardown || bad=1
	[[ -z ${KEY:-} ]] || ipcrm -S "$KEY" 2>/dev/null || true # its writer was killed
	return "$bad"
}

other() { # WHAT ANOTHER USER TYPES
	as_user "$OTHER" bash -c "$1"
}

# --- what it does ---------------------------------------------------------------------------------

@test "create makes a pipe, a queue and a region" {
	run -0 shell 'echo "create pipes/$NAME" > $IPC/ctl
		echo "create queues/$NAME" > $IPC/ctl
		echo "create shm/$NAME" > $IPC/ctl
		stat -c "%F %a" $P $Q $S; $MQ attr $NAME; stat -c "%a %s" /dev/shm/$NAME'
	[[ $output == *$'\n'"$(cat /proc/sys/fs/mqueue/msg_default) $(cat /proc/sys/fs/mqueue/msgsize_default) 0"$'\n'"644 0" ]]
}

@test "create takes every key of every kind" {
	run -0 shell 'cat > $IPC/ctl <<-END
			# comments and empty lines are left out

			create pipes/$NAME capacity=64K eof=never mode=0620 owner=1234 group=2345
			create queues/$NAME maxmsg=3 msgsize=1K mode=0604 owner=1234 group=2345 # so is this
			create shm/$NAME size=3M mode=0640 owner=1234 group=2345
		END
		stat -c "%a %u %g" $P $NATIVE_MQ/$NAME /dev/shm/$NAME
		$MQ attr $NAME; stat -c %s /dev/shm/$NAME; grep -E "^(capacity|eof)" $IPC/info/pipes/$NAME/status'
	[[ $output == $'620 1234 2345\n604 1234 2345\n640 1234 2345\n3 1024 0\n3145728\ncapacity 65536\neof never' ]]
}

@test "owner and group can be given by name" {
	run -0 shell 'echo "create pipes/$NAME owner=nobody group=nogroup" > $IPC/ctl; stat -c "%U %G" $P
		echo "create queues/$NAME owner=daemon" > $IPC/ctl; stat -c "%U %G" $Q
		echo "set queues/$NAME owner=root group=tty" > $IPC/ctl; stat -c "%U %G" $Q'
	[[ $output == $'nobody nogroup\ndaemon root\nroot tty' ]]
}

@test "sizes take K, M and G" {
	run -0 shell 'for size in 0 4096 4K 1M 1G 0x1000; do
			echo "create shm/$NAME size=$size" > $IPC/ctl; stat -c %s $S/ /dev/shm/$NAME 2>/dev/null; rm $S
		done'
	[[ $output == $'0\n4096\n4096\n1048576\n1073741824\n4096' ]]
}

@test "set changes what it names, in the kernel's object" {
	run -0 shell 'touch $P $Q $S
		echo "set pipes/$NAME capacity=128K eof=never mode=0600" > $IPC/ctl
		echo "set queues/$NAME mode=0622 owner=7" > $IPC/ctl
		echo "set shm/$NAME size=8K mode=0400 group=9" > $IPC/ctl
		stat -c "%a %u %g" $P $NATIVE_MQ/$NAME /dev/shm/$NAME; stat -c %s /dev/shm/$NAME
		grep -E "^(capacity|eof)" $IPC/info/pipes/$NAME/status'
	[[ $output == $'600 0 0\n622 7 0\n400 0 9\n8192\ncapacity 131072\neof never' ]]
}

@test "eof=never keeps a reader of a FIFO waiting when the last writer goes, eof=auto ends it" {
	keeps_fifos || skip "pipes are served"
	shell 'echo "create pipes/$NAME eof=never" > $IPC/ctl'
	background cat "$P" >"$OUT"
	wait_until sleeps_with "$JOB" "$P"
	shell 'echo hello > $P'
	wait_until contains "$OUT" hello
	wait_until sleeps_with "$JOB" "$P"
	shell 'echo bye > $P'
	wait_until contains "$OUT" bye
	wait_until sleeps_with "$JOB" "$P"
	shell 'echo "set pipes/$NAME eof=auto" > $IPC/ctl'
	wait_until ended "$JOB"
	[[ $(cat "$OUT") == $'hello\nbye' ]]
}

@test "a pipe takes as many bytes as its capacity" {
	run -0 shell 'echo "create pipes/$NAME capacity=64K" > $IPC/ctl
		dd if=/dev/zero of=$P bs=4k oflag=nonblock 2>&1 | awk "/ copied/ { print \$1 }"
		echo "set pipes/$NAME capacity=128K" > $IPC/ctl
		dd if=/dev/zero of=$P bs=4k oflag=nonblock 2>&1 | awk "/ copied/ { print \$1 }"'
	[[ $output == $'65536\n65536' ]]
}

@test "remove removes the object itself" {
	run -0 shell 'touch $P $Q $S
		printf "remove %s/$NAME\n" pipes queues shm > $IPC/ctl
		ls -d $P $Q $S $NATIVE_MQ/$NAME /dev/shm/$NAME 2>/dev/null || echo gone'
	[[ $output == gone ]]
}

@test "a new object has its maker's umask, and mode= overrides it" {
	run -0 other 'umask 077; echo "create pipes/$NAME" > $IPC/ctl; echo "create queues/$NAME" > $IPC/ctl
		echo "create shm/$NAME" > $IPC/ctl; echo "create pipes/$NAME.2 mode=0666" > $IPC/ctl
		stat -c "%a %u %g" $P $NATIVE_MQ/$NAME /dev/shm/$NAME $P.2'
	[[ $output == $'600 65534 65534\n600 65534 65534\n600 65534 65534\n666 65534 65534' ]]
}

@test "the umask is the opener's, as it was when ctl was opened" {
	run -0 shell 'umask 027; exec 7> $IPC/ctl; (umask 0; echo "create pipes/$NAME" >&7); stat -c %a $P'
	[[ $output == 640 ]]
}

@test "a last line needs no newline" {
	run -0 shell 'printf "create pipes/$NAME\ncreate shm/$NAME" > $IPC/ctl; ls $P $S'
}

@test "appending, and opening for both reading and writing, work the same" {
	run -0 shell 'echo "create pipes/$NAME" >> $IPC/ctl; exec 7<> $IPC/ctl; echo "create shm/$NAME" >&7; ls $P $S'
}

# --- reading it -----------------------------------------------------------------------------------

@test "reading ctl shows the grammar, with all kinds and keys" {
	run -0 shell 'cat $IPC/ctl'
	[[ $output == *"create KIND/NAME"*"remove KIND/NAME"*"owner=USER"* ]]
	[[ $output == *"pipes "*"capacity=SIZE eof=auto|never"* && $output == *"queues "*"maxmsg=N msgsize=SIZE"* ]]
	[[ $output == *"shm "*"size=SIZE"* && $output != *"last error"* ]]
}

@test "what ctl shows can be written to it" {
	run -0 shell 'cat $IPC/ctl > $OUT; cat $OUT > $IPC/ctl'
}

@test "reading ctl byte by byte gives the same" {
	run -0 shell 'cat $IPC/ctl > $OUT; timeout 10 dd if=$IPC/ctl bs=1 status=none | cmp - $OUT; timeout 5 grep -c . $IPC/ctl'
}

# --- what is wrong --------------------------------------------------------------------------------

@test "each error names the word that is wrong and says why" {
	shell 'touch $P'
	refused "crate pipes/x" "crate: not one of create, set, remove, empty, reap"
	refused "create" "create: KIND/NAME is missing"
	refused "create pipe/x" "pipe/x: no such kind"
	refused "create pipes/../x" "pipes/../x: not a valid name"
	refused "create pipes/x color=red" "color: no such key for pipes (mode, owner, group, capacity, eof, keep, served)"
	refused "create pipes/x capacity" "capacity: not of the form KEY=VALUE"
	refused "create pipes/x capacity=1X" "capacity=1X: not a size (a number, optionally followed by K, M or G)"
	refused "create pipes/x capacity=1" "capacity=1: out of range (4096 to 2147483647)"
	refused "create pipes/x eof=often" "eof=often: not one of auto, never"
	refused "create queues/x maxmsg=many" "maxmsg=many: not a number"
	refused "create pipes/x mode=999" "mode=999: not an octal mode (0 to 777)"
	refused "create pipes/x owner=nosuch" "owner=nosuch: no such user"
	refused "create pipes/x group=nosuch" "group=nosuch: no such group"
	refused "create pipes/$NAME" "create pipes/$NAME: already exists"
	refused "set pipes/nosuch-$NAME mode=0600" "set pipes/nosuch-$NAME: No such file or directory"
	refused "set pipes/$NAME" "set: KEY=VALUE is missing"
	refused "set queues/x msgsize=1" "msgsize: can only be set by create"
	refused "remove pipes/$NAME mode=0600" "mode: remove takes no keys"
	[[ ! -e $IPC/pipes/x && ! -e $IPC/queues/x ]]
}

@test "a malformed line fails with EINVAL, others with the call's own error" {
	run -1 shell 'echo bad > $IPC/ctl'
	[[ $output == *"Invalid argument"* ]]
	run -1 shell 'touch $P; echo "create pipes/$NAME" > $IPC/ctl'
	[[ $output == *"File exists"* ]]
	run -1 shell 'echo "remove pipes/$NAME.2" > $IPC/ctl'
	[[ $output == *"No such file or directory"* ]]
}

@test "the next command that works clears the error" {
	refused bad "bad: not one of create, set, remove, empty, reap"
	shell 'echo "create pipes/$NAME" > $IPC/ctl'
	run -1 grep "last error" "$IPC/ctl"
}

@test "another user does not see the error" {
	refused "secret pipes/x" "secret: not one of create, set, remove, empty, reap"
	run -1 other 'grep -E "secret|last error" $IPC/ctl'
	run -1 other 'echo mine > $IPC/ctl'
	run -0 other 'tail -n1 $IPC/ctl'
	[[ $output == "line 1: mine: not one of create, set, remove, empty, reap" ]]
	run -0 last_error
	[[ $output == "line 1: secret: not one of create, set, remove, empty, reap" ]]
}

write_once() { # TEXT: makes one write(2), prints its result
	python3 -c 'import os, sys
fd = os.open(os.environ["IPC"] + "/ctl", os.O_WRONLY)
try:
    print(os.write(fd, os.fsencode(sys.argv[1])))
except OSError as e:
    print(e.strerror)' "$1"
}
export -f write_once

@test "a write of several lines stops at the first that fails, and says how much was done" {
	run -0 write_once "create pipes/$NAME
create shm/$NAME
bad
create pipes/$NAME.2
"
	first=$'create pipes/'"$NAME"$'\ncreate shm/'"$NAME"$'\n'
	[[ $output == "${#first}" && -e $P && -e $S && ! -e $P.2 ]]
	run -0 last_error
	[[ $output == "line 3: bad: not one of create, set, remove, empty, reap" ]]
	run -0 write_once $'bad\ncreate pipes/'"$NAME.2"
	[[ $output == "Invalid argument" && ! -e $P.2 ]]
}

@test "the same for another user, whose queues are made by another process" {
	export -f write_once
	run -0 other "write_once 'create queues/$NAME
create pipes/$NAME
create queues/$NAME.2
bad
create pipes/$NAME.2'"
	first=$'create queues/'"$NAME"$'\ncreate pipes/'"$NAME"$'\ncreate queues/'"$NAME.2"$'\n'
	[[ $output == "${#first}" && -e $P && -e $Q && -e $Q.2 && ! -e $P.2 ]]
	run -0 other 'tail -n1 $IPC/ctl'
	[[ $output == "line 4: bad: not one of create, set, remove, empty, reap" ]]
}

@test "several lines of another user are done, pipes and queues mixed" {
	run -0 other 'printf "create %s\n" pipes/$NAME queues/$NAME pipes/$NAME.2 queues/$NAME.2 > $IPC/ctl; ls $P $P.2 $Q $Q.2'
}

@test "the line number counts the whole text, although the shell writes the rest again" {
	run -1 shell 'printf "create pipes/$NAME\ncreate shm/$NAME\nbad\n" > $IPC/ctl'
	run -0 last_error
	[[ $output == "line 3: bad: not one of create, set, remove, empty, reap" ]]
}

@test "a long text that stdio writes in pieces is not cut within a line" {
	run -0 shell 'seq -f "create pipes/$NAME.%05g" 3000 > $IPC/ctl; ls $IPC/pipes | grep -c "$NAME.[0-9]\{5\}\$"
		ls $IPC/pipes | grep -F $NAME | grep -vc "[.][0-9]\{5\}\$" || true'
	[[ $output == $'3000\n0' ]]
}

@test "a word too long to be shown does not hide what is wrong with it" {
	run -1 shell 'echo "create pipes/$NAME $(printf %01000d 7)" > $IPC/ctl'
	run -0 last_error
	[[ $output == *"KEY=VALUE"* ]]
}

@test "ctl itself cannot be changed" {
	run -1 shell 'chmod 600 $IPC/ctl || chown 1 $IPC/ctl || rm -f $IPC/ctl || mv $IPC/ctl $IPC/ctl.2 || ln $IPC/ctl $IPC/x'
	run -0 shell 'truncate -s 0 $IPC/ctl; : > $IPC/ctl; stat -c "%a %u %F" $IPC/ctl'
	[[ $output == "666 0 regular file" ]]
}

# --- whose rights ---------------------------------------------------------------------------------

# What another user may not do to root's objects. Each line is refused, and ctl says why.
@test "another user cannot remove, change or give away root's objects" {
	shell 'touch $P $Q $S; chmod 600 $P $Q $S'
	for object in "pipes/$NAME" "queues/$NAME" "shm/$NAME"; do
		for line in "remove $object" "set $object mode=0666" "set $object owner=$OTHER" "set $object group=$OTHER"; do
			run -1 other "echo '$line' > \$IPC/ctl"
			[[ $output == *"Operation not permitted"* ]]
			run -0 other 'tail -n1 $IPC/ctl'
			[[ $output == "line 1: ${line%% *} $object: Operation not permitted" ]]
		done
	done
	run -1 other 'echo "set pipes/$NAME capacity=64K" > $IPC/ctl'
	run -1 other 'echo "set pipes/$NAME eof=never" > $IPC/ctl'
	run -1 other 'echo "set shm/$NAME size=1M" > $IPC/ctl'
	run -0 stat -c "%a %u %g %s" "$P" "$NATIVE_MQ/$NAME" "/dev/shm/$NAME"
	[[ $output == "600 0 0 "@(0|4096)$'\n'"600 0 0 "*$'\n'"600 0 0 0" ]]
	run -1 grep -E "eof never|capacity 65536" "$IPC/info/pipes/$NAME/status"
}

@test "naming another owner is refused before anything is made" {
	for object in "pipes/$NAME" "queues/$NAME" "shm/$NAME"; do
		run -1 other "echo 'create $object owner=root' > \$IPC/ctl"
		run -0 other 'tail -n1 $IPC/ctl'
		[[ $output == "line 1: owner=root: only root can give an object away" ]]
		run -1 other "echo 'create $object group=0' > \$IPC/ctl"
		run -0 other 'tail -n1 $IPC/ctl'
		[[ $output == "line 1: group=0: you are not in this group" ]]
	done
	[[ ! -e $P && ! -e $NATIVE_MQ/$NAME && ! -e /dev/shm/$NAME ]]
}

@test "a user may name itself, and a group that it belongs to" {
	run -0 timeout 20 setpriv --reuid="$OTHER" --regid="$OTHER" --groups=12345 bash -c \
		'echo "create pipes/$NAME owner=65534 group=12345" > $IPC/ctl
		echo "create shm/$NAME group=12345" > $IPC/ctl
		echo "set shm/$NAME group=65534" > $IPC/ctl; stat -c "%u %g" $P $S'
	[[ $output == $'65534 12345\n65534 65534' ]]
	run -1 other 'echo "set pipes/$NAME group=54321" > $IPC/ctl'
}

@test "a command has the rights of ctl's opener, not of the writer" {
	shell 'touch $P; chmod 600 $P'
	# Another user's descriptor, to which root's program then writes.
	run -1 python3 -c 'import os
os.seteuid(65534)
fd = os.open(os.environ["IPC"] + "/ctl", os.O_WRONLY)
os.seteuid(0)
os.write(fd, b"remove pipes/%s\n" % os.fsencode(os.environ["NAME"]))'
	[[ $output == *"PermissionError"* && -e $P ]]
	run -0 other 'tail -n1 $IPC/ctl'
	[[ $output == "line 1: remove pipes/$NAME: Operation not permitted" ]]
	run -1 grep "last error" "$IPC/ctl"
	# The other way round: root's descriptor, to which another user's program writes.
	run -0 shell 'exec 7> $IPC/ctl
		timeout 10 setpriv --reuid=65534 --regid=65534 --clear-groups bash -c "echo remove pipes/$NAME >&7"'
	[[ ! -e $P ]]
}

@test "what is made through such a descriptor belongs to its opener" {
	run -0 python3 -c 'import os
os.setegid(65534)
os.seteuid(65534)
fd = os.open(os.environ["IPC"] + "/ctl", os.O_WRONLY)
os.seteuid(0)
os.setegid(0)
for line in "create pipes/%s", "create shm/%s":
    os.write(fd, os.fsencode(line % os.environ["NAME"]))'
	run -0 stat -c "%u %g" "$P" "$S"
	[[ $output == $'65534 65534\n65534 65534' ]]
}

@test "another user's queue is made within its own limits" {
	run -1 other 'echo "create queues/$NAME maxmsg=65536 msgsize=1" > $IPC/ctl'
	run -0 other 'tail -n1 $IPC/ctl'
	[[ $output == "line 1: create queues/$NAME: maxmsg= or msgsize= is above the limit in /proc/sys/fs/mqueue" ]]
	run -1 other 'ulimit -q 100; echo "create queues/$NAME maxmsg=10 msgsize=1K" > $IPC/ctl'
	run -0 other 'tail -n1 $IPC/ctl'
	[[ $output == "line 1: create queues/$NAME: above the limit of bytes in queues, RLIMIT_MSGQUEUE (ulimit -q)" ]]
	run -1 other 'echo "create pipes/$NAME capacity=1G" > $IPC/ctl'
	[[ $output == *"Operation not permitted"* && ! -e $Q && ! -e $P ]]
}

# --- long writes ----------------------------------------------------------------------------------

@test "a line is not taken as complete where the kernel cuts a long write" {
	touch "$P" "${P}1"
	run -0 python3 "$HERE/ctl_long.py" "$IPC/ctl" cut "pipes/$NAME"
	[[ $output == all && -e $P && ! -e ${P}1 ]]
}

@test "others are served while one user's long write is done" {
	KEY=$(printf '0x%08x' $((0x58000000 | ($$ & 0x3fffff))))
	background setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups \
		python3 "$HERE/ctl_long.py" "$IPC/ctl" many "$KEY" >"$OUT"
	wait_until blocked "$JOB"
	run -0 shell 'for n in 1 2 3 4 5; do
		echo "create pipes/$NAME.$n" >$IPC/ctl || exit; ls $IPC/pipes/$NAME.$n; done'
	# A line that waits for a job of its own goes on when the job is done.
	run -0 other 'for n in 1 2 3 4 5; do
		echo "create queues/$NAME.$n" >$IPC/ctl && rm $IPC/queues/$NAME.$n || exit; done'
	run ! ended "$JOB" # otherwise the test shows nothing
	WITHIN=60 wait_until ended "$JOB"
	[[ $(<"$OUT") == all ]]
}

# --- anything at all ------------------------------------------------------------------------------

@test "two thousand random lines leave the daemon up, each refusal explained" {
	run -0 timeout 100 python3 "$HERE/ctl_random.py" 1000
	echo "$output"
	run -0 timeout 100 setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups python3 "$HERE/ctl_random.py" 1000
	run -0 shell 'touch $P && rm $P && cat $IPC/info/summary'
}

@test "the documents name every kind that the help of ctl names" {
	local kind page

	sed -n '/^# Every kind/,/^# SIZE/s/^#   \([a-z/]*\).*/\1/p' "$IPC/ctl" >"$OUT"
	grep -qx pipes "$OUT"
	grep -qx sysv/sems "$OUT"
	while read -r kind; do
		for page in README.md docs/ipcfs.5.scd docs/choosing.md; do
			grep -qw "${kind##*/}" "$HERE/../../$page" || { echo "$page has nothing on $kind"; return 1; }
		done
	done <"$OUT"
}
