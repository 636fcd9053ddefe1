#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Two users at one mount (allow_other): who owns an object, and who may do what to it.
# shellcheck shell=bats disable=SC2016

load helper

other() { # WHAT ANOTHER USER TYPES
	as_user "$OTHER" bash -c "$1"
}

owner() { # the real owner, group and mode of $P, $Q and $S
	stat -c "%u %g %a" "$P" "$NATIVE_MQ/$NAME" "/dev/shm/$NAME"
}

@test "what another user makes is that user's, in the kernel" {
	run -0 other 'umask 027; echo hello > $P; echo hello > $Q; echo hello > $S'
	run -0 owner
	[[ $output == $'65534 65534 640\n65534 65534 640\n65534 65534 640' ]]
}

@test "another user uses what it made" {
	run -0 other 'echo pipe > $P; cat $P; echo queue > $Q; first $Q; echo shm > $S; cat $S
		chmod 600 $P $Q $S; mv $P $P.2; mv $S $S.2; rm $P.2 $Q $S.2; ls $IPC/pipes $IPC/queues $IPC/shm | grep -F $NAME || true'
	[[ $output == $'pipe\nqueue\nshm' ]]
}

@test "a FIFO and a socket that another user makes belong to that user" {
	run -0 other 'mkfifo $P; python3 -c "import os, socket
socket.socket(socket.AF_UNIX).bind(os.environ[\"P\"] + \".s\")"; stat -c "%u %g %F" $P $P.s; rm $P $P.s'
	[[ $output == $'65534 65534 fifo\n65534 65534 socket' ]]
}

@test "mode 0600 keeps another user from reading and writing, every kind" {
	shell 'umask 077; echo secret > $P; echo secret > $Q; echo secret > $S; mkfifo $P.f'
	run -0 other 'for file in $P $Q $S $P.f; do cat $file || echo x >> $file || echo x > $file || truncate -s 0 $file || echo refused; done'
	[[ $(grep -c "Permission denied" <<<"$output") == 16 ]]
	[[ $(grep -c "^refused" <<<"$output") == 4 ]]
	run -0 shell 'cat $P; first $Q; cat $S'
	[[ $output == $'secret\nsecret\nsecret' ]]
}

@test "a priority does not get round mode 0600" {
	shell 'umask 077; echo secret > $Q'
	run -1 other 'echo x > $Q:9'
	[[ $output == *"Permission denied"* ]]
	run -1 other 'cat $Q:9'
	[[ $output == *"Permission denied"* ]]
}

@test "mode 0644 lets another user read and not write" {
	shell 'umask 022; echo hello > $P; echo hello > $Q; echo hello > $S'
	run -0 other 'cat $P; first $Q; cat $S'
	[[ $output == $'hello\nhello\nhello' ]]
	run -0 other 'for file in $P $Q $S; do echo x > $file || echo refused; done'
	[[ $(grep -c "^refused" <<<"$output") == 3 ]]
}

@test "mode 0622 lets another user write and not read" {
	shell 'touch $P $Q $S; chmod 622 $P $Q $S'
	run -0 other 'for file in $P $Q $S; do echo hello >> $file; cat $file || echo refused; done'
	[[ $(grep -c "^refused" <<<"$output") == 3 ]]
	run -0 shell 'cat $P; first $Q; cat $S'
	[[ $output == $'hello\nhello\nhello' ]]
}

@test "> works on another user's file although the directory is for everyone" {
	# In a sticky directory, fs.protected_regular would refuse this.
	other 'umask 0; echo one > $P; echo one > $Q'
	run -0 shell 'echo two > $P; echo two > $Q; cat $P; head -n2 $Q 2>/dev/null'
	[[ $output == $'one\ntwo\none\ntwo' ]]
	run -0 stat -c %a "$IPC/pipes" "$IPC/queues"
	[[ $output == $'777\n777' ]]
}

@test "the group's rights count, for the primary group and the others" {
	shell 'umask 077; for file in $P $Q $S; do touch $file; chgrp 12345 $file; chmod 660 $file; done'
	run -0 timeout 10 setpriv --reuid="$OTHER" --regid="$OTHER" --groups=12345 bash -c \
		'echo hello > $P; cat $P; echo hello > $Q; first $Q; echo hello > $S; cat $S'
	[[ $output == $'hello\nhello\nhello' ]]
	run -0 timeout 10 setpriv --reuid="$OTHER" --regid=12345 --clear-groups bash -c \
		'echo hello > $P; cat $P; echo hello > $Q; first $Q; echo hello > $S; cat $S'
	[[ $output == $'hello\nhello\nhello' ]]
}

@test "only the owner and root remove an object" {
	shell 'umask 0; touch $P $Q $S; mkfifo $P.f'
	run -0 other 'for file in $P $Q $S $P.f; do rm -f $file || echo refused; done'
	[[ $(grep -c "^refused" <<<"$output") == 4 ]]
	run -0 other 'ls $P $Q $S $P.f'
	other 'echo > $P.2; echo > $Q.2; echo > $S.2'
	run -0 shell 'rm $P.2 $Q.2 $S.2'
}

@test "only the owner and root rename or replace an object" {
	shell 'umask 0; echo kept > $P; echo kept > $S; mkfifo $P.f'
	run -0 other 'for file in $P $S $P.f; do mv -f $file $file.2 || echo refused; done
		for file in $P $S $P.f; do echo mine > $file.3; mv -f $file.3 $file || echo refused; done'
	[[ $(grep -c "^refused" <<<"$output") == 6 ]]
	run -0 shell 'cat $P $S; stat -c %F $P.f'
	[[ $output == $'kept\nkept\nfifo' ]]
}

@test "only the owner and root change mode, owner and times" {
	shell 'umask 0; touch $P $Q $S'
	run -0 other 'for file in $P $Q $S; do chmod 777 $file || chgrp $(id -g) $file || touch -d @1 $file || echo refused; done'
	[[ $(grep -c "^refused" <<<"$output") == 3 ]]
	run -0 owner
	[[ $output == $'0 0 666\n0 0 666\n0 0 666' ]]
}

@test "a user cannot give an object away" {
	run -0 other 'touch $P $Q $S; for file in $P $Q $S; do chown 0 $file || chown 12345 $file || echo refused; done'
	[[ $(grep -c "^refused" <<<"$output") == 3 ]]
}

@test "the kernel's limit on queues is each user's own" {
	run -0 other 'n=1; while ((n <= 20)) && touch $Q.$n; do n=$((n + 1)); done; ls $NATIVE_MQ | grep -cF $NAME'
	[[ $output == *"Too many open files"* && ${lines[-1]} -lt 20 ]]
	shell 'touch $Q; rm $Q'
}

@test "the kernel's limit on queues is that of the process that makes the queue" {
	run -0 as_user "$OTHER" prlimit --msgqueue=100000 bash -c 'touch $Q; touch $Q.2 || echo refused'
	[[ $output == *"Too many open files"*refused ]]
}

@test "max_channels limits the pipes of each user" {
	remount max_channels=3
	run -0 other 'for n in 1 2 3 4; do echo $n > $P.$n || echo refused; done; cat $P.3'
	[[ $output == *"$P.4: "*refused$'\n3' && ${#lines[@]} == 3 ]]
	run -0 shell 'touch $P; rm $P'
	other 'rm $P.1'
	# The daemon lets go of a FIFO a moment later.
	wait_until other 'echo 5 > $P.5'
	run -0 other 'cat $P.5'
	[[ $output == 5 ]]
}

@test "max_files limits what each user has open" {
	remount max_files=2,pipe_served=daemon
	run -0 other 'touch $P; exec 7< $P 8< $P; cat < $P || echo refused; exec 8<&-; echo hello > $P; first <&7'
	[[ $output == *"$P: "*refused$'\nhello' ]]
}

@test "max_held limits the waits of each user" {
	remount max_held=2,pipe_served=daemon
	shell 'umask 0; touch $P $Q'
	background setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups cat "$P"
	background setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups cat "$P"
	wait_until blocked "${JOBS[0]}"
	wait_until blocked "${JOBS[1]}"
	wait_until held 2
	run -1 other 'cat $Q'
	[[ $output == "cat: $Q: "* ]]
	background cat "$Q"
	wait_until blocked "$JOB"
}

@test "another user's Ctrl-C ends its wait" {
	remount pipe_served=daemon
	touch "$P"
	chmod 666 "$P"
	background setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups cat "$P"
	wait_until blocked "$JOB"
	kill -INT "$JOB"
	WITHIN=2 wait_until ended "$JOB"
}

@test "root without capabilities has no more than its uid gives, also through ctl and info" {
	as_user "$OTHER" bash -c 'umask 077; echo secret > $P; echo secret > $Q; echo secret > $S'
	limited() { shell 'setpriv --bounding-set=-all --inh-caps=-all bash -c "$1" bash' "$1"; }
	run -0 limited 'cd $IPC; for kind in pipes queues shm; do
		for do in "set $kind/$NAME mode=666" "set $kind/$NAME owner=0" "create $kind/$NAME.2 owner=5"; do
			echo "$do" > ctl && echo "done: $do"
		done 2> /dev/null
		for do in "chmod 666" "chown 0" "truncate -s 0" cat; do $do $kind/$NAME && echo "done: $do $kind"; done 2> /dev/null
	done
	# uid 0 owns the sticky directories of queues and shm, so natively it may remove there too.
	{ echo "remove pipes/$NAME" > ctl && echo "done: remove"; rm -f pipes/$NAME && echo "done: rm"; } 2> /dev/null
	cat info/pipes/$NAME/peek 2> /dev/null; grep messages info/queues/$NAME/status
	echo "create pipes/$NAME.3 capacity=4K" > ctl; echo own > queues/$NAME.3; echo remove "pipes/$NAME.3" > ctl; rm queues/$NAME.3'
	[[ -z $output ]]
	run -0 stat -Lc "%a %u" "$P" "$Q" "$S"
	[[ $(sort -u <<<"$output") == "600 $OTHER" ]]
}

@test "what root mounts serves everybody, without an option" {
	local second
	second=$(new_directory)
	mount_ipcfs "$second"
	run -0 as_user "$OTHER" cat "$second/README"
}
