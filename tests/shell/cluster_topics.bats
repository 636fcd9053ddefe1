#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Topics of several machines: every reader on each of them gets every message.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154

load helper
load cluster

# reader FILE COMMAND...: runs it in the background, with its output in FILE, and waits until it
# reads the topic, which the server shows as one more consumer.
reader() {
	local file=$1 n
	n=$(status_of topics/news consumers)
	background "${@:2}" >"$file"
	wait_until has_status topics/news consumers $((n + 1))
}

@test "every reader on every machine gets every line, in order" {
	create topics/news
	reader "$OUT.1" cat "$a/topics/news"
	reader "$OUT.2" cat "$b/topics/news"
	reader "$OUT.3" cat "$b/topics/news"
	shell 'for n in {1..50}; do echo $n > $a/topics/news; done; for n in {51..60}; do echo $n > $b/topics/news; done'
	for n in 1 2 3; do
		wait_until has_lines "$OUT.$n" 60
		seq 60 | diff - "$OUT.$n"
	done
}

@test "keep=N: a reader begins with the last N messages, or by :M with the last M" {
	create topics/news keep=3
	shell 'for n in 1 2 3 4 5; do echo $n > $a/topics/news; done'
	run -124 shell 'timeout 1 cat $b/topics/news'
	[[ $output == $'3\n4\n5' ]]
	run -124 shell 'timeout 1 cat $b/topics/news:2'
	[[ $output == $'4\n5' ]]
	run -124 shell 'timeout 1 cat $a/topics/news:99'
	[[ $output == $'1\n2\n3\n4\n5' ]] # all that the servers still have
	reader "$OUT" cat "$b/topics/news:0"
	echo 6 >"$a/topics/news"
	wait_until has_lines "$OUT" 1
	[[ $(cat "$OUT") == 6 ]]
}

@test "what does not fit comes with the next reads of the same file" {
	create topics/news keep=10
	shell 'echo one > $a/topics/news; echo two > $a/topics/news'
	run -0 shell 'exec 7< $b/topics/news; head -c 2 <&7; dd bs=100 count=1 status=none <&7; read -r line <&7; echo "<$line>"'
	[[ $output == $'one\n<two>' ]]
}

@test "Ctrl-C ends a reader, and its consumer goes from the server" {
	create topics/news
	reader "$OUT" cat "$b/topics/news"
	kill -INT "$JOB"
	wait_until ended "$JOB"
	wait_until has_status topics/news consumers 0
}

@test "a reader that stops delays nobody" {
	create topics/news
	reader "$OUT.1" cat "$b/topics/news"
	kill -STOP "$JOB"
	reader "$OUT.2" cat "$b/topics/news"
	WITHIN=30 shell 'for n in {1..300}; do echo $n; done > $a/topics/news'
	wait_until has_lines "$OUT.2" 300
	seq 300 | diff - "$OUT.2"
	kill -CONT "${JOBS[0]}"
	wait_until has_lines "$OUT.1" 300
	cmp "$OUT.1" "$OUT.2"
}

@test "poll reports a message" {
	create topics/news
	run -0 shell '/usr/bin/python3 -c "import os, select, threading
r = os.open(os.environ[\"b\"] + \"/topics/news\", os.O_RDONLY)
w = os.open(os.environ[\"a\"] + \"/topics/news\", os.O_WRONLY)
p = select.poll(); p.register(r, select.POLLIN)
assert not p.poll(100)
threading.Timer(0.1, os.write, (w, b\"news\")).start()
assert p.poll(10000)
print(os.read(r, 100).decode())"'
	[[ $output == news ]]
	run -1 shell 'dd if=$a/topics/news iflag=nonblock status=none'
	[[ $output == *"Resource temporarily unavailable"* ]]
}

@test "readers go on where they were when the server comes back" {
	create topics/news
	reader "$OUT.1" cat "$a/topics/news"
	reader "$OUT.2" cat "$b/topics/news"
	shell 'for n in 1 2 3; do echo $n > $a/topics/news; done'
	wait_until has_lines "$OUT.1" 3
	wait_until has_lines "$OUT.2" 3
	kill_server
	start_server
	wait_until disconnected "$IPC" || true # it may be back already
	shell 'for n in 4 5 6; do echo $n > $a/topics/news; done'
	wait_until has_lines "$OUT.1" 6
	wait_until has_lines "$OUT.2" 6
	seq 6 | diff - "$OUT.1"
	seq 6 | diff - "$OUT.2"
}

@test "rm on one machine ends readers on the other" {
	create topics/news
	reader "$OUT" cat "$b/topics/news" 2>"$OUT.errors"
	rm "$a/topics/news"
	wait_until ended "$JOB"
	contains "$OUT.errors" "Identifier removed"
}

@test "status and peek show what is kept" {
	create topics/news keep=2
	shell 'for n in one two three; do echo $n > $a/topics/news; done'
	wait_until has_status topics/news messages 3 "$OTHER_IPC"
	[[ $(status_of topics/news keep) == 2 ]]
	run -0 shell 'cat $OTHER_IPC/info/cluster/topics/news/peek'
	[[ $output == *two*three* ]]
	run -0 shell 'truncate -s 0 $b/topics/news; timeout 0.5 cat $a/topics/news || true'
	[[ -z $output ]]
}
