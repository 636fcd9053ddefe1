#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A program in C that uses libnats as its documents show it, nats_client.c, exchanges messages with
# echo and cat.
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154

load helper
load cluster

client() {
	timeout 30 "${IPCFS_NATS_CLIENT:?nats_client}" "$NATS_URL" "$@"
}

setup() {
	[[ -x ${IPCFS_NATS_CLIENT:-} ]] || skip "libnats is not there to build nats_client"
	cluster_setup 1
}

@test "js_Publish, and cat reads" {
	create queues/jobs
	printf 'one\ntwo\n' | client pub ipcfs.queues.jobs
	run -0 shell 'first $a/queues/jobs; first $b/queues/jobs'
	[[ $output == $'one\ntwo' ]]
}

@test "echo writes, natsSubscription_Fetch takes, and cat gets the rest" {
	create queues/jobs
	shell 'for n in one two three; do echo $n > $a/queues/jobs; done'
	run -0 client take ipcfs-queues-jobs readers 2
	[[ $output == $'one\ntwo' ]]
	run -0 shell 'first $b/queues/jobs'
	[[ $output == three ]]
}

@test "a topic has what both have said, for both" {
	create topics/news keep=10
	echo one >"$a/topics/news"
	echo two | client pub ipcfs.topics.news
	run -0 client sub ipcfs-topics-news 2
	[[ $output == $'one\ntwo' ]]
	run -0 shell 'read -r x; read -r y; echo "$x $y"' <"$b/topics/news"
	[[ $output == "one two" ]]
}

@test "js_KeyValue opens a value, reads and writes it, and lists its history" {
	echo one >"$a/values/v"
	run -0 client get ipcfs-values-v value
	[[ $output == one ]]
	client put ipcfs-values-v value two
	run -0 shell 'cat $b/values/v'
	[[ $output == two ]]
	run -0 client history ipcfs-values-v value
	[[ $output == $'one\ntwo' ]]
	run -1 client create ipcfs-values-v value three
	[[ $output == *"wrong last sequence"* ]]
}

@test "kvStore_Watch sees what echo writes" {
	echo one >"$a/values/v"
	background "$IPCFS_NATS_CLIENT" "$NATS_URL" watch ipcfs-values-v value 2 >"$BATS_TEST_TMPDIR/out"
	wait_until has_lines "$BATS_TEST_TMPDIR/out" 1
	echo two >"$b/values/v"
	wait_until has_lines "$BATS_TEST_TMPDIR/out" 2
	[[ $(cat "$BATS_TEST_TMPDIR/out") == $'one\ntwo' ]]
}

@test "kvStore_Watch sees the entries of all objects" {
	create queues/jobs
	run -0 client watch ipcfs '>' 1
	[[ $output == '{"owner":"root","group":"root","mode":"'*'}' ]]
}
