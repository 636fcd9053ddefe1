# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# stress-ng: its stressors for the kinds of objects that the mount shows. They verify their own
# work, while the mount is walked.

stress_ng_places() {
	echo beside
}

stress_ng_tests() {
	printf '%s\n' mq msg sem sem-sysv shm shm-sysv pipe fifo sock eventfd poll splice sendfile
}

stress_ng_run() { # TEST
	stress-ng --temp-path "$WORK" "--$1" 2 --verify --timeout 3
}

stress_ng_read() {
	grep -E 'fail:|error:|unsuccessful|^suites:' | sed -E 's/^stress-ng: //; s/[0-9]{3,}/NUMBER/g'
}
