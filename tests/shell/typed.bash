#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Types what a document shows, in a mount of its own. Each session has the IPC namespace and /dev/shm
# for itself, so that plain names such as `jobs` clash with no others.
# shellcheck shell=bash disable=SC2016

# setup mounts nothing: typed does.
setup() {
	[[ $(id -u) == 0 ]] || skip "only root can mount here"
	IPC=$(new_directory)
	export IPC OUT="$BATS_TEST_TMPDIR/out"
}

teardown() {
	[[ -z ${IPC:-} ]] || rmdir "$IPC"
}

# typed 'WHAT A USER TYPES' [MOUNT-OPTIONS]: runs it with the mount as the working directory, for up
# to $WITHIN seconds, or 20.
typed() {
	export TYPED=$1 TYPED_OPTIONS=${2:-}
	timeout -k 1 "$((${WITHIN:-20} + 10))" unshare --mount --ipc --propagation private bash -c '
		mount -t tmpfs none /dev/shm
		"$IPCFS" "$IPC" ${IPCFS_TEST_OPTIONS:+-o "$IPCFS_TEST_OPTIONS"} ${TYPED_OPTIONS:+-o "$TYPED_OPTIONS"} || exit
		cd "$IPC" && timeout -k 1 "${WITHIN:-20}" bash -c "$TYPED"
		status=$?
		cd /
		fuser() { pgrep -f "^$IPCFS $IPC( |\$)"; }
		daemon=$(fuser)
		umount "$IPC" || kill $daemon
		until [[ -z $(fuser) ]]; do sleep 0.02; done
		exit $status' 3>&-
}

without_dates() {
	sed 's/[A-Z][a-z][a-z] .[0-9] ..:..//'
}

# prints_what_it_says FILE: a session with /ipc as the mount. Commands stand behind a prompt, `# ` or
# `$ `, Python's behind `>>> `; the other lines are what they print. Background jobs print at any
# time, so the order of the lines is not compared.
prints_what_it_says() {
	export SESSION=$1

	sed -i "s|/ipc\b|$IPC|g" "$SESSION"
	sed -n 's/^[#$] //p' "$SESSION" >"$SESSION.sh"
	sed -n 's/^>>> //p' "$SESSION" >"$SESSION.py"
	grep -v '^[#$] \|^>>> ' "$SESSION" | grep . | without_dates | sort >"$SESSION.expected"
	[[ -s $SESSION.sh && $(wc -l <"$SESSION.expected") -gt 5 ]]
	run -0 typed '
		trap "kill \$(jobs -p) 2>/dev/null; :" EXIT
		source "$SESSION.sh" > "$SESSION.printed" 2> "$SESSION.errors"
		python3 -iq < "$SESSION.py" >> "$SESSION.printed" 2> "$SESSION.python"
		sed -n "s/^.*: line [0-9]*: \(echo: write error\)/bash: \1/p" "$SESSION.errors" >> "$SESSION.printed"
		until (($(wc -l < "$SESSION.printed") >= $(wc -l < "$SESSION.expected"))); do sleep 0.02; done'
	without_dates <"$SESSION.printed" | sort | diff "$SESSION.expected" -
}
