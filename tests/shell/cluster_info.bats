#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the configuration says of objects in cluster/, and what info/ does: with the server, before it,
# and after it.
# shellcheck shell=bats disable=SC2016,SC2154

load helper
load cluster

CONFIG=$BATS_TEST_TMPDIR/conf
LOG=$BATS_TEST_TMPDIR/daemon

# mount_configured: mounts $IPC again by $CONFIG, with its log in $LOG.
mount_configured() {
	remount "$(cluster_option),config=$CONFIG" 2>"$LOG"
}

logged() { # TEXT
	grep -qF "$1" "$LOG"
}

configure() {
	cat >"$CONFIG"
	chmod 600 "$CONFIG"
}

@test "lines about cluster/ wait for the server, in order, and no other line waits for them" {
	configure <<-END
		create cluster/queues/jobs maxmsg=7
		set cluster/queues/jobs mode=0640 group=users
		create pipes/near
		create cluster/queues/wrong maxmsg=many
		create cluster/topics/news keep=3
	END
	kill_server
	mount_configured
	[[ -e $IPC/pipes/near && ! -e $IPC/cluster/queues/jobs ]]
	run ! logged cluster/
	start_server
	wait_until test -e "$IPC/cluster/topics/news"
	[[ $(stat -c '%a %G' "$IPC/cluster/queues/jobs") == "640 users" ]]
	[[ ! -e $IPC/cluster/queues/wrong ]]
	[[ $(grep -cF "$CONFIG:" "$LOG") == 1 ]]
	logged "$CONFIG:4: maxmsg=many: not a number"
	[[ $(status_of topics/news keep) == 3 ]]
}

@test "the configuration is read again, also while the server is gone, and objects are kept" {
	echo 'create cluster/queues/one' | configure
	mount_configured
	wait_until test -e "$IPC/cluster/queues/one"
	echo stays >"$IPC/cluster/queues/one"
	kill_server
	wait_until disconnected "$IPC"
	echo 'create cluster/queues/two' >>"$CONFIG"
	kill -HUP "${DAEMON[$IPC]}"
	kill -HUP "${DAEMON[$IPC]}"
	start_server
	wait_until test -e "$IPC/cluster/queues/two"
	run -0 shell 'read -r line < "$a/queues/one"; echo "$line"'
	[[ $output == stays ]]
	run ! logged "$CONFIG:"
}

@test "info/cluster/status and the metrics tell of the connection, and the tables ask nobody" {
	local sent again
	create queues/jobs
	touch "$a/topics/news" "$a/values/light"
	wait_until test -e "$a/values/light"
	run -0 cat "$IPC/info/cluster/status"
	for line in "servers $NATS_URLS" 'state connected' "server $NATS_URL" 'reconnects 0' 'names known' 'objects 3'; do
		[[ $'\n'$output$'\n' == *$'\n'"$line"$'\n'* ]]
	done
	grep -qx 'ipcfs_cluster_up 1' "$IPC/info/metrics"
	sent=$(awk '$1 == "sent" { print $2 }' "$IPC/info/cluster/status")
	run -0 shell 'cd $IPC/info; cat summary inventory.json metrics graph.dot index.html leaks'
	[[ $output == *'"kind":"cluster\/values"'* || $output == *'"kind":"cluster/values"'* ]]
	again=$(awk '$1 == "sent" { print $2 }' "$IPC/info/cluster/status")
	[[ $sent == "$again" ]] || echo "# $((again - sent)) messages were sent for the tables" >&3
	((again - sent <= 1)) # the daemon may have looked whether the server is still there
	has_status queues/jobs link up
	has_status queues/jobs messages 0
	kill_server
	wait_until disconnected "$IPC"
	grep -qx 'ipcfs_cluster_up 0' "$IPC/info/metrics"
	has_status queues/jobs link down
	[[ -z $(status_of queues/jobs messages) ]]
	run -0 grep '^error ' "$IPC/info/cluster/status"
	start_server
	wait_until connected "$IPC"
	grep -qx 'ipcfs_cluster_reconnects_total 1' "$IPC/info/metrics"
}

@test "the metrics of a mount with a cluster are valid" {
	/usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null ||
		skip "python3-prometheus-client is not installed"
	create queues/jobs
	run -0 /usr/bin/python3 -c '
import os, sys
from prometheus_client.openmetrics import parser
names = {f.name for f in parser.text_string_to_metric_families(open(os.environ["IPC"] + "/info/metrics").read())}
print(*sorted(n for n in names if "cluster" in n))'
	[[ $output == "ipcfs_cluster_received_messages ipcfs_cluster_reconnects ipcfs_cluster_round_trip_seconds \
ipcfs_cluster_sent_messages ipcfs_cluster_since_seconds ipcfs_cluster_up" ]]
}

@test "grep -r of info/ ends, and without an error, while the server is there or has never been" {
	create queues/jobs
	echo hello >"$a/queues/jobs"
	run -0 shell 'grep -rc hello "$IPC/info/cluster"'
	[[ $output == *"queues/jobs/peek:1"* ]]
	kill_server
	: | configure
	mount_configured
	run -0 shell 'grep -rl state "$IPC/info/cluster"'
	[[ $output == "$IPC/info/cluster/status" ]]
}
