#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of topics share. $T is a topic that does not exist yet.
# shellcheck shell=bash disable=SC2154

setup() {
	ipcfs_setup
	export T="$IPC/topics/$NAME"
}

create() { # KEY=VALUE...
	echo "create topics/$NAME $*" > "$IPC/ctl"
}

status_of() { # KEY
	awk -v key="$1" '$1 == key { print $2 }' "$IPC/info/topics/$NAME/status"
}

# reader FILE COMMAND...: runs it in the background with its output in FILE, and waits until it
# reads the topic.
reader() {
	local file=$1 n
	n=$(status_of readers)
	background "${@:2}" > "$file"
	wait_until has_readers $((n + 1))
}

has_readers() { # N
	[[ $(status_of readers) == "$1" ]]
}

has_lines() { # FILE N
	[[ $(wc -l < "$1") -ge $2 ]]
}

# missed_by PID: how many messages that reader has missed.
missed_by() {
	awk -v pid="$1" '$1 == "reader-pids" { n = split($2, pids, ",") }
		$1 == "reader-missed" { split($2, missed, ",") }
		END { for (i = 1; i <= n; i++) if (pids[i] == pid) print missed[i] }' "$IPC/info/topics/$NAME/status"
}
