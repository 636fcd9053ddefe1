#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Many messages through a queue between two machines, whose readers are killed at any time.
# $IPCFS_TEST_MESSAGES sets their number.
# shellcheck shell=bats disable=SC2016,SC2154

load helper
load cluster

setup() {
	# A program with sanitizers does the same work many times slower.
	! grep -q libasan "$IPCFS" || export IPCFS_TEST_MESSAGES=${IPCFS_TEST_MESSAGES:-10000}
	cluster_setup 1
}

@test "four writers, four readers who are killed at random: nothing is lost, and only what they held comes twice" {
	create queues/load ack_wait=5
	WITHIN=170 run -0 shell '"$1" $a/queues/load $b/queues/load' "$HERE/cluster_load.py"
	echo "# $output" >&3
}
