#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples of docs/tutorial.md, typed one after the other into one interactive shell, as by
# somebody who follows the page. Each prints what is shown below it. cluster_documents.bats has the
# one that takes a cluster.
# shellcheck shell=bats disable=SC2016

load helper
load blocks
load typed

PAGE=$HERE/../../docs/tutorial.md

@test "every example of docs/tutorial.md prints what it says" {
	local n count

	count=$(count_blocks "$PAGE")
	((count >= 12))
	export SESSION=$BATS_TEST_TMPDIR/session
	for ((n = 1; n <= count; n++)); do
		block "$PAGE" "$n"
		echo "echo '== $n'" | cat - "$BATS_TEST_TMPDIR/commands" >>"$SESSION"
		echo "== $n" | cat - "$BATS_TEST_TMPDIR/expected" >>"$SESSION.expected"
	done
	# The shell has nothing of the mount open then, so that umount(8) succeeds.
	echo 'cd /; readlink "/proc/$$/fd/"* | grep -F "$IPC/"; jobs' >>"$SESSION"
	# There, only a parent learns how a process has ended.
	! is_off pidfd_info || sed -i 's/^killed TERM$/ended/' "$SESSION.expected"
	PATH=$(dirname "$IPCFS"):$PATH WITHIN=60 run -0 typed '
		HISTFILE= bash --norc --noediting -i <"$SESSION" >"$SESSION.printed" 2>"$SESSION.errors"; :'
	cat "$SESSION.errors"
	diff "$SESSION.expected" "$SESSION.printed"
}
