#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples of README.md, as they are printed there with another mount point, and a few things that
# people will build from them.
# shellcheck shell=bats disable=SC2016

load helper
load typed

@test "the session in README.md prints what it says" {
	awk '/^## / { on = /^## Examples/ } on && /^    / { print substr($0, 5) }' "$HERE/../../README.md" \
		>"$BATS_TEST_TMPDIR/session"
	prints_what_it_says "$BATS_TEST_TMPDIR/session"
}

@test "a real POSIX message queue" {
	run -0 typed 'echo hello > queues/jobs; first queues/jobs'
	[[ $output == hello ]]
	run -124 typed 'echo hello > queues/jobs; timeout 0.5 cat queues/jobs'
	[[ $output == hello ]]
}

@test "the writer did not wait for the reader" {
	run -0 typed 'dmesg > pipes/log; wc -l < pipes/log'
	[[ $output -gt 0 ]]
}

@test "a native FIFO, and then one that is kept" {
	run -0 typed 'mkfifo pipes/f; echo hello > pipes/f & cat pipes/f'
	[[ $output == hello ]]
	needs open_tree
	run -0 typed 'mkfifo pipes/f; echo set pipes/f keep=yes > ctl; echo hello > pipes/f; cat pipes/f'
	[[ $output == hello ]]
}

@test "shared memory is /dev/shm" {
	run -0 typed 'dd if=/dev/urandom of=shm/frame bs=1M count=64; cmp shm/frame /dev/shm/frame'
}

@test "both ways on one descriptor" {
	run -0 typed 'exec 7<>pipes/p; cat <&7 > "$OUT" & echo both ways >&7
		until grep -s "both ways" "$OUT"; do sleep 0.02; done; { kill $!; wait; } 2>&-'
	[[ $output == "both ways" ]]
}

@test "urgent jobs first" {
	run -0 typed 'touch queues/jobs; echo later > queues/jobs; echo now > queues/jobs:9; first queues/jobs'
	[[ $output == now ]]
}

@test "three workers share the jobs of a queue" {
	run -0 typed 'touch queues/jobs
		for worker in 1 2 3; do
			(while read -r job && [[ $job != stop ]]; do echo "did $job" >> pipes/done; done < queues/jobs) &
		done
		for job in {1..60}; do echo $job > queues/jobs; done
		for worker in 1 2 3; do echo stop > queues/jobs; done
		wait
		sort -u pipes/done | wc -l'
	[[ $output == 60 ]]
}

@test "many writers, one log" {
	run -0 typed 'for who in a b c d; do
			(for n in {1..100}; do echo "$(date +%s) $who line $n" > pipes/log; done) &
		done; wait
		awk "NF == 4" pipes/log | wc -l'
	[[ $output == 400 ]]
}

@test "a queue of two tokens lets two at a time" {
	run -0 typed 'echo a > queues/tokens; echo b > queues/tokens
		for n in {1..8}; do
			(read -r token < queues/tokens; mkdir "$OUT.$token" || echo collision
			rmdir "$OUT.$token"; echo "$token" > queues/tokens; echo done) &
		done; wait'
	[[ $(sort -u <<<"$output") == "done" && ${#lines[@]} == 8 ]]
}

@test "python3 fills a region, the shell reads it" {
	run -0 typed 'truncate -s 4096 shm/state
		python3 -c "import mmap, os
m = mmap.mmap(os.open(\"shm/state\", os.O_RDWR), 0); m[0:6] = b\"ready\n\""
		first shm/state'
	[[ $output == ready ]]
}

@test "a request and its answer through two queues" {
	run -0 typed 'touch queues/requests queues/answers
		(read -r question < queues/requests; echo "$((question * 2))" > queues/answers) &
		echo 21 > queues/requests; read -r answer < queues/answers; echo "$answer"; wait'
	[[ $output == 42 ]]
}
