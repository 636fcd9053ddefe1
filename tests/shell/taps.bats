#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# info/KIND/NAME/tap: what passes, as somebody at a terminal sees it.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper

# watch KIND [COMMAND...]: reads the tap of $NAME into $OUT, in the background: $JOB.
watch() {
	background "${@:2}" cat "$IPC/info/$1/$NAME/tap" >"$OUT"
	wait_until blocked "$JOB"
}

# What was seen, without the times.
seen() {
	sed -E 's/^[0-9]+\.[0-9]{9} //' "$OUT"
}

@test "a tap shows who wrote and who read what, and takes nothing" {
	shell 'touch $Q'
	watch queues
	run -0 shell 'echo $BASHPID; echo hello > $Q; read -r line < $Q; echo $line'
	pid=${lines[0]}
	[[ ${lines[1]} == hello ]]
	wait_until contains "$OUT" "$pid < 6"
	[[ $(seen) == "$pid > 6
hello

$pid < 6
hello" ]]
}

@test "a line of a tap is the time, the process, the way and the size" {
	shell 'touch $Q'
	watch queues
	shell 'printf x > $Q'
	wait_until contains "$OUT" x
	[[ $(head -n1 "$OUT") =~ ^[0-9]+\.[0-9]{9}\ [0-9]+\ \>\ 1$ ]]
}

@test "a tap of a pipe that the daemon serves, and none of a FIFO" {
	shell 'echo "create pipes/$NAME served=daemon" > $IPC/ctl; mkfifo $P.2'
	watch pipes
	shell 'echo hello > $P; cat $P > /dev/null'
	wait_until contains "$OUT" " < 6"
	run -1 cat "$IPC/info/pipes/$NAME.2/tap"
	[[ $output == *"No such file or directory"* ]]
}

@test "a tap of an event shows the numbers" {
	shell 'touch $IPC/events/$NAME'
	watch events
	shell 'echo 40 > $IPC/events/$NAME; echo 2 > $IPC/events/$NAME; first $IPC/events/$NAME'
	wait_until contains "$OUT" " < 3"
	[[ $(seen | grep -v '[<>]' | tr -s '\n' ' ') == "40 2 42 " ]]
	rm "$IPC/events/$NAME"
	wait_until ended "$JOB"
}

@test "cat of a tap ends with the object, or on Ctrl-C" {
	shell 'touch $Q'
	watch queues
	rm "$Q"
	wait_until ended "$JOB"
	shell 'touch $Q'
	watch queues
	kill -INT "$JOB"
	wait_until ended "$JOB"
}

@test "only who may read the object finds its tap" {
	shell 'umask 077; touch $Q; umask 022; touch $Q.2'
	run -1 as_user "$OTHER" cat "$IPC/info/queues/$NAME/tap"
	[[ $output == *"No such file or directory"* ]]
	run -124 as_user "$OTHER" timeout 0.2 cat "$IPC/info/queues/$NAME.2/tap"
}

@test "another user does not see whose processes it watches" {
	shell 'umask 0; touch $Q'
	watch queues setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups
	shell 'echo theirs > $Q'
	run -0 as_user "$OTHER" bash -c 'echo $BASHPID; echo mine > $Q'
	wait_until contains "$OUT" mine
	[[ $(seen) == "- > 7
theirs

$output > 5
mine" ]]
}

@test "whoever looks through all of info does not end up in a tap" {
	shell 'touch $Q $IPC/events/$NAME'
	run -0 ls "$IPC/info/queues/$NAME"
	[[ $output == $'peers\nstatus' ]]
	WITHIN=10 run -0 shell 'grep -r . $IPC/info/queues $IPC/info/events > /dev/null; tar -cf /dev/null -C $IPC/info queues 2>&1 | grep tap || true'
	[[ -z $output ]]
	rm "$IPC/events/$NAME"
}

@test "dd writes 1 MiB and the tap shows each byte" {
	shell 'echo "create pipes/$NAME served=daemon" > $IPC/ctl; seq 1000000 | head -c 1M > $OUT.sent'
	watch pipes
	shell 'dd if=$OUT.sent of=$P bs=1M 2> /dev/null'
	wait_until contains "$OUT" " > 1048576"
	wait_until test "$(stat -c %s "$OUT")" -gt 1048576
	sed 1d "$OUT" | head -c 1M | cmp - "$OUT.sent"
}
