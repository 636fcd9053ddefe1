#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Opens info/index.html in a headless Chromium, and tells what has become of it.
# shellcheck shell=bash disable=SC2016

setup() {
	CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
		skip "no Chromium"
	ipcfs_setup
	make_directory
}

# browse URL [OPTION...]: opens a page, whose DOM is then in $OUT. Fails if the page logs anything:
# an error of its script, or something that its policy forbids.
browse() {
	HOME=$D timeout -k 1 50 "$CHROMIUM" --headless=new --no-sandbox --disable-gpu --no-first-run \
		--disable-dev-shm-usage --disable-background-networking --user-data-dir="$D/chromium" \
		--host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1' --window-size=1400,900 --enable-logging=stderr "${@:2}" \
		--dump-dom "$1" >"$OUT" 2>"$D/log" 3>&-
	! grep -F "CONSOLE" "$D/log" | grep -vF '"Slow network is detected' || return 1
}

look() { # [FRAGMENT]
	browse "file://$IPC/info/index.html${1:+#$1}"
}

page() { # WHAT [WORD], of page.py
	python3 "$HERE/page.py" "$@" <"$OUT"
}

# Starts a process called $1 that opens the pipe or queue $2 for "r", "w" or both, and keeps it open.
use() {
	background python3 -c 'import ctypes, os, signal, sys
flags = {"r": os.O_RDONLY, "w": os.O_WRONLY, "rw": os.O_RDWR}[sys.argv[3]] | os.O_NONBLOCK
fd = os.open(sys.argv[2], flags)
ctypes.CDLL(None).prctl(15, os.fsencode(sys.argv[1]), 0, 0, 0)
signal.pause()' "$@"
	wait_until has_name "$JOB" "$1"
}

has_name() { # PID NAME
	[[ $(cat "/proc/$1/comm") == "$2" ]]
}
