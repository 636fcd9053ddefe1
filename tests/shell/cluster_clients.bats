#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that know NATS and not ipcfs exchange messages with echo and cat; and whatever they send,
# to whatever subject, the mount goes on.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154

load helper
load cluster

alive() {
	touch "$a/queues/alive"
	wait_until test -e "$b/queues/alive"
	run -0 shell 'echo still here > $a/queues/alive; first $b/queues/alive; echo local > $Q; first $Q; rm $Q'
	[[ $output == $'still here\nlocal' ]]
}

# --- a client in Python ---------------------------------------------------------------------------

@test "another client publishes, cat reads" {
	create queues/jobs
	"$NATS" publish ipcfs.queues.jobs $'one\n' $'two\n' $'three\n'
	run -0 shell 'for n in 1 2 3; do read -r line < $b/queues/jobs; echo $line; done'
	[[ $output == $'one\ntwo\nthree' ]]
}

# The consumer that the machines share.
consumer_of() { # STREAM
	"$NATS" request "\$JS.API.CONSUMER.NAMES.$1" | sed 's/.*"consumers":\["\([^"]*\)".*/\1/'
}

@test "echo writes, another client takes and acknowledges" {
	create queues/jobs
	shell 'for n in one two three; do echo $n > $a/queues/jobs; done'
	run -1 shell 'timeout 5 dd if=$b/queues/jobs iflag=nonblock status=none bs=1 count=0 2> /dev/null; false' # it has been opened
	run -0 "$NATS" pull ipcfs-queues-jobs "$(consumer_of ipcfs-queues-jobs)" 2
	[[ $output == $'one\ntwo' ]]
	run -0 shell 'first $b/queues/jobs'
	[[ $output == three ]]
}

@test "what another client has taken and not acknowledged comes to cat" {
	create queues/jobs ack_wait=1
	shell 'echo one > $a/queues/jobs'
	run -0 "$NATS" hold ipcfs-queues-jobs "$(consumer_of ipcfs-queues-jobs)"
	[[ $output == one ]]
	run -0 shell 'first $b/queues/jobs'
	[[ $output == one ]]
}

@test "topics: both ways" {
	create topics/news
	background cat "$b/topics/news" >"$OUT"
	wait_until has_status topics/news consumers 1
	background "$NATS" subscribe ipcfs.topics.news 2 >"$OUT.other"
	wait_until contains "$OUT.other" subscribed
	echo one >"$a/topics/news"
	"$NATS" publish ipcfs.topics.news $'two\n'
	wait_until has_lines "$OUT" 2
	wait_until has_lines "$OUT.other" 3
	[[ $(cat "$OUT") == one*two && $(tail -n 2 "$OUT.other") == *one*two ]]
}

@test "a value is a key of a key-value bucket: both ways" {
	echo one >"$a/values/v"
	run -0 "$NATS" get ipcfs-values-v value
	[[ $output == one ]]
	exec 7<"$b/values/v"
	run -0 shell 'cat' <&7
	"$NATS" put ipcfs-values-v value two
	run -0 shell 'cat $b/values/v'
	[[ $output == two ]]
	"$NATS" delete ipcfs-values-v value
	run -0 shell 'cat $b/values/v'
	[[ -z $output ]]
	exec 7<&-
}

@test "names are escaped as docs/cluster.md says" {
	shell 'echo hello > "$a/queues/a.b c"'
	"$NATS" publish 'ipcfs.queues.a=2Eb=20c' $'there\n'
	run -0 shell 'first "$b/queues/a.b c"; first "$b/queues/a.b c"'
	[[ $output == $'hello\nthere' ]]
}

@test "an object made by another client's entry and stream is a file" {
	create queues/model
	local entry
	entry=$("$NATS" get ipcfs queues.model)
	"$NATS" put ipcfs queues.made "$entry"
	wait_until test -e "$b/queues/made"
	run -0 shell 'echo hello > $a/queues/made; first $b/queues/made'
	[[ $output == hello ]]
	"$NATS" delete ipcfs queues.made
	wait_until test ! -e "$a/queues/made"
}

# After a crash, nats-server 2.9 forgets to remove messages that were acknowledged. A stream that is no
# work queue never removes them, so it looks the same.
@test "a queue is not full of what has been acknowledged" {
	create queues/jobs maxmsg=2
	local config
	config=$("$NATS" request '$JS.API.STREAM.INFO.ipcfs-queues-jobs' | /usr/bin/python3 -c 'import json, sys
c = json.load(sys.stdin)["config"]
c["name"], c["subjects"], c["retention"] = "ipcfs-queues-full", ["ipcfs.queues.full"], "limits"
print(json.dumps(c))')
	"$NATS" request '$JS.API.STREAM.CREATE.ipcfs-queues-full' "$config"
	"$NATS" request '$JS.API.CONSUMER.DURABLE.CREATE.ipcfs-queues-full.readers' \
		'{"stream_name":"ipcfs-queues-full","config":{"durable_name":"readers","ack_policy":"explicit","ack_wait":30000000000}}'
	"$NATS" put ipcfs queues.full "$("$NATS" get ipcfs queues.jobs)"
	wait_until test -e "$b/queues/full"
	shell 'for n in 1 2; do echo $n > $a/queues/full; done'
	run -0 shell 'for n in 1 2; do first $b/queues/full; done'
	[[ $output == $'1\n2' ]]
	has_status queues/full messages 2
	run -0 shell 'echo 3 > $a/queues/full; first $b/queues/full'
	[[ $output == 3 ]]
}

# --- hostile clients ------------------------------------------------------------------------------

@test "a foreign message that is longer than msgsize= is refused, or read whole" {
	create queues/jobs msgsize=64
	head -c 900K /dev/zero | run -1 "$NATS" publish ipcfs.queues.jobs
	local config
	config=$("$NATS" request '$JS.API.STREAM.INFO.ipcfs-queues-jobs' | /usr/bin/python3 -c 'import json, sys
c = json.load(sys.stdin)["config"]; c["max_msg_size"] = -1; print(json.dumps(c))')
	"$NATS" request '$JS.API.STREAM.UPDATE.ipcfs-queues-jobs' "$config"
	head -c 900K /dev/zero | "$NATS" publish ipcfs.queues.jobs
	"$NATS" publish ipcfs.queues.jobs after
	run -0 shell 'exec 7< $b/queues/jobs; head -c 900K <&7 | wc -c; head -c 5 <&7'
	[[ $output == $'921600\nafter' ]]
	alive
}

@test "entries that are no entries are no files" {
	create queues/jobs
	local text n=0
	for text in '' '{' '[]' 'null' '"x"' '{"mode":"x"}' '{"owner":5,"group":[],"mode":-1}' \
		'{"owner":"root","group":"root","mode":99999999999999999999}' \
		"{\"owner\":\"$(printf 'o%.0s' {1..1000})\",\"group\":\"root\",\"mode\":420}"; do
		"$NATS" put ipcfs "queues.bad$((++n))" "$text"
		"$NATS" put ipcfs "values.bad$n" "$text"
	done
	"$NATS" put ipcfs "nothing.x" '{}'
	"$NATS" put ipcfs "queues.a.b" '{}'
	"$NATS" put ipcfs "queues.=2F" '{"owner":"root","group":"root","mode":420}'
	"$NATS" put ipcfs "queues.=2E=2E" '{"owner":"root","group":"root","mode":420}'
	"$NATS" put ipcfs "queues.=00" '{"owner":"root","group":"root","mode":420}'
	"$NATS" put ipcfs "queues.=zz" '{"owner":"root","group":"root","mode":420}'
	head -c 4000 /dev/urandom | "$NATS" put ipcfs queues.jobs
	create queues/after
	run -0 shell 'ls -la $b/queues; cat $IPC/info/summary'
	[[ $output != *sticky* && $(ls "$b/queues") != *..* ]]
	alive
}

is_nobodys() { # FILE
	[[ $(stat -c '%u %g' "$1") == "4294967293 4294967293" ]]
}

@test "an owner that this machine does not know is nobody" {
	create queues/jobs
	"$NATS" put ipcfs queues.jobs "$("$NATS" get ipcfs queues.jobs | sed 's/"root"/"no-such-name"/g')"
	wait_until is_nobodys "$b/queues/jobs"
}

@test "nonsense to every subject, and in answer to every question" {
	create queues/jobs
	create topics/news
	create values/v
	background cat "$b/queues/jobs" >"$OUT"
	background cat "$b/topics/news" >"$OUT"
	background bash -c 'while :; do timeout 1 cat $b/values/v; sleep 0.05; done > /dev/null 2>&1'
	background bash -c 'while :; do for f in queues/jobs topics/news values/v; do
		timeout 1 bash -c "echo hello > $a/$f"; timeout 1 cat $IPC/info/cluster/$f/status; done; sleep 0.05; done > /dev/null 2>&1'
	background bash -c 'while :; do touch $a/queues/x; rm -f $b/queues/x; chmod 600 $a/values/v; truncate -s 0 $b/queues/jobs; done > /dev/null 2>&1'
	run -0 timeout 20 "$NATS" garbage 4 ipcfs.queues.jobs ipcfs.topics.news '$KV.ipcfs-values-v.value' \
		'$KV.ipcfs.queues.jobs' '$KV.ipcfs.values.v' '$KV.ipcfs.topics.news' '$KV.ipcfs.queues.x'
	echo "# $output" >&3
	kill -KILL "${JOBS[@]}"
	is_running "${DAEMON[$IPC]}"
	is_running "${DAEMON[$OTHER_IPC]}"
	WITHIN=60 alive
}

@test "streams and consumers that somebody else deletes are made again, or end what waits" {
	create queues/jobs
	background cat "$b/queues/jobs" >"$OUT" 2>&1
	wait_until waits_in "$JOB" "$OTHER_IPC"
	"$NATS" request '$JS.API.STREAM.DELETE.ipcfs-queues-jobs'
	run shell 'timeout 15 bash -c "echo again > \$a/queues/jobs"'
	echo "$output"
	alive
	"$NATS" request '$JS.API.STREAM.DELETE.KV_ipcfs'
	alive
}
