#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# info/: what there is, how full it is and who has it open, all found out without taking anything.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031

load helper

other() { # WHAT ANOTHER USER TYPES
	as_user "$OTHER" bash -c "$1"
}

# start COMMAND...: runs it in the background and waits until it says "ready"; its pid is in $JOB.
start() {
	: >"$OUT"
	background "$@" >"$OUT"
	wait_until contains "$OUT" ready
}

native() { # WHAT... for native.py
	start /usr/bin/python3 "$HERE/native.py" "$@"
}

info() { # KIND TEXT
	cat "$IPC/info/$1/$NAME/$2"
}

has_line() { # LINE...
	local line
	for line; do
		grep -qxF -- "$line" <<<"$output" || {
			echo "no line '$line'"
			return 1
		}
	done
}

# --- status ---------------------------------------------------------------------------------------

@test "status of a pipe" {
	shell 'echo "create pipes/$NAME capacity=64K mode=0640 owner=1234 group=2345" > $IPC/ctl; echo hello > $P'
	run -0 info pipes status
	has_line "kind pipes" "name $NAME" "owner 1234" "group 2345" "mode 0640" "bytes 6" "capacity 65536" \
		"eof auto" "readers 0" "writers 0"
}

@test "status of a queue" {
	shell '$MQ create $NAME 5 100; $MQ send $NAME hello; $MQ send $NAME again'
	run -0 info queues status
	has_line "kind queues" "name $NAME" "owner 0" "mode 0600" "messages 2" "maxmsg 5" "msgsize 100" \
		"readers 0" "writers 0" "waiting 0"
}

@test "status of a region" {
	shell 'truncate -s 1M /dev/shm/$NAME; printf %04096d 0 | dd of=/dev/shm/$NAME conv=notrunc status=none'
	run -0 info shm status
	has_line "kind shm" "name $NAME" "size 1048576" "bytes 4096" "mode 0644"
}

@test "status of a served pipe" {
	shell 'echo "create pipes/$NAME capacity=64K mode=0640 served=daemon" > $IPC/ctl; echo hello > $P'
	run -0 info pipes status
	has_line "kind pipes" "name $NAME" "mode 0640" "bytes 6" "capacity 65536" "eof auto" "served daemon" \
		"readers 0" "writers 0" "waiting 0"
}

@test "status counts readers and writers of a FIFO" {
	shell 'touch $P'
	native "fd:r:$P"
	native "fd:w:$P"
	run -0 info pipes status
	has_line "readers 1" "writers 1"
}

@test "status of a plain FIFO says who keeps it, and only what is known" {
	shell 'mkfifo $P'
	run -0 info pipes status
	has_line "type fifo" "served kernel" "keep no" "readers 0" "writers 0"
	[[ $output != *$'\n'@(bytes|capacity|held|waiting|last-)* ]]
}

@test "status of a socket says nothing about its users" {
	run -0 python3 -c 'import os, socket
os.chdir(os.environ["IPC"] + "/pipes")
socket.socket(socket.AF_UNIX).bind(os.environ["NAME"])'
	run -0 info pipes status
	has_line "type socket"
	[[ $output != *$'\n'@(readers|writers|waiting|keep|bytes)* ]]
}

@test "another user sees how many have a FIFO open" {
	shell 'umask 0; mkfifo $P'
	native "fd:rw:$P"
	native "fd:w:$P"
	run -0 other 'cat $IPC/info/pipes/$NAME/status $IPC/info/pipes/$NAME/peers'
	has_line "readers 1" "writers 2" "others 2"
}

@test "the tables count who has a FIFO open" {
	shell 'mkfifo $P; touch $P.idle'
	native "fd:rw:$P"
	native "fd:w:$P"
	run -0 cat "$IPC/info/metrics"
	has_line "ipcfs_readers{kind=\"pipes\",name=\"$NAME\",owner=\"root\"} 1" \
		"ipcfs_writers{kind=\"pipes\",name=\"$NAME\",owner=\"root\"} 2" \
		"ipcfs_readers{kind=\"pipes\",name=\"$NAME.idle\",owner=\"root\"} 0"
	run -0 cat "$IPC/info/summary"
	[[ $(cells pipes RD WR WAIT <<<"$output") == "$NAME 1 2 -"* ]]
}

@test "status counts readers, writers and waiters" {
	echo "create pipes/$NAME served=daemon" >"$IPC/ctl"
	background cat "$P"
	wait_until blocked "$JOB"
	exec 7>"$P"
	run -0 info pipes status
	has_line "readers 1" "writers 1" "waiting 1"
	exec 7>&-
}

@test "times are seconds since the epoch, and looking does not change them" {
	shell 'echo "create pipes/$NAME served=daemon" > $IPC/ctl; echo hello > $P; echo hello > $Q'
	now=$(date +%s)
	for kind in pipes queues; do
		run -0 info "$kind" status
		first=$output
		time=$(awk '/^last-write/ { print int($2) }' <<<"$output")
		((time >= now - 60 && time <= now + 60))
		run -0 info "$kind" status
		[[ $output == "$first" ]]
	done
}

@test "created is when an object was made, whatever was done to it since" {
	before=$(date +%s.%N)
	shell 'touch $P; truncate -s 4K $S; mkfifo $P.fifo'
	after=$(date +%s.%N)
	shell 'echo hello > $P; echo hello > $S; chmod 600 $P $S $P.fifo; touch -d 2001-01-01 $P $S; mv $S $S.2; mv $S.2 $S'
	for object in "pipes/$NAME" "pipes/$NAME.fifo" "shm/$NAME"; do
		created=$(awk '/^created / { print $2 }' "$IPC/info/$object/status")
		awk -v b="$before" -v c="$created" -v a="$after" 'BEGIN { exit !(c ~ /^[0-9]+[.][0-9]+$/ && b - 0.1 <= c && c <= a) }'
	done
}

@test "info lists what is there, and no more" {
	shell 'touch $P $Q $S; rm $S'
	run -0 shell 'ls -d $IPC/info/*/$NAME; ls $IPC/info/pipes/$NAME; ls $IPC/info/shm/$NAME 2>&1 || true'
	[[ $output == "$IPC/info/pipes/$NAME
$IPC/info/queues/$NAME
peek
peers
status
"*"No such file or directory" ]]
	run -0 ls "$IPC/info"
	has_line summary inventory.json metrics graph.dot pipes queues shm
}

@test "nothing in info can be written, made or removed, not even by root" {
	shell 'touch $P'
	run -0 shell 'cd $IPC/info; for do in "echo > summary" "echo >> pipes/$NAME/status" "touch x" "mkdir x" "rm -f summary" \
			"mv summary x" "rmdir pipes/$NAME" "rm -rf pipes" "chmod 777 metrics" "touch pipes/x" "truncate -s 0 summary"; do
			bash -c "$do" 2> /dev/null && echo "done: $do"; done; cat pipes/$NAME/status | head -n1; ls $P'
	[[ $output == "kind pipes"$'\n'"$P" ]]
}

# --- peek -----------------------------------------------------------------------------------------

@test "peek of a pipe shows all that waits and takes nothing" {
	shell 'seq 20000 > $P'
	run -0 shell 'for i in 1 2 3; do cmp $IPC/info/pipes/$NAME/peek <(seq 20000); done; first $P'
	[[ $output == 1 ]]
}

@test "peek of a full pipe of 1 MiB shows all of it" {
	touch "$P"
	n=$(fill_pipe)
	((n == 1048576))
	run -0 shell 'wc -c < $IPC/info/pipes/$NAME/peek; grep "^bytes " $IPC/info/pipes/$NAME/status'
	[[ $output == $'1048576\nbytes 1048576' ]]
}

@test "peek of an empty pipe is empty, and does not wait" {
	shell 'touch $P'
	run -0 info pipes peek
	[[ -z $output ]]
}

@test "there is no peek where the kernel has no way to do it" {
	shell 'touch $Q $S; echo hello > $Q; mkfifo $P'
	for kind in queues shm pipes; do
		run -1 info "$kind" peek
		[[ $output == *"No such file or directory"* ]]
		run -0 ls "$IPC/info/$kind/$NAME"
		[[ $output == $'peers\nstatus' ]]
	done
}

@test "another user cannot peek at what it cannot read" {
	shell 'umask 077; echo secret > $P; umask 0; echo open > $P.2'
	run -1 other 'cat $IPC/info/pipes/$NAME/peek' # where it could only fail, it does not exist
	[[ $output == *"No such file"* && $(ls "$IPC/info/pipes/$NAME") == *peek* ]]
	run -0 other 'ls $IPC/info/pipes/$NAME'
	[[ $output == $'peers\nstatus' ]]
	run -0 other 'cat $IPC/info/pipes/$NAME.2/peek'
	[[ $output == open ]]
	shell 'chmod 622 $P'
	run -1 other 'cat $IPC/info/pipes/$NAME/peek'
}

@test "another user does not see how full an unreadable queue is" {
	shell 'umask 077; echo secret > $Q'
	run -0 other 'cat $IPC/info/queues/$NAME/status $IPC/info/summary $IPC/info/metrics'
	[[ $output == *"name $NAME"* && $output != *$'\n'messages* && $output != *"ipcfs_messages{kind=\"queues\",name=\"$NAME\""* ]]
}

# --- peers ----------------------------------------------------------------------------------------

@test "peers finds users through the mount, with their access" {
	shell 'touch $P $Q $S; truncate -s 8K $S'
	native "fd:r:$P" "fd:w:$Q" "fd:rw:$S"
	run -0 info pipes peers
	[[ $output == "$JOB 0 r python3" ]]
	run -0 info queues peers
	[[ $output == "$JOB 0 w python3" ]]
	run -0 info shm peers
	[[ $output == "$JOB 0 rw python3" ]]
	native "shm:r:$S"
	run -0 info shm peers
	[[ $(grep -c . <<<"$output") == 2 ]]
	has_line "$JOB 0 rm python3"
}

@test "peers finds native users: a queue, a mapping, a FIFO" {
	shell '$MQ create $NAME; truncate -s 8K /dev/shm/$NAME; mkfifo $P'
	native "mq:r:$NAME" "shm:rw:/dev/shm/$NAME"
	run -0 info queues peers
	[[ $output == "$JOB 0 r python3" ]]
	run -0 info shm peers
	[[ $output == "$JOB 0 rwm python3" ]]
	native "fd:rw:$P"
	run -0 info pipes peers
	[[ $output == "$JOB 0 rw python3" ]]
}

@test "peers is empty when nobody has the object open, or its user has ended" {
	shell 'touch $P'
	run -0 info pipes peers
	[[ -z $output ]]
	native "fd:r:$P"
	kill -KILL "$JOB"
	wait_until ended "$JOB"
	run -0 info pipes peers
	[[ -z $output ]]
}

@test "another user sees its own processes, and only the number of others" {
	shell 'umask 0; touch $P'
	native "fd:r:$P"
	native "fd:w:$P"
	start setpriv --reuid="$OTHER" --regid="$OTHER" --clear-groups /usr/bin/python3 "$HERE/native.py" "fd:w:$P"
	run -0 other 'cat $IPC/info/pipes/$NAME/peers'
	[[ $output == "$JOB $OTHER w python3"$'\nothers 2' ]]
	run -0 info pipes peers
	[[ $(grep -c python3 <<<"$output") == 3 && $output != *others* ]]
	run -0 other 'grep -cE "^.\"[0-9]+\" \[label=" $IPC/info/graph.dot'
	[[ $output == 1 ]]
}

@test "twenty readers of peers at once do not keep ls waiting" {
	shell 'touch $P'
	for _ in {1..20}; do
		background bash -c 'while :; do cat $IPC/info/pipes/$NAME/peers; done'
	done >"$OUT"
	run -0 shell 'ls $IPC/pipes > /dev/null; best=9999999
		for i in {1..20}; do
			start=${EPOCHREALTIME/./}; ls $IPC/pipes > /dev/null; took=$((${EPOCHREALTIME/./} - start))
			((took < best)) && best=$took
		done; echo $best'
	echo "the quickest of twenty took $output us"
	((output < 500000))
}

@test "abandoned reads of peers leave no work behind" {
	shell 'touch $P'
	run -0 python3 -c 'import os, signal
path = os.environ["IPC"] + "/info/pipes/" + os.environ["NAME"] + "/peers"
for i in range(300):
    pid = os.fork()
    if pid == 0:
        os.open(path, os.O_RDONLY)
        os._exit(0)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)'
	WITHIN=5 run -0 shell 'cat $IPC/info/pipes/$NAME/peers'
}
