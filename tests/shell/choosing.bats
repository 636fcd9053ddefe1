#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples of docs/choosing.md: each prints what the page shows below it. Each has its own IPC
# namespace and /dev/shm.
# shellcheck shell=bats disable=SC2016

load helper
load blocks

PAGE=$HERE/../../docs/choosing.md

# setup mounts nothing: the test's loop does, for each example.
setup() {
	[[ $(id -u) == 0 ]] || skip "only root can mount here"
	IPC=$(new_directory)
	export IPC
}

teardown() {
	[[ -z ${IPC:-} ]] || rmdir "$IPC"
}

@test "every example of docs/choosing.md prints what it says" {
	local example count

	count=$(count_blocks "$PAGE")
	((count >= 8))
	for ((example = 1; example <= count; example++)); do
		block "$PAGE" "$example"
		export COMMANDS=$BATS_TEST_TMPDIR/commands PRINTED=$BATS_TEST_TMPDIR/printed
		run -0 timeout -k 1 60 unshare --mount --ipc --propagation private bash -c '
			mount -t tmpfs none /dev/shm
			"$IPCFS" -f "$IPC" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} & daemon=$!
			until [[ -e $IPC/README ]]; do sleep 0.02; done
			cd "$IPC" && timeout -k 1 40 bash "$COMMANDS" > "$PRINTED" 2> "$PRINTED.errors"
			cd /; kill $daemon; wait $daemon' 3>&-
		echo "example $example"
		cat "$PRINTED.errors"
		diff "$BATS_TEST_TMPDIR/expected" "$PRINTED"
	done
}
