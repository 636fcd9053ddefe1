#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples of a Markdown page: a block of commands, and the block below it, which is what they
# print.
# shellcheck shell=bash

# block PAGE N [WORD]: writes the commands of the Nth example to $BATS_TEST_TMPDIR/commands, and what
# they print to $BATS_TEST_TMPDIR/expected. Examples are those marked `sh`, or `sh WORD`.
block() {
	rm -f "$BATS_TEST_TMPDIR/commands" "$BATS_TEST_TMPDIR/expected"
	awk -v wanted="$2" -v start="\`\`\`sh${3:+ $3}" -v dir="$BATS_TEST_TMPDIR" '
		$0 == start { n++; to = n == wanted ? dir "/commands" : ""; next }
		/^```$/ && to == dir "/commands" { to = ""; follows = 1; next }
		/^```$/ && follows { to = dir "/expected"; follows = 0; next }
		/^```/ { to = ""; next }
		to { print > to }' "$1"
}

count_blocks() { # PAGE [WORD]
	grep -cxF "\`\`\`sh${2:+ $2}" "$1"
}
