#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/cluster.md: each example prints what the page shows below it, and nats-server takes the
# configurations. And the cluster of docs/tutorial.md.
# shellcheck shell=bats disable=SC2016,SC2154

load helper
load blocks
load cluster

PAGE=$HERE/../../docs/cluster.md

@test "every example of docs/cluster.md prints what it says" {
	local example count

	count=$(count_blocks "$PAGE")
	((count >= 3))
	for ((example = 1; example <= count; example++)); do
		block "$PAGE" "$example"
		run -0 shell 'cd "$IPC" && bash "$1"' "$BATS_TEST_TMPDIR/commands"
		diff "$BATS_TEST_TMPDIR/expected" - <<<"$output"
	done
}

# Between the first line and the others a person lets more time pass than the connection takes.
@test "the three lines of docs/tutorial.md share a queue" {
	block "$HERE/../../docs/tutorial.md" 1 cluster
	sed -i "s|/ipc\b|$IPC|g; s|nats://one:4222|$NATS_URL|g" "$BATS_TEST_TMPDIR/commands"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/commands") == 3 ]]
	umount "$IPC"
	wait_until ended "${DAEMON[$IPC]}"
	PATH=$(dirname "$IPCFS"):$PATH shell 'source <(head -n 1 "$1")' "$BATS_TEST_TMPDIR/commands"
	look_after "$IPC" "$(pgrep -o -f "^ipcfs $IPC ")"
	wait_until connected "$IPC"
	run -0 shell 'source <(tail -n +2 "$1")' "$BATS_TEST_TMPDIR/commands"
	diff "$BATS_TEST_TMPDIR/expected" - <<<"$output"
}

# Checks a configuration on stdin, with the directory of the test instead of the system's.
is_valid() {
	sed "s|/var/lib/nats|$BATS_TEST_TMPDIR|" >"$BATS_TEST_TMPDIR/nats.conf"
	[[ -s $BATS_TEST_TMPDIR/nats.conf ]]
	"$NATS_SERVER" -t -c "$BATS_TEST_TMPDIR/nats.conf"
}

@test "nats-server accepts the configurations of docs/cluster.md" {
	awk "/<<'END'/ { on = 1; next } / END\$/ { on = 0 } on" "$PAGE" | is_valid
	awk '/^```conf$/ { on = 1; next } /^```$/ { on = 0 } on' "$PAGE" | is_valid
}
