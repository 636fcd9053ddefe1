#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Queues that two machines share ($a and $b): one writes, the other reads, and what nobody has read
# to its end is read by somebody else.
# shellcheck shell=bats disable=SC2016,SC2030,SC1003,SC2031,SC2154

load helper
load cluster

is_empty() { # DIRECTORY
	[[ -z $(ls "$1") ]]
}

has_entries() { # DIRECTORY N
	[[ $(find "$1" -mindepth 1 | wc -l) == "$2" ]]
}

@test "echo on one machine, cat on the other: each line, in order" {
	touch "$a/queues/jobs"
	wait_until test -e "$b/queues/jobs"
	background cat "$b/queues/jobs" >"$OUT"
	shell 'for n in {1..50}; do echo "job $n" > $a/queues/jobs; done'
	wait_until has_lines "$OUT" 50
	seq -f 'job %g' 50 | diff - "$OUT"
}

@test "messages wait for whoever comes, on either machine, and each has one reader" {
	create queues/jobs
	shell 'for n in {1..30}; do echo $n > $a/queues/jobs; done; echo 31 > $b/queues/jobs'
	wait_until has_status queues/jobs messages 31
	for mount in "$a" "$b" "$a" "$b"; do
		background cat "$mount/queues/jobs" >>"$OUT"
	done
	wait_until has_lines "$OUT" 31
	sort -n "$OUT" | diff <(seq 31) -
	wait_until has_status queues/jobs messages 0 "$OTHER_IPC"
}

@test "Ctrl-C ends a cat that waits, and what is written then goes to others" {
	create queues/jobs
	background cat "$a/queues/jobs" >"$OUT"
	local first=$JOB
	background cat "$b/queues/jobs" >"$OUT"
	wait_until waits_in "$first" "$IPC"
	wait_until waits_in "$JOB" "$OTHER_IPC"
	kill -INT "$first" "$JOB"
	wait_until ended "$first"
	wait_until ended "$JOB"
	shell 'for n in 1 2 3; do echo $n > $a/queues/jobs; done'
	run -0 shell 'for n in 1 2 3; do first $b/queues/jobs; done'
	[[ $output == $'1\n2\n3' ]]
	[[ ! -s $OUT ]]
}

@test "O_NONBLOCK: EAGAIN when there is nothing, and while a message is on its way" {
	create queues/jobs
	run -1 shell 'dd if=$b/queues/jobs iflag=nonblock status=none'
	[[ $output == *"Resource temporarily unavailable"* ]]
	run -0 shell '/usr/bin/python3 -c "import os, select
fd = os.open(os.environ[\"a\"] + \"/queues/jobs\", os.O_WRONLY | os.O_NONBLOCK)
p = select.poll(); p.register(fd, select.POLLOUT)
for n in range(20):
    while True:
        try: os.write(fd, b\"%d\n\" % n); break
        except BlockingIOError: p.poll(5000)
r = os.open(os.environ[\"b\"] + \"/queues/jobs\", os.O_RDONLY | os.O_NONBLOCK)
p = select.poll(); p.register(r, select.POLLIN)
got = b\"\"
while len(got.split()) < 20:
    p.poll(5000)
    try: got += os.read(r, 100)
    except BlockingIOError: pass
print(*map(int, got.split()))"'
	[[ $output == "$(seq -s ' ' 0 19)" ]] # the same bytes again were not a second message
	has_status queues/jobs messages 0
}

@test "poll reports a message as soon as another machine has sent it" {
	create queues/jobs
	run -0 shell '/usr/bin/python3 -c "import os, select, threading
r = os.open(os.environ[\"b\"] + \"/queues/jobs\", os.O_RDONLY)
w = os.open(os.environ[\"a\"] + \"/queues/jobs\", os.O_WRONLY)
p = select.poll(); p.register(r, select.POLLIN)
assert not p.poll(100)
threading.Timer(0.1, os.write, (w, b\"news\")).start()
assert p.poll(10000)
print(os.read(r, 100).decode())"'
	[[ $output == news ]]
}

@test "a message that was read in part is given back, whole, when its reader closes" {
	create queues/jobs
	echo hello >"$a/queues/jobs"
	run -0 shell 'read -rn1 letter < $b/queues/jobs; echo $letter'
	[[ $output == h ]]
	run -0 shell 'first $a/queues/jobs'
	[[ $output == hello ]]
	wait_until has_status queues/jobs messages 0
}

@test "a message is acknowledged with its last byte" {
	create queues/jobs
	shell 'echo one > $a/queues/jobs; echo two > $a/queues/jobs'
	exec 7<"$b/queues/jobs"
	run -0 shell 'head -c 3' <&7
	[[ $output == one ]]
	wait_until has_status queues/jobs messages 2
	run -0 shell 'read -r rest' <&7 # the newline
	wait_until has_status queues/jobs messages 1
	run -0 shell 'read -r line; echo $line' <&7
	[[ $output == two ]]
	wait_until has_status queues/jobs messages 0
	exec 7<&-
}

@test "a reader that is killed with half a message loses nothing" {
	create queues/jobs
	echo hello >"$a/queues/jobs"
	background bash -c 'exec 7< $b/queues/jobs; read -rn2 -u 7; echo "$REPLY"; sleep 60' >"$OUT"
	wait_until contains "$OUT" he
	kill -KILL "$JOB"
	run -0 shell 'first $a/queues/jobs'
	[[ $output == hello ]]
}

@test "a full queue makes its writer wait, and Ctrl-C ends the wait" {
	create queues/jobs maxmsg=2
	shell 'echo 1 > $a/queues/jobs; echo 2 > $b/queues/jobs'
	background bash -c 'echo 3 > $a/queues/jobs'
	local waits=$JOB
	background bash -c 'echo never > $b/queues/jobs'
	wait_until waits_in "$waits" "$IPC"
	wait_until waits_in "$JOB" "$OTHER_IPC"
	kill -INT "$JOB"
	wait_until ended "$JOB"
	run -0 shell 'for n in 1 2 3; do first $b/queues/jobs; done'
	[[ $output == $'1\n2\n3' ]]
	wait_until ended "$waits"
	run -1 shell 'dd if=$b/queues/jobs iflag=nonblock status=none'
}

@test "msgsize and the server's limit: a message that is too long is refused whole" {
	create queues/jobs msgsize=10
	shell 'printf 1234567890 > $a/queues/jobs'
	run -1 shell 'printf 12345678901 > $b/queues/jobs'
	[[ $output == *"Message too long"* ]]
	create queues/large maxbytes=4M
	run -1 shell 'dd if=/dev/zero of=$a/queues/large bs=1M count=1 status=none'
	[[ $output == *"Message too long"* ]]
	wait_until has_status queues/jobs messages 1
	has_status queues/large messages 0
}

@test "half a mebibyte is one message" {
	head -c 512K /dev/urandom >"$OUT"
	create queues/large
	shell 'dd if=$OUT of=$a/queues/large bs=512K status=none; dd if=$b/queues/large bs=512K count=1 status=none > $OUT.read'
	cmp "$OUT" "$OUT.read"
	shell 'dd if=$OUT of=$b/queues/large bs=512K status=none; head -c 512K $a/queues/large > $OUT.read'
	cmp "$OUT" "$OUT.read"
}

@test "rm on one machine ends whoever waits on the other" {
	create queues/jobs maxmsg=1
	background cat "$b/queues/jobs" 2>"$OUT"
	wait_until waits_in "$JOB" "$OTHER_IPC"
	rm "$a/queues/jobs"
	wait_until ended "$JOB"
	contains "$OUT" "Identifier removed"
	wait_until test ! -e "$b/queues/jobs"
	create queues/jobs maxmsg=1
	echo 1 >"$a/queues/jobs"
	background bash -c 'echo 2 > $a/queues/jobs' 2>"$OUT"
	wait_until waits_in "$JOB" "$IPC"
	rm "$b/queues/jobs"
	wait_until ended "$JOB"
	contains "$OUT" "Identifier removed"
}

@test "a queue that was removed and made again is a new one, also for files that are open" {
	create queues/jobs
	exec 7<"$b/queues/jobs"
	echo old >"$a/queues/jobs"
	rm "$a/queues/jobs"
	wait_until test ! -e "$b/queues/jobs"
	create queues/jobs
	echo new >"$a/queues/jobs"
	run -1 shell 'timeout 5 cat' <&7
	[[ $output == *"Identifier removed"* ]]
	run -0 shell 'first $b/queues/jobs'
	[[ $output == new ]]
	exec 7<&-
}

@test "truncate -s 0 and empty take all messages away, O_TRUNC none" {
	create queues/jobs
	shell 'echo 1 > $a/queues/jobs; echo 2 > $a/queues/jobs; truncate -s 0 $b/queues/jobs; echo 3 > $a/queues/jobs'
	run -0 shell 'first $b/queues/jobs'
	[[ $output == 3 ]]
	shell 'echo 4 > $a/queues/jobs; echo empty cluster/queues/jobs > $OTHER_IPC/ctl; echo 5 > $a/queues/jobs'
	run -0 shell 'first $a/queues/jobs'
	[[ $output == 5 ]]
}

@test "names with dots, blanks, stars and letters of any script are the same everywhere" {
	local name
	for name in a.b 'two words' '*' '>' 'a>*.b' 'naïve ☃' '$x' '=2E' 'x=y' "it's" '-n' '\' '..a' 'a.' \
		"$(printf 'n%.0s' {1..200})"; do
		NAME_NOW=$name shell 'printf "%s\n" "$NAME_NOW" > "$a/queues/$NAME_NOW"'
		WITHIN=5 wait_until test -e "$b/queues/$name"
		NAME_NOW=$name run -0 shell 'first "$b/queues/$NAME_NOW"'
		[[ $output == "$name" ]]
	done
	diff <(ls -a "$a/queues") <(ls -a "$b/queues")
	has_entries "$b/queues" 15
	find "$b/queues" -mindepth 1 -delete
	wait_until is_empty "$a/queues"
}

@test "a name that is too long for a subject is refused" {
	run -1 shell 'touch "$a/queues/$(printf "%.0s." {1..150})"'
	[[ $output == *"File name too long"* ]]
}

@test "what cannot be is refused: rename, links, directories" {
	create queues/jobs
	run -1 shell 'mv $a/queues/jobs $a/queues/other'
	[[ $output == *"Operation not permitted"* ]]
	run -1 shell 'ln $a/queues/jobs $a/queues/other'
	[[ $output == *"Operation not permitted"* ]]
	run -1 shell 'mkdir $a/queues/directory'
	[[ $output == *"Operation not permitted"* ]]
	run -1 shell 'touch $a/file'
	[[ $output == *"Operation not permitted"* ]]
}

@test "looking takes nothing: status, peek, summary, ls -l" {
	create queues/jobs maxmsg=10 mode=0640
	shell 'echo one > $a/queues/jobs; echo two > $a/queues/jobs'
	wait_until has_status queues/jobs messages 2 "$OTHER_IPC"
	run -0 shell 'cat $IPC/info/cluster/queues/jobs/peek'
	[[ $output == *one*two* ]]
	run -0 shell 'cat $OTHER_IPC/info/cluster/queues/jobs/status'
	echo "$output"
	[[ $output == *"owner 0"* && $output == *"mode 0640"* ]]
	run -0 shell 'cat $IPC/info/cluster/status'
	echo "$output"
	[[ $output == *"state connected"* && $output == *"server "* && $output == *"rtt "* ]]
	run -0 shell 'grep jobs $OTHER_IPC/info/summary'
	[[ $output == *cluster/queues* ]]
	run -0 shell 'timeout 10 grep -r . $IPC/info/cluster > /dev/null; ls -l $b/queues'
	[[ $output == *"-rw-r----- 1 root root"*jobs ]]
	has_status queues/jobs messages 2
}

@test "ctl sets limits, and refuses what a queue has not" {
	create queues/jobs maxmsg=1
	echo 1 >"$a/queues/jobs"
	shell 'echo set cluster/queues/jobs maxmsg=2 > $OTHER_IPC/ctl; timeout 10 bash -c "echo 2 > \$a/queues/jobs"'
	wait_until has_status queues/jobs messages 2
	run -1 shell 'echo create cluster/queues/bad capacity=1M > $IPC/ctl'
	run -1 shell 'echo create cluster/queues/bad replicas=3 > $IPC/ctl'
	[[ ! -e $a/queues/bad ]]
	shell 'echo remove cluster/queues/jobs > $OTHER_IPC/ctl'
	wait_until test ! -e "$a/queues/jobs"
}

@test "two machines make the same queue at once: one queue" {
	shell 'echo 1 > $a/queues/jobs & echo 2 > $b/queues/jobs & wait'
	wait_until has_status queues/jobs messages 2
	run -0 shell 'for n in 1 2; do first $a/queues/jobs; done | sort'
	[[ $output == $'1\n2' ]]
}

@test "what is stored outlives the mounts and the server" {
	create queues/jobs mode=0620
	shell 'echo 1 > $a/queues/jobs; echo 2 > $a/queues/jobs'
	kill_server
	start_server
	remount "$(cluster_option)"
	wait_until test -e "$a/queues/jobs"
	[[ $(stat -c %a "$a/queues/jobs") == 620 ]]
	run -0 shell 'first $a/queues/jobs; first $b/queues/jobs'
	[[ $output == $'1\n2' ]]
}
