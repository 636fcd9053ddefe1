#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples of docs/tutorial.md, typed one after the other into one interactive shell, as by
# somebody who follows the page. Each prints what is shown below it. cluster_documents.bats has the
# one that takes a cluster. And the links of all pages.
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

headings() { # PAGE, as links name them
	sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

@test "the links of the pages lead to files and headings" {
	local page link target count=0

	cd "$HERE/../.."
	for page in *.md docs/*.md; do
		while read -r link; do
			target=$(dirname "$page")/${link%%#*}
			[[ $link != '#'* ]] || target=$page
			echo "$page: $link"
			[[ -e $target ]]
			[[ $link != *'#'* ]] || headings "$target" | grep -qxF "${link#*#}"
			count=$((count + 1))
		done < <(grep -oP '\]\(\K[^)]+' "$page" | grep -v '^https:')
	done
	((count > 40))
}
